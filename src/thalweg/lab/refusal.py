"""What a command says when it is asked for what it cannot do."""

from __future__ import annotations

import click


class Refusal(click.ClickException):
    """One sentence on the error stream, and exit code 2."""

    exit_code = 2
