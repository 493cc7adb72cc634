"""`thalweg lab`: the lab's tools besides `thalweg compare`."""

from __future__ import annotations

import click

from thalweg.commands.lazy import Lazy

COMMANDS = {
    "bank": "thalweg.commands.lab.bank:bank_command",
    "merge": "thalweg.commands.lab.merge:merge_command",
    "verify": "thalweg.commands.lab.verify:verify_command",
}


@click.group("lab", cls=Lazy, where=COMMANDS)
def lab_group() -> None:
    """Measure all optimizers for the bank, merge stores of trials, and verify the lab itself."""
