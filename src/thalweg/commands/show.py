"""`thalweg show NAME`: one optimizer on one screen."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import click
from rich import box
from rich.console import Group, RenderableType
from rich.markup import escape
from rich.padding import Padding
from rich.syntax import Syntax
from rich.table import Table
from rich.text import Text

from thalweg.commands import difference
from thalweg.commands.curves import picture
from thalweg.commands.facts import (
    cost_words,
    default_words,
    kernel_text,
    kernels,
    memory_words,
    notes,
    rate_words,
    source,
    values_words,
)
from thalweg.commands.listing import aliases
from thalweg.commands.screen import Screen
from thalweg.commands.types import PLACE
from thalweg.dialects.by_rule import differing
from thalweg.form.asks import ASKS
from thalweg.form.hyper import nearest
from thalweg.lab.bank import standing
from thalweg.lab.refusal import Refusal
from thalweg.lab.user import my_rule
from thalweg.methods import ALIASES, family, instead, plain, rules, stages_by_name
from thalweg.rule import Rule
from thalweg.values.numerals import typed

WIDTH = 132  # columns when the output is no terminal


def find(name: str) -> Rule:
    """The rule or stage of this name. Raises Refusal with the nearest name if there is none."""
    found = rules.get(name) or {plain(stage): stages_by_name[stage] for stage in stages_by_name}.get(plain(name))
    if found is None:
        near = instead(name) or nearest(name.lower(), [*rules, *ALIASES, *stages_by_name])
        raise Refusal(f"no optimizer is called {name!r}{near}")
    return found


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
    yield from _part("Cost", Text(cost_words(rule)))
    yield from _part("Kernel", Text(kernels(rule)))
    if (known := standing.shipped()) is not None and rules.get(rule.name) is rule:
        yield from _part("Measured", Text("\n".join(known.sentences(rule.name))))
    elsewhere = differing(rule.name) if rules.get(rule.name) is rule else []
    if differences or elsewhere:
        told = "\n".join(filter(None, (differences, *elsewhere)))
        yield from _part("Between libraries", Text(told))
    yield from _part("Source", Syntax(source(rule), "python", background_color="default", word_wrap=True))


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
        made.add_row("lr", typed(rule.lr), rate_words(rule))
    for hyper in rule.hyper.values():
        made.add_row(*(escape(cell) for cell in (hyper.name, default_words(hyper), values_words(hyper))))
    return made if made.row_count else Text("none")


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
        if out is not None:
            raise Refusal("--out draws the losses of two optimizers: name another one")
        for rule in asked:
            _show(rule, kernel)
        return
    _refuse_pair(names, asked, kernel)
    if out is not None and not curves:
        raise Refusal("--out draws the curves, which --no-curves leaves out: give one of the two")
    _show_both(*difference.in_order(*asked), curves, None if out is None else picture(out))


def _refuse_pair(names: tuple[str, ...], asked: list[Rule], kernel: bool) -> None:
    """Raise Refusal for what is no pair of optimizers."""
    if len(names) > 2:
        raise Refusal(
            f"show takes one optimizer, or two to compare, not {len(names)}; `thalweg compare --rules a,b,c` takes many"
        )
    if len(asked) > 2:
        raise Refusal("a file with several rules stands for none of them: write FILE.py:NAME")
    if kernel:
        raise Refusal("--kernel is for one optimizer")
    if asked[0] is asked[1]:
        raise Refusal(f"{names[0]} and {names[1]} are the same optimizer")


def _of(name: str) -> list[Rule]:
    return _of_file(name) if my_rule.place(Path(name))[0].suffix == ".py" else [find(name)]


def _show_both(first: Rule, second: Rule, curves: bool, out: Path | None) -> None:
    console = Screen(width=None if sys.stdout.isatty() else WIDTH, highlight=False)
    for part in difference.parts(first, second, console.color_system is not None):
        console.print(part)
    if not curves:
        return
    if not (difference.known(first) and difference.known(second)):
        own = any(not rule.ours for rule in (first, second))
        said = "For curves of rules of your own: thalweg curves --my-rule FILE.py --rules A,B"
        console.print(f"\n{said}" if own else "\nA stage alone does not train, and has no curves.", markup=False)
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
