"""`thalweg list`: the catalogue as a table."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass

import click
from rich import box
from rich.markup import escape
from rich.table import Table
from rich.text import Text
from rich.tree import Tree

from thalweg.commands.screen import Screen
from thalweg.commands.types import Real
from thalweg.graph.cost import Cost, word_kind
from thalweg.lab.bank import standing
from thalweg.lab.bank.evidence import Place
from thalweg.lab.refusal import Refusal
from thalweg.methods import ALIASES, family, rules
from thalweg.rule import Rule
from thalweg.values.numerals import typed

KINDS = ("element-wise", "tensor-norms", "matrices", "whole-model")
WIDTH = 240  # columns when the output is no terminal: each row on one line, for grep
ROOMY = 110


@dataclass(frozen=True)
class Entry:
    """A row of the catalogue."""

    rule: Rule
    kind: str
    cost: Cost
    place: Place | None

    @classmethod
    def of(cls, rule: Rule) -> Entry:
        known = standing.shipped()
        place = known.places["tuned"].get(rule.name) if known else None
        return cls(rule, word_kind(rule()).replace(" ", "-"), rule.cost(), place)

    @property
    def measured(self) -> str:
        """The measured place, with its interval."""
        return f"{self.place.place} [{self.place.low}-{self.place.high}]" if self.place else ""

    @property
    def aliases(self) -> list[str]:
        return aliases(self.rule.name)

    def mentions(self, text: str) -> bool:
        """Whether the name, an alias or the docstring contains the text, ignoring case."""
        return text.casefold() in "\n".join([self.rule.name, *self.aliases, self.rule.doc]).casefold()


def aliases(name: str) -> list[str]:
    """The aliases of a rule."""
    return [alias for alias, meant in ALIASES.items() if meant == name]


def years(text: str) -> range:
    """Parse '2015', '2014-2018', '2015-' or '-2010' as a range of years. Raises Refusal for anything else."""
    found = re.fullmatch(r"(\d{4})?(-)?(\d{4})?", text.strip())
    if not found or not (found[1] or found[3]) or (found[1] and found[3] and not found[2]):
        raise Refusal(f"--year takes a year or a span of years, such as 2015, 2014-2018 or 2015-, not {text!r}.")
    first = int(found[1] or 0)
    return range(first, (int(found[3]) if found[3] else 9999 if found[2] else first) + 1)


def short_source(rule: Rule) -> str:
    """The paper without the method's name: the text in brackets in the docstring's first line."""
    found = re.search(r"\((.*)\)", rule.paper)
    return found[1] if found else rule.paper


def table(entries: list[Entry], width: int) -> Table:
    """The rich table of `thalweg list`. A narrow table omits the kind, for which there is --kind."""
    made = Table(box=box.SIMPLE_HEAD, show_edge=False, padding=(0, 2, 0, 0))
    roomy = width >= ROOMY
    for title in ("name", "kind", "asks for") if roomy else ("name", "asks for"):
        made.add_column(title, no_wrap=True)
    for title in ("year", "state\n/param", "bytes\n/step", "lr", "place"):
        made.add_column(title, justify="right", no_wrap=True)
    made.add_column("paper")  # this column shrinks: its cells do not wrap and are cut
    for entry in entries:
        rule = entry.rule
        words = [rule.name, entry.kind, " ".join(rule.asks)] if roomy else [rule.name, " ".join(rule.asks)]
        cost = [f"{entry.cost.state_per_parameter:g}", f"{entry.cost.bytes_moved:g}"]
        numbers = [str(rule.year or ""), *cost, typed(rule.lr or 0.0), entry.measured]
        paper = Text(short_source(rule), no_wrap=True, overflow="ellipsis")
        made.add_row(*(escape(cell) for cell in (*words, *numbers)), paper)
    return made


def grown(name: str) -> Tree:
    """A rule and all that grew from it, each with its year and what it changes."""
    made = Tree(Text.assemble((name, "bold"), (f"  {rules[name].year}", "dim"), f"  {family.change(name)}"))
    made.children = [grown(child) for child in family.children(name)]
    return made


@click.command("list")
@click.option(
    "--kind", type=click.Choice(KINDS), help="Show only this kind of rule: what it reads beyond a coordinate's own gradient."
)
@click.option("--search", metavar="TEXT", help="Show only rules whose name, paper or notes contain this text.")
@click.option("--year", "span", metavar="YEARS", help="Show only rules published in these years: 2015, 2014-2018, 2015-.")
@click.option("--memory", type=Real(0), metavar="N", help="Show only rules with at most N numbers of state per parameter.")
@click.option("--sort", type=click.Choice(["name", "year", "memory", "bytes", "place"]), default="name", show_default=True,
              help="Sort by this column.")  # fmt: skip
@click.option("--tree", is_flag=True, help="Show all rules as a family tree: each under the one that it grew from.")
def list_command(kind: str | None, search: str | None, span: str | None, memory: float | None, sort: str, tree: bool) -> None:
    """List the optimizers: inputs, state, memory traffic and measured place.

    State is counted in numbers per parameter. Memory traffic is the bytes that a step moves per float32 parameter. The place is
    that by the lab's bank, tuned, with its 95 % interval over small data sets; `thalweg advise` says what it means.
    """
    if tree:
        if kind or search or span or memory is not None or sort != "name":
            raise Refusal("--tree shows all rules, each under its parent; it takes no other option")
        console = Screen(width=None if sys.stdout.isatty() else WIDTH, highlight=False)
        for root in family.roots():
            console.print(grown(root))
        return
    entries = [Entry.of(rule) for rule in rules.values()]
    if kind is not None:
        entries = [e for e in entries if e.kind == kind]
    if search is not None:
        entries = [e for e in entries if e.mentions(search)]
    if span is not None:
        wanted = years(span)
        entries = [e for e in entries if e.rule.year in wanted]
    if memory is not None:
        entries = [e for e in entries if e.cost.state_per_parameter <= memory]
    keys = {
        "name": lambda e: (e.rule.name,), "year": lambda e: (e.rule.year or 0, e.rule.name),
        "memory": lambda e: (e.cost.state_per_parameter, e.rule.name), "bytes": lambda e: (e.cost.bytes_moved, e.rule.name),
        "place": lambda e: (e.place.place if e.place else len(rules) + 1, e.rule.name),
    }  # fmt: skip
    console = Screen(width=None if sys.stdout.isatty() else WIDTH, highlight=False)
    if not entries:
        console.print("no optimizer fits")
        return
    console.print(table(sorted(entries, key=keys[sort]), console.width))
    console.print(f"\n{len(entries)} of {len(rules)} optimizers; `thalweg show NAME` tells more of one")
