"""What identities are hashes of is the same in each version of Python."""

from __future__ import annotations

import ast
import functools
import sys
from pathlib import Path

import pytest

import thalweg
from thalweg.lab.store.fingerprint import _RuleTelling
from thalweg.lab.store.telling import dumped


def test_code_is_told_alike_by_each_version_of_python() -> None:
    """As `ast.dump` did it in 3.11; later versions leave out what is empty, and have fields for type parameters."""
    code = "class A:\n    def f(self, x: int = None, *rest):\n        return x.y[0], ()\n"
    assert dumped(ast.parse(code)) == (
        "Module(body=[ClassDef(name='A', bases=[], keywords=[], body=[FunctionDef(name='f', args=arguments(posonlyargs=[], "
        "args=[arg(arg='self'), arg(arg='x', annotation=Name(id='int', ctx=Load()))], vararg=arg(arg='rest'), kwonlyargs=[], "
        "kw_defaults=[], defaults=[Constant(value=None)]), body=[Return(value=Tuple(elts=[Subscript(value=Attribute("
        "value=Name(id='x', ctx=Load()), attr='y', ctx=Load()), slice=Constant(value=0), ctx=Load()), Tuple(elts=[], "
        "ctx=Load())], ctx=Load()))], decorator_list=[])], decorator_list=[])], type_ignores=[])"
    )


@pytest.mark.slow
@pytest.mark.skipif(sys.version_info[:2] != (3, 11), reason="later versions dump otherwise")
def test_all_code_is_told_as_it_was() -> None:
    for path in Path(thalweg.__file__).parent.rglob("*.py"):
        tree = ast.parse(path.read_text("utf-8"))
        assert dumped(tree) == ast.dump(tree)


def test_what_functools_copies_is_told_once() -> None:
    """Python's versions differ in what `wraps` copies; the function itself is told."""

    def plain(x: float) -> float:
        return x

    @functools.wraps(plain)
    def around(x: float) -> float:
        return plain(x)

    told = repr(_RuleTelling().of(around.__dict__))
    assert "__wrapped__" in told
    assert not [name for name in ("__qualname__", "__annotat", "__type_params__") if name in told]
