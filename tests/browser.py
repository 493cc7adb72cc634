"""Pages in a real browser, where there is one."""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from support import PATIENCE

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
NEEDS_ONE = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed")


def shown(page: str, then: str, folder: Path, width: int = 1200) -> str:
    """The document after `then` has run in it; raises where the console had an error."""
    path = folder / "page.html"
    told = "<script>addEventListener('error', (e) => { document.title = `error: ${e.message}`; });</script>"
    path.write_text(
        page.replace("<head>", f"<head>{told}").replace("</body>", f"<script>{then}</script></body>"), encoding="utf-8"
    )
    command = [
        *(str(CHROMIUM), "--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr", f"--window-size={width},900"),
        *("--virtual-time-budget=2000", "--dump-dom", f"--user-data-dir={folder / 'profile'}", path.as_uri()),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 0, done.stderr
    assert not re.findall(r"CONSOLE.*", done.stderr), done.stderr
    assert "<title>error" not in done.stdout
    return done.stdout


def found(text: str) -> dict[str, Any]:
    """What a script has put into `document.body.dataset.found`, as JSON."""
    (value,) = re.findall(r'data-found="([^"]*)"', text)
    read: dict[str, Any] = json.loads(html.unescape(value))
    return read
