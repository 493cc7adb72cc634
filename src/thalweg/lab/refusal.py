"""A request that cannot be met, and a user's text as a message shows it."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path

import click

CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""Control characters, and stand-ins for bytes that are not text, except line ends and tabs."""


def plain(text: str) -> str:
    """The text without control characters and stand-ins for bytes that are not text."""
    return CONTROLS.sub("\ufffd", text)


class Refusal(click.ClickException):
    """Raised for a request that cannot be fulfilled. The command line prints its sentence and exits with code 2."""

    exit_code = 2


class Ending(Refusal):
    """Raised where something is wrong that no further trial can mend: it ends the comparison."""


class Changed(Ending):
    """Raised where a file or version is not the one that a comparison began with."""


def working_folder() -> Path:
    """The working folder. Raises Refusal if it has been deleted."""
    try:
        return Path.cwd()
    except OSError as error:
        raise Refusal("the working folder does not exist any more; change to another one") from error


def writable(out: Path) -> Path:
    """A folder for results, created if necessary and tested. Raises Refusal if it is not writable."""
    try:
        out.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=out):
            pass
    except OSError as error:
        raise Refusal(f"{out}: cannot write there ({error.strerror}); choose another folder with --out") from error
    return out


class Stopped(KeyboardInterrupt):
    """A comparison was interrupted, and `report` is the report of what was finished."""

    def __init__(self, report: Path) -> None:
        super().__init__()
        self.report = report
