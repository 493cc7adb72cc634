"""optax's own tests, which its wheel ships, run on `thalweg.jax`: the installed file is read, its names for optax's modules
bound to ours, and its lists of optimizers narrowed to those that are ours.
"""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import optax
import optax.contrib

import thalweg.jax as tj
from thalweg.dialects import OPTAX

UNMENDED = re.compile(r"jax\.__version__ < '[0-9.]+'")
"""optax 0.2.8 compares versions as strings, so that its sharding tests think JAX 0.10 is older than 0.7."""
UNRELATED = ("sklearn", "scipy")
"""What only its tests of L-BFGS import."""

ALIASES = {name for name in OPTAX if "." not in name}
CONTRIB = {name.partition(".")[2] for name in OPTAX if "." in name}


class Module:
    """One of optax's private modules, with ours of its functions in their places."""

    def __init__(self, theirs: Any) -> None:
        self.theirs = theirs

    def __getattr__(self, name: str) -> Any:
        if name in CONTRIB or name == "schedule_free_eval_params":
            return getattr(tj.contrib, name)
        return getattr(tj, name) if name in ALIASES else getattr(self.theirs, name)


def ours(names: set[str]) -> Callable[[Any], Any]:
    """Which of a list's rows are kept: those of the named, wrapped or not."""
    return lambda rows: tuple(row for row in rows if row["opt_name"] in names)


def suite(
    file: str, case: str, lists: dict[str, Callable[[Any], Any]] | None = None, without: tuple[str, ...] = ()
) -> type:  # fmt: skip
    """A test case of one of optax's files, on our functions. lists: what becomes of lists in it; without: tests left out."""
    path = Path(optax.__file__).parent / file
    space: dict[str, Any] = {"__name__": __name__}
    imports, body = _parted(ast.parse(UNMENDED.sub("False", path.read_text())).body, case)
    _run(imports, path, space)
    space.update({name: _bound(value) for name, value in space.items()})
    (found,) = [node for node in body if isinstance(node, ast.ClassDef) and node.name == case]
    body.remove(found)
    _run(body, path, space)
    for name, change in (lists or {}).items():
        space[name] = change(space[name])
    assert set(without) <= {part.name for part in found.body if isinstance(part, ast.FunctionDef)}, "left out, and not there"
    found.body = [part for part in found.body if getattr(part, "name", "") not in without]
    _run([found], path, space)
    made: type = space[case]
    return made


def _parted(body: list[ast.stmt], case: str) -> tuple[list[ast.stmt], list[ast.stmt]]:
    """A file's imports, and what the test case needs of the rest."""
    imports = [node for node in body if isinstance(node, ast.Import | ast.ImportFrom)]
    wanted = [node for node in imports if not (isinstance(node, ast.ImportFrom) and (node.module or "").startswith(UNRELATED))]
    others = [node for node in body if node not in imports and not isinstance(node, ast.If)]
    return wanted, [node for node in others if not (isinstance(node, ast.ClassDef) and _is_test(node) and node.name != case)]


def _is_test(node: ast.ClassDef) -> bool:
    return any(ast.unparse(base).endswith("TestCase") for base in node.bases)


def _bound(value: Any) -> Any:
    """optax's modules of optimizers as ours."""
    known = getattr(value, "__name__", "")
    if value is optax.contrib:
        return tj.contrib
    return Module(value) if known == "optax._src.alias" or known.startswith("optax.contrib._") else value


def _run(body: list[ast.stmt], path: Path, space: dict[str, Any]) -> None:
    with warnings.catch_warnings(action="ignore"):  # of optimizers of its own, made beforehand
        exec(compile(ast.fix_missing_locations(ast.Module(body, [])), str(path), "exec"), space)


def _made(_: Any) -> dict[str, Any]:
    """Its sharding tests have their optimizers made beforehand."""
    names = sorted(ALIASES - {"polyak_sgd"})
    with warnings.catch_warnings(action="ignore"):  # of one that is retired
        return {name: getattr(tj, name)(learning_rate=1.0) for name in names}


Lists = dict[str, Callable[[Any], Any]]
LISTS = ("_MAIN_OPTIMIZERS_UNDER_TEST", "_ALL_OPTIMIZERS_UNDER_TEST")
SHARED: Lists = dict.fromkeys(LISTS, ours((ALIASES | CONTRIB) - {"sophia"}))
ON_OURS: list[tuple[str, str, Lists, tuple[str, ...]]] = [
    ("_src/alias_test.py", "AliasTest", {"_OPTIMIZERS_UNDER_TEST": ours(ALIASES)}, ()),
    ("contrib/_common_test.py", "ContribTest", SHARED, ()),
    (
        "contrib/_common_test.py", "ContribTest", dict.fromkeys(LISTS, ours({"sophia"})),
        ("test_optimizers_can_be_wrapped_in_inject_hyperparams",),
    ),
    ("contrib/_muon_test.py", "MuonTest", {}, ("test_dim_nums_combinations",)),
    ("contrib/_sam_test.py", "SAMTest", {}, ()),
    ("contrib/_schedule_free_test.py", "ScheduleFreeTest", {}, ()),
    ("_src/float64_test.py", "Float64Test", {}, ()),
    ("_src/sharding_test.py", "ShardingTest", {"OPTIMIZERS": _made}, ("test_microbatch_with_explicit_sharding",)),
]  # fmt: skip
"""Its tests of optimizers. Left out: what looks for a moment by its place in optax's state, and what has no optimizer in it;
of sophia what traces the whole number that says how often it looks."""
WHOLE_NUMBERS = ("test_extra_args",)
"""It steps whole numbers, which we refuse."""
PLACES = ("test_masked_state_structure",)
"""They look for a moment by its place in the state, or compare the state with optax's own; by its name it is found."""
BESIDE: list[tuple[str, str, tuple[str, ...]]] = [
    ("_src/combine_test.py", "ExtraArgsTest", WHOLE_NUMBERS),
    ("_src/combine_test.py", "PartitionTest", ()),
    ("_src/lookahead_test.py", "LookaheadTest", ()),
    ("_src/transform_test.py", "TransformTest", ()),
    ("experimental/_aggregating_test.py", "AggregatorsTest", ()),
    ("transforms/_accumulation_test.py", "AccumulationTest", ()),
    ("transforms/_combining_test.py", "ExtraArgsTest", WHOLE_NUMBERS),
    ("transforms/_combining_test.py", "PartitionTest", ()),
    ("transforms/_conditionality_test.py", "ConditionalityTest", ()),
    ("transforms/_freezing_test.py", "SelectiveTransformTest", ("test_selective_bad_structure",)),
    ("transforms/_layouts_test.py", "LayoutsTest", ()),
    ("transforms/_masking_test.py", "MaskedTest", PLACES),
    ("transforms/_monitoring_test.py", "MonitoringTest", ()),
    (
        "tree_utils/_state_utils_test.py", "StateUtilsTest",
        ("test_adam", "test_inject_hparams", "test_map_non_params_to_none", "test_map_params_to_none"),
    ),
]  # fmt: skip
"""Its tests of what goes around optimizers, with ours inside. test_selective_bad_structure: optax's own fails it with JAX 0.10."""
