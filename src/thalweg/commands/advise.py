"""`thalweg advise`: what to try first for a kind of problem."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from thalweg import lab
from thalweg.commands.screen import Screen
from thalweg.commands.types import PLACE
from thalweg.lab.bank import table
from thalweg.lab.bank.kinds import KINDS

WIDTH = 160  # columns when the output is no terminal


@click.command("advise")
@click.argument("kind", required=False)
@click.option("--problem-like", "problem", metavar="NAME", help="A problem of the lab that yours is like.")
@click.option("--data", type=PLACE, help="Your own data: a table (.csv, .tsv, .txt, .parquet), or arrays x and y (.npz).")
@click.option("--target", help="The column of --data to predict, if it is a table.")
@click.option("--task", type=click.Choice(["classification", "regression"]), help="The task, if the column does not say it.")
@click.option("--bank", type=PLACE, metavar="FILE", help="A bank made by `thalweg lab bank`.  [default: the one shipped]")
@click.option("--kinds", is_flag=True, help="List the kinds and exit.")
def advise_command(
    kind: str | None,
    problem: str | None,
    data: Path | None,
    target: str | None,
    task: str | None,
    bank: Path | None,
    kinds: bool,
) -> None:
    """Say which optimizer to try first, by what has been measured before. Trains nothing.

    KIND is a kind of problem, such as 'small images', 'tabular classification', 'regression' or 'ill-conditioned'.
    Without one, the advice is over all of the lab's problems with data.
    """
    if kinds:
        there = set(table.read(bank or table.SHIPPED).problems)
        for name, each in KINDS.items():
            lacks = "" if there & set(each.problems) else "  (not in the bank)"
            click.echo(f"{name:24} {each.about}: {', '.join(each.problems)}{lacks}")
        return
    found = lab.advise(problem, kind=kind, data=data, target=target, task=task, bank=bank)
    wide = Screen(width=None if sys.stdout.isatty() else WIDTH)
    ranking, answer = found.tables(wide.width)
    wide.print(ranking)
    wide.print()
    wide.print(answer)
