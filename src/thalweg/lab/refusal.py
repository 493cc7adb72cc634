"""What a command says when it is asked for what it cannot do."""

from __future__ import annotations

import tempfile
from pathlib import Path

import click


class Refusal(click.ClickException):
    """One sentence on the error stream, and exit code 2."""

    exit_code = 2


def writable(out: Path) -> Path:
    """A folder for results, made if need be and tried out. Raises Refusal where nothing can be written."""
    try:
        out.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=out):
            pass
    except OSError as error:
        raise Refusal(f"{out}: cannot write there ({error.strerror}); choose another folder with --out") from error
    return out
