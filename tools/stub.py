"""Write what follows from the rules: the stubs of the package, numpy, torch and jax, which editors and type checkers see of
their signatures, and in the README how many they are.

`python tools/stub.py` writes them; `--check` compares them with what is there, and exits 1 where they differ. It needs torch
and optax, of whose classes and functions the stubs have the arguments.
"""

from __future__ import annotations

import inspect
import operator
import re
import sys
import typing
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import thalweg as tw
from thalweg.dialects import OPTAX, TORCH
from thalweg.graph.storage import ROUNDINGS, STATE_DTYPES, Storage
from thalweg.methods import rules
from thalweg.numpy import class_name
from thalweg.ops import Epsilon
from thalweg.rule import Rule
from thalweg.torch.wrappers import WRAPPERS

ROOM = Path(tw.__file__).parent
README = ROOM.parent.parent / "README.md"
HEAD = '''# Written by tools/stub.py from the rules' signatures. Do not edit.
from collections.abc import Callable, Sequence
from typing import Any, Literal, TypeAlias, overload

import numpy.typing as npt

{imports}
from thalweg.core.stage import Stage
from thalweg.form.hyper import Former
from thalweg.ops import Epsilon

__version__: str

{decorators}

Dynamic: TypeAlias = float | Callable[[Any], Any] | Sequence[float] | npt.NDArray[Any]
"""A number, a schedule of t = 1, 2, ..., or with lanes one number each."""
'''

NUMPY_HEAD = """# Written by tools/stub.py from the rules' signatures. Do not edit.
from typing import Any, Literal

from thalweg import Dynamic, both, inside, outside
from thalweg.core.optimizer import GradFn, NonFinite, State
from thalweg.numpy.routes import routes as routes
from thalweg.numpy.saved import load_state as load_state, save_state as save_state
from thalweg.ops import Epsilon
from thalweg.rule import Rule
from thalweg.values.trees import Tree
"""
TORCH_HEAD = """# Written by tools/stub.py from the rules' signatures and the torch dialect. Do not edit.
from collections.abc import Callable
from typing import Any, Literal

import torch
from torch.optim.optimizer import ParamsT

from thalweg import Dynamic, both, inside, outside
from thalweg.ops import Epsilon
from thalweg.torch.checkpoints.saved import load_state as load_state, save_state as save_state
from thalweg.torch.hessian import hutchinson as hutchinson
from thalweg.torch.names.routes import roles as roles, routes as routes
from thalweg.rule import Rule

class Optimizer(torch.optim.Optimizer):
    def __init__(self, params: ParamsT, rule: Any, lr: Any = None, *, seed: Any = 0, {storage}) -> None: ...
    def step(self, closure: Callable[[], Any] | None = None) -> Any: ...
    def eval(self) -> None: ...
    def train(self) -> None: ...

class _OfRule(Optimizer):
    def __init__(self, params: ParamsT, lr: Dynamic | None = None, *args: Any, **options: Any) -> None: ...

def of(rule: Rule) -> type[_OfRule]: ...
"""


WORDS = {"rounding": ROUNDINGS, "state_dtype": STATE_DTYPES}
STORAGE = ", ".join(
    f"{name}: Literal[{', '.join(map(repr, words))}] = {getattr(Storage(), name)!r}" for name, words in WORDS.items()
)

DECORATORS = ("rule", "recipe", "after_step", "around")


def decorators() -> str:
    """`@rule` and the others: of a function they make a rule, of options alone what makes one."""
    lines = []
    for name in DECORATORS:
        options = list(inspect.signature(getattr(tw, name)).parameters.values())[1:]
        written = ", ".join(f"{o.name}: {o.annotation} = {o.default!r}" for o in options)
        lines += [
            f"@overload\ndef {name}(function: Callable[..., Any], /) -> Rule: ...",
            f"@overload\ndef {name}(*, {written}) -> Callable[[Callable[..., Any]], Rule]: ...",
        ]
    return "\n".join(lines)


def imports() -> str:
    """The package's own import lines, re-exported."""
    text = re.sub(
        r"import \((.*?),?\s*\)", lambda m: f"import {' '.join(m[1].split())}", (ROOM / "__init__.py").read_text(), flags=re.S
    )
    lines = [line for line in text.splitlines() if line.startswith("from thalweg")]
    exported = []
    for line in lines:
        module, _, names = line.removeprefix("from ").partition(" import ")
        kept = [
            name.strip()
            for name in names.split(",")
            if name.strip() not in ("stages_by_name", "Moved", "former as _former", *DECORATORS)
        ]
        if kept:
            exported.append(f"from {module} import {', '.join(f'{name} as {name}' for name in kept)}")
    return "\n".join(exported)


def annotation(rule: Rule, name: str) -> str:
    """A hyper-parameter's type as the stub writes it."""
    hint: Any = typing.get_type_hints(rule.function, include_extras=True).get(name)
    if get_origin(hint) is Literal:
        return f"Literal[{', '.join(repr(choice) for choice in get_args(hint))}]"
    default = rule.hyper[name].default
    if isinstance(default, Epsilon):
        return "Dynamic | Epsilon"
    if isinstance(default, float):
        return "Dynamic"
    if default is None:
        return str(hint).removeprefix("typing.") if hint is not None else "Any"
    return type(default).__name__


def declared(rule: Rule) -> str:
    """One rule as a class of its own, so that its call has its own signature."""
    arguments = "".join(f", {name}: {annotation(rule, name)} = {default(hyper.default)}" for name, hyper in rule.hyper.items())
    first_line = inspect.cleandoc(rule.doc).partition("\n")[0]
    name = "".join(part.capitalize() for part in rule.name.split("_"))
    return (
        f"class _{name}(Rule):\n"
        f'    """{first_line}"""\n\n'
        f"    def __call__(self{arguments}) -> Stage: ...\n\n"
        f"{rule.name}: _{name}\n"
    )


def in_numpy(rule: Rule) -> str:
    """The class of one rule in `thalweg.numpy`."""
    hyper = "".join(f", {name}: {annotation(rule, name)} = {default(h.default)}" for name, h in rule.hyper.items())
    options = "seed: Any = 0, nonfinite: NonFinite = 'propagate', lanes: int | None = None, fused: bool = True"
    return (
        f"class {class_name(rule)}(Optimizer):\n"
        f'    """{inspect.cleandoc(rule.doc).partition(chr(10))[0]}"""\n\n'
        f"    def __init__(self, params: Tree, lr: Dynamic = {default(rule.lr)}{hyper}, *, {options}) -> None: ...\n"
    )


def default(value: Any) -> str:
    """A default, written so that it can be read back; else three dots."""
    plain = value is None or type(value) in (bool, int, float, str, tuple, Epsilon)
    return repr(value) if plain and value not in (float("inf"), float("-inf")) else "..."


def with_used(text: str) -> str:
    """A stub that imports no more of an epsilon's places than it has."""
    used = [word for word in ("both", "inside", "outside") if f"= {word}(" in text]
    return text.replace("import Dynamic, both, inside, outside", f"import {', '.join(['Dynamic', *used])}")


def stub() -> str:
    """All of __init__.pyi."""
    every = {name: value for name, value in vars(tw).items() if isinstance(value, Rule)}
    return (
        HEAD.format(imports=imports(), decorators=decorators())
        + "\n"
        + "\n".join(declared(every[name]) for name in sorted(every))
    )


def numpy_stub() -> str:
    """All of numpy.pyi: what is written in numpy.py, then a class for each rule."""
    source = (ROOM / "numpy" / "__init__.py").read_text()
    body = source[source.index("class Optimizer:") :].partition("\n    def _set_up")[0]
    methods = re.findall(
        r"^    (@(?:property|\w+\.setter)\n    )?(def (?!_(?!_repr))\w+\(.*?\) -> [^\n]*:)\n", source, re.DOTALL | re.MULTILINE
    )
    public = [f"    {prefix}{head} ..." for prefix, head in methods if "self: Optimizer" not in head]
    init = re.search(r"    def __init__\(.*?\) -> None:", body, re.DOTALL)
    assert init is not None
    lines = [
        NUMPY_HEAD, "class Optimizer:", "    param_groups: list[dict[str, Any]]", f"{init.group()} ...", *public, "",
        "class _OfRule(Optimizer):",
        "    def __init__(self, params: Tree, lr: Dynamic | None = None, *args: Any, **options: Any) -> None: ...", "",
        "def of(rule: Rule) -> type[_OfRule]: ...", "def class_name(rule: Rule) -> str: ...", "",
        *(in_numpy(rule) for rule in rules.values()),
    ]  # fmt: skip
    return with_used("\n".join(lines))


def in_torch(rule: Rule) -> str:
    """The class of one rule in `thalweg.torch`."""
    hyper = "".join(f", {name}: {annotation(rule, name)} = {default(h.default)}" for name, h in rule.hyper.items())
    arguments = f"self, params: ParamsT, lr: Dynamic = {default(rule.lr)}{hyper}, *, seed: Any = 0, {STORAGE}"
    return (
        f"class {class_name(rule)}(Optimizer):\n"
        f'    """{inspect.cleandoc(rule.doc).partition(chr(10))[0]}"""\n\n'
        f"    def __init__({arguments}) -> None: ...\n"
    )


def shared_with_torch(name: str) -> str:
    """One of torch's own classes, its arguments and ours."""
    import torch

    head, keywords = ["self", "params: ParamsT"], []
    for parameter in list(inspect.signature(getattr(torch.optim, name).__init__).parameters.values())[2:]:
        hint = inspect.formatannotation(parameter.annotation).replace("typing.", "")
        written = f"{parameter.name}: {hint} = {parameter.default!r}"
        (keywords if parameter.kind is parameter.KEYWORD_ONLY else head).append(written)
    if TORCH[name].kernel and TORCH[name].stored:
        keywords.append(STORAGE)
    star = ["*"] if keywords else []
    return (
        f"class {name}(torch.optim.{name}):\n"
        f"    def __init__({', '.join([*head, *star, *keywords])}) -> None: ...\n"
        f"    def step(self, closure: Callable[[], Any] | None = None) -> Any: ...\n"
    )


def torch_stub() -> str:
    """All of torch.pyi: torch's classes by their names, then the general class, then one for each other rule."""
    shared = [shared_with_torch(name) for name in TORCH]
    taken = {name.lower() for name in (*TORCH, "LBFGS")}
    others = [in_torch(rule) for rule in rules.values() if class_name(rule).lower() not in taken]
    handed = "import torch\nfrom torch.optim import LBFGS as LBFGS\n"  # a rule has its name, torch its class
    head = TORCH_HEAD.replace("{storage}", STORAGE).replace("import torch\n", handed)
    around = [in_torch(stage).replace("lr: Dynamic", "rule: Any, lr: Dynamic | None") for stage in WRAPPERS.values()]
    return with_used("\n".join([head, *shared, "", *others, *around]))


JAX_HEAD = """# Written by tools/stub.py from the rules' signatures and the optax dialect. Do not edit.
from collections.abc import Callable
from typing import Any, Literal, NamedTuple

import optax

from thalweg import Dynamic, both, inside, outside
from thalweg.ops import Epsilon
from thalweg.jax.from_optax import from_optax as from_optax
from thalweg.jax.hessian import hutchinson as hutchinson
from thalweg.jax.routes import routes as routes
from thalweg.jax.saved import load_state as load_state, save_state as save_state
from thalweg.rule import Rule

class Without(NamedTuple): ...

class State(NamedTuple):
    count: Any
    memory: Any
    walked: Any = None

class Transformation(optax.GradientTransformationExtraArgs):  # type: ignore[misc]
    def ship(self, params: Any, state: State) -> Any: ...

def optimizer(rule: Any, learning_rate: Any = None, *, seed: Any = 0) -> Transformation: ...
def of(rule: Rule) -> Callable[..., Transformation]: ...

class _Contrib:
    def __getattr__(self, name: str) -> Any: ...
{contrib}

contrib: _Contrib
"""


def shared_with_optax(name: str) -> str:
    """One of optax's own functions, with its arguments; of optax.contrib's, as a method."""
    import optax

    theirs = operator.attrgetter(name)(optax)
    written, star = [], False
    for parameter in inspect.signature(theirs).parameters.values():
        if parameter.kind is parameter.KEYWORD_ONLY and not star:
            written, star = [*written, "*"], True
        value = "" if parameter.default is parameter.empty else f" = {default(parameter.default)}"
        written.append(f"{parameter.name}: Any{value}")
    if "." in name:
        written = ["self", *written]
    return f"def {name.rpartition('.')[2]}({', '.join(written)}) -> optax.GradientTransformationExtraArgs: ..."


def in_jax(rule: Rule) -> str:
    """The function of one rule in `thalweg.jax`."""
    hyper = "".join(f", {name}: {annotation(rule, name)} = {default(h.default)}" for name, h in rule.hyper.items())
    return f"def {rule.name}(learning_rate: Dynamic = {default(rule.lr)}{hyper}, *, seed: Any = 0) -> Transformation: ..."


def jax_stub() -> str:
    """All of jax.pyi: the general functions, optax's names with optax's arguments, then one for each other rule."""
    import optax

    others = [in_jax(rule) for rule in rules.values() if not hasattr(optax, rule.name)]
    contrib = "\n".join("    " + shared_with_optax(name) for name in OPTAX if "." in name)
    shared = [shared_with_optax(name) for name in OPTAX if "." not in name]
    return with_used("\n".join([JAX_HEAD.format(contrib=contrib), *shared, "", *others, ""]))


def readme() -> str:
    """The README with the number of optimizers that there are."""
    return re.sub(r"\bAll \d+ optimizers", f"All {len(rules)} optimizers", README.read_text(encoding="utf-8"))


if __name__ == "__main__":
    for target, wanted in (
        (ROOM / "__init__.pyi", stub()),
        (ROOM / "numpy" / "__init__.pyi", numpy_stub()),
        (ROOM / "torch" / "__init__.pyi", torch_stub()),
        (ROOM / "jax" / "__init__.pyi", jax_stub()),
        (README, readme()),
    ):
        if "--check" not in sys.argv:
            target.write_text(wanted, encoding="utf-8")
        elif not target.is_file() or target.read_text(encoding="utf-8") != wanted:
            sys.exit(f"{target.relative_to(ROOM.parent.parent)} is out of date: run `python tools/stub.py`")
