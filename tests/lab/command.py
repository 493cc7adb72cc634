"""`thalweg` as the lab's tests call it."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

from click.testing import CliRunner
from support import PATIENCE

from thalweg.commands.cli import main


def thalweg(*arguments: Any) -> subprocess.CompletedProcess[str]:
    """The command, in this process: where everything is imported already, it takes a tenth of the time."""
    done = CliRunner().invoke(main, [*map(str, arguments)])
    return subprocess.CompletedProcess(["thalweg", *arguments], done.exit_code, done.stdout, done.stderr)


def fresh(*arguments: Any) -> subprocess.CompletedProcess[str]:
    """The command, in a process of its own."""
    command = [sys.executable, "-m", "thalweg.commands.cli", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)
