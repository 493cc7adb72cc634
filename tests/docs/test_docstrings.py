"""The examples in docstrings run, and give what they say."""

from __future__ import annotations

import ast
import doctest
import importlib
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import thalweg as tw

SOURCE = Path(tw.__file__).parent


def examples() -> list[tuple[str, str, list[doctest.Example]]]:
    """The module, the name and the examples of each docstring that has some."""
    found = []
    for path in sorted(SOURCE.rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        module = ".".join(["thalweg", *path.relative_to(SOURCE).with_suffix("").parts]).removesuffix(".__init__")
        for node in ast.walk(ast.parse(text)) if ">>>" in text else ():
            if isinstance(node, ast.ClassDef | ast.FunctionDef) and ">>>" in (ast.get_docstring(node) or ""):
                parsed = doctest.DocTestParser().get_examples(ast.get_docstring(node) or "")
                found.append((module, node.name, parsed))
    return found


EXAMPLES = examples()


def around(tmp_path: Path) -> dict[str, Any]:
    """What a reader of an example has imported and made."""

    @tw.rule(lr=0.1)
    def my_rule(g: Any) -> Any:
        """Steps as gradient descent does."""
        return g

    given: dict[str, Any] = {name: getattr(tw, name) for name in dir(tw) if not name.startswith("_")}
    given |= {"params": {"w": np.ones((2, 2))}, "grads": {"w": np.ones((2, 2))}, "my_rule": my_rule}
    return given


@pytest.mark.parametrize(("module", "name", "lines"), EXAMPLES, ids=[f"{module}.{name}" for module, name, _ in EXAMPLES])
def test_an_example_runs(module: str, name: str, lines: list[doctest.Example], tmp_path: Path) -> None:
    given = around(tmp_path)
    if module.startswith("thalweg.torch"):
        torch = pytest.importorskip("torch")
        given |= vars(importlib.import_module("thalweg.torch")) | {"model": torch.nn.Linear(3, 2)}
    for line in lines:
        source = re.sub(r'"/tmp/\w+"', repr(str(tmp_path / "made")), line.source)
        if line.want:
            assert repr(eval(source, given)) == line.want.strip()
        else:
            exec(compile(source, f"<{name}>", "exec"), given)


def test_there_are_examples() -> None:
    assert {"thalweg.core.optimizer", "thalweg.rule", "thalweg.torch.optimizer", "thalweg.nn.model"} <= {
        m for m, _, _ in EXAMPLES
    }
