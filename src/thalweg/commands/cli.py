"""The command line: `thalweg COMMAND`. Each command's module is imported only when it is called."""

from __future__ import annotations

import click

import thalweg
from thalweg.commands.screen import Program

COMMANDS = {
    "compare": "thalweg.commands.compare:compare_command",
    "conformance": "thalweg.commands.conformance:conformance_command",
    "curves": "thalweg.commands.curves:curves_command",
    "advise": "thalweg.commands.advise:advise_command",
    "lab": "thalweg.commands.lab.group:lab_group",
    "playground": "thalweg.commands.playground:playground_command",
    "race": "thalweg.commands.race:race_command",
    "show": "thalweg.commands.show:show_command",
    "list": "thalweg.commands.listing:list_command",
}


@click.group(cls=Program, where=COMMANDS, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(thalweg.__version__, prog_name="thalweg")
def main() -> None:
    """Gradient-descent optimizers, each written once, and a lab that compares them fairly."""


if __name__ == "__main__":
    main()
