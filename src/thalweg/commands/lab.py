"""`thalweg lab`: the lab's tools besides `thalweg compare`."""

from __future__ import annotations

import click

from thalweg.commands.lazy import Lazy

COMMANDS = {
    "merge": "thalweg.commands.lab_merge:merge_command",
    "verify": "thalweg.commands.lab_verify:verify_command",
}


@click.group("lab", cls=Lazy, where=COMMANDS)
def lab_group() -> None:
    """Merge stores of trials, and verify the lab itself."""
