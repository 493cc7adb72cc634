"""`thalweg show NAME`: one optimizer on one screen."""

from __future__ import annotations

import ast
import inspect
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import click
import numpy as np
from rich import box
from rich.console import Group, RenderableType
from rich.markup import escape
from rich.padding import Padding
from rich.syntax import Syntax
from rich.table import Table
from rich.text import Text

from thalweg.commands import difference
from thalweg.commands.curves import picture
from thalweg.commands.listing import aliases
from thalweg.commands.screen import Screen
from thalweg.commands.types import PLACE
from thalweg.core.leaf import Leaf
from thalweg.core.optimizer import Optimizer
from thalweg.engines.drawn import drawn, in_words
from thalweg.engines.triton.drawn import drawn as on_cuda
from thalweg.form.asks import ASKS
from thalweg.form.hyper import Hyper, nearest
from thalweg.form.memory import Kind
from thalweg.graph.cost import Cost, word_kind
from thalweg.graph.program import NotTraced, stage_paths
from thalweg.lab.bank import standing
from thalweg.lab.refusal import Refusal
from thalweg.lab.user import my_rule
from thalweg.methods import ALIASES, family, instead, plain, rules, stages_by_name
from thalweg.ops import Epsilon
from thalweg.rule import Rule
from thalweg.values.numerals import typed

WIDTH = 132  # columns when the output is no terminal
DIFFERS = "Differs from "


def find(name: str) -> Rule:
    """The rule or stage of this name. Raises Refusal with the nearest name if there is none."""
    found = rules.get(name) or {plain(stage): stages_by_name[stage] for stage in stages_by_name}.get(plain(name))
    if found is None:
        near = instead(name) or nearest(name.lower(), [*rules, *ALIASES, *stages_by_name])
        raise Refusal(f"no optimizer is called {name!r}{near}")
    return found


def memory_words(kind: Kind) -> str:
    """Describe a memory slot in words."""
    return kind.words.format(value=kind.value, size=kind.size) + (f", {kind.dtype}" if kind.dtype else "")


def values_words(hyper: Hyper) -> str:
    """Describe the values that a hyper-parameter takes, and those among which it is tuned if it says so."""
    tuned = f"; searched from {typed(hyper.search.low)} to {typed(hyper.search.high)} by --tune all" if hyper.search else ""
    return f"{_values_words(hyper)}{tuned}"


def _values_words(hyper: Hyper) -> str:
    if isinstance(hyper.default, Epsilon):
        return f"{str(hyper.range).replace('x', hyper.name, 1)}; {', '.join(hyper.choices)}"
    if hyper.choices:
        return ", ".join(str(choice) for choice in hyper.choices)
    if hyper.range is None:
        return {int: "a whole number", float: "any number", str: "a text"}.get(type(hyper.default), "None, or a number")
    return str(hyper.range).replace("x", hyper.name, 1)


def notes(rule: Rule) -> tuple[str, str]:
    """The docstring without its first line: notes on the rule and on differences between libraries."""
    body = family.without_origin(rule.doc.partition("\n")[2]).strip()
    about, found, differences = body.partition(DIFFERS)
    return about.strip(), found + differences


def source(rule: Rule) -> str:
    """The source of the rule without its docstring, which is shown separately."""
    if (written := getattr(rule.function, "written", None)) is not None:
        return str(written)
    lines = textwrap.dedent(inspect.getsource(rule.function)).splitlines()
    function = ast.parse("\n".join(lines)).body[0]
    assert isinstance(function, ast.FunctionDef)
    first = function.body[0]
    if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and first.end_lineno is not None:
        del lines[first.lineno - 1 : first.end_lineno]
    return "\n".join(lines)


def page(rule: Rule) -> Iterator[RenderableType]:
    """The parts of the page, in order."""
    about, differences = notes(rule)
    yield Text(rule.name, style="bold") + Text(f"  {rule.paper}", style="default")
    if aliases(rule.name):
        yield Text(f"also called {', '.join(aliases(rule.name))}", style="dim")
    if about:
        yield from _part("About", Text(about))
    if (grew := family.origin(rule)).change:
        yield from _part(
            "From", Text(f"{' and '.join(grew.parents)}: {grew.change}; compare: thalweg show {grew.parents[0]} {rule.name}")
        )
    yield from _part("Formula", _formula(rule))
    yield from _part("Asks for", _pairs([(word, ASKS[word].says) for word in rule.asks]))
    yield from _part("Memory", _pairs([(slot, memory_words(kind)) for slot, kind in rule.memory.items()]))
    yield from _part("Hyper-parameters", _hyper(rule))
    yield from _part("Cost", Text(_cost(rule)))
    yield from _part("Kernel", Text(_kernels(Optimizer(rule, lr=rule.lr or 1.0))))
    if (known := standing.shipped()) is not None and rules.get(rule.name) is rule:
        yield from _part("Measured", Text("\n".join(known.sentences(rule.name))))
    if differences:
        yield from _part("Between libraries", Text(differences))
    yield from _part("Source", Syntax(source(rule), "python", background_color="default", word_wrap=True))


def _kernels(optimizer: Optimizer) -> str:
    """How many passes a step takes on the CPU and on CUDA, or why there is no kernel."""
    here, there = in_words(optimizer), in_words(optimizer, on_cuda)
    if here != there:
        return f"{here}\non CUDA {there}"
    return here if here.startswith("none") else f"{here}, on CUDA too"


def _part(title: str, content: RenderableType) -> Iterator[RenderableType]:
    yield Text(f"\n{title}", style="bold")
    yield Padding(content, (0, 0, 0, 2))


def _formula(rule: Rule) -> RenderableType:
    """The formula with left and right sides in separate columns, so that a long right side wraps in its own."""
    parts: list[RenderableType] = []
    made: Table | None = None
    for line in rule.formula().plain.splitlines():
        if line.endswith(":"):  # the parameters that the lines below apply to
            parts.append(Text(line))
            made = None
            continue
        if made is None:
            made = Table.grid(padding=(0, 1))
            made.add_column(no_wrap=True)
            parts.append(made)
        left, equals, right = line.partition(" = ")
        made.add_row(escape(left.rstrip()), escape(f"{equals.strip()} {right}"))
    return Group(*parts)


def _pairs(rows: list[tuple[str, str]]) -> RenderableType:
    if not rows:
        return Text("nothing")
    made = Table.grid(padding=(0, 3))
    for name, words in rows:
        made.add_row(escape(name), escape(words))
    return made


def _hyper(rule: Rule) -> RenderableType:
    made = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for title in ("name", "default", "values"):
        made.add_column(title)
    if rule.lr is not None:
        search = "not tuned" if rule.search is None else "searched from {} to {}, log-uniformly".format(*map(typed, rule.search))
        made.add_row("lr", typed(rule.lr), f"lr >= 0; {search}")
    for hyper in rule.hyper.values():
        default = typed(hyper.default) if isinstance(hyper.default, float) else str(hyper.default)
        made.add_row(*(escape(cell) for cell in (hyper.name, default, values_words(hyper))))
    return made if made.row_count else Text("none")


def _cost(rule: Rule) -> str:
    cost = rule.cost()
    branches = [f"\nwhere {where}: {_cost_words(branch)}" for where, branch in cost.branches]
    return f"for each float32 parameter: {''.join(branches) or _cost_words(cost)} ({word_kind(rule())})"


def _cost_words(cost: Cost) -> str:
    return (
        f"{cost.state_per_parameter:g} kept ({cost.state_bytes:g} bytes); in a step "
        f"{cost.bytes_moved:g} bytes moved, {cost.operations} operations"
    )


def kernel_text(rule: Rule) -> str:
    """The source of a step's kernels for float32 parameters. Raises Refusal if the rule has none."""
    optimizer = Optimizer(rule, lr=rule.lr or 1.0)
    if optimizer.asks_gradients:
        raise Refusal(f"{rule.name} asks for gradients at several points, so that no loop is its whole step")
    p = np.zeros((2, 2), np.float32)
    try:
        made = drawn(optimizer, stage_paths(optimizer, Leaf("p", p.shape, p, p, 0, None, p)), "float32")
        return "\n\n".join(kernel.text for kernel in made.kernels)
    except NotTraced as reason:
        raise Refusal(f"{rule.name} has no kernel: {reason}") from None


@click.command("show")
@click.argument("names", nargs=-1, required=True, metavar="NAME [OTHER]")
@click.option("--kernel", is_flag=True, help="Print the kernels that Numba compiles for it, for float32 parameters.")
@click.option("--curves/--no-curves", default=True, help="Of two: whether to train both, and show their losses.")
@click.option("--out", type=PLACE, metavar="FILE", help="Of two: draw the curves, too: .png, .svg or .pdf.")
def show_command(names: tuple[str, ...], kernel: bool, curves: bool, out: Path | None) -> None:
    """Show an optimizer: paper, formula, state, hyper-parameters, cost and source.

    NAME is an optimizer or stage, or a Python file with rules of your own, or one of them as FILE.py:NAME.

    With two names, show what makes one of the other: the difference of their formulas, term by term, what each takes, and the
    losses when both train a small network.
    """
    asked = [rule for name in names for rule in _of(name)]
    if len(names) == 1:
        for rule in asked:
            _show(rule, kernel)
    elif len(names) > 2:
        raise Refusal(
            f"show takes one optimizer, or two to compare, not {len(names)}; `thalweg compare --rules a,b,c` takes many"
        )
    elif len(asked) > 2:
        raise Refusal("a file with several rules stands for none of them: write FILE.py:NAME")
    elif kernel:
        raise Refusal("--kernel is for one optimizer")
    else:
        _show_both(*difference.in_order(*asked), curves, None if out is None else picture(out))


def _of(name: str) -> list[Rule]:
    return _of_file(name) if my_rule.place(Path(name))[0].suffix == ".py" else [find(name)]


def _show_both(first: Rule, second: Rule, curves: bool, out: Path | None) -> None:
    console = Screen(width=None if sys.stdout.isatty() else WIDTH, highlight=False)
    for part in difference.parts(first, second, console.color_system is not None):
        console.print(part)
    if not curves:
        return
    if {first.name, second.name} - set(rules):
        console.print("\nFor curves of rules of your own: thalweg curves --my-rule FILE.py --rules A,B", markup=False)
        return
    for part in difference.curves(first, second, out):
        console.print(part)
    if out is not None:
        console.print(f"written to {out}", markup=False, soft_wrap=True)


def _of_file(name: str) -> list[Rule]:
    """The rules in a user's file. Raises Refusal if it defines none."""
    given = my_rule.declared(Path(name))
    return [my_rule.checked(Path(name), rule) if rule.lr is not None else rule for rule in given.values()]


def _show(rule: Rule, kernel: bool) -> None:
    if kernel:
        click.echo(kernel_text(rule), nl=False)
        return
    console = Screen(width=None if sys.stdout.isatty() else WIDTH, highlight=False)
    for part in page(rule):
        console.print(part)
