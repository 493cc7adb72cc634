"""The outcome of the checks as HTML, Markdown and JSON."""

from __future__ import annotations

import json
import math
import platform
from collections.abc import Sequence
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

import thalweg
from thalweg.lab.verify.check import Check, Line
from thalweg.values.atomic import atomic_write

HEAD = ("what", "found", "expected", "difference", "", "remark")


def write(checks: Sequence[Check], quick: bool, out: Path) -> None:
    """Write verify.html, verify.md and verify.json into the folder, created if necessary. Raises OSError on failure."""
    out.mkdir(parents=True, exist_ok=True)
    for name, text in (("html", html(checks, quick)), ("md", markdown(checks, quick)), ("json", as_json(checks, quick))):
        with atomic_write(out / f"verify.{name}") as file:
            file.write(text)


def cells(line: Line) -> list[str]:
    """The table cells of a line. A difference has a sign and as many digits as its numbers."""
    expected = "" if line.expected is None else f"{line.expected:.{line.digits}f}"
    difference = "" if line.difference is None else f"{line.difference:+.{line.digits}f}"
    if difference and not difference.strip("+-0."):
        difference = "0"
    return [line.what, f"{line.found:.{line.digits}f}", expected, difference, line.word, line.note]


def verdict(checks: Sequence[Check], quick: bool) -> str:
    """The outcome of all checks in one sentence."""
    failed = [check.title for check in checks if not check.holds]
    count = sum(line.holds is not None for check in checks for line in check.lines)
    small = " (in the quick form, with smaller runs)" if quick else ""
    if failed:
        return f"Some checks failed{small}: {', '.join(failed)}."
    return f"All {count} lines that can fail hold{small}; the others are marked as reported."


def section(check: Check) -> str:
    """A check in Markdown."""
    rows = [HEAD, ("---", "---:", "---:", "---:", "---", "---"), *map(cells, check.lines)]
    table = "\n".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |" for row in rows)
    return f"## {check.title}\n\n{check.about}\n\nSource: {check.source}.\n\n**{check.conclusion}**\n\n{table}\n"


def markdown(checks: Sequence[Check], quick: bool) -> str:
    """The page in Markdown, as in `docs/verify.md`."""
    begin = "# The lab, checked against known results\n\nWritten by `thalweg lab verify`; do not edit."
    return "\n".join([f"{begin} {verdict(checks, quick)}\n", *map(section, checks)])


def html(checks: Sequence[Check], quick: bool) -> str:
    """The page as self-contained HTML."""
    environment = Environment(
        loader=PackageLoader("thalweg.lab.verify", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("page.html.j2").render(
        checks=checks, verdict=verdict(checks, quick), cells=cells, head=HEAD, made=_environment()
    )


def as_json(checks: Sequence[Check], quick: bool) -> str:
    """All results in full precision."""
    told = [{**asdict(check), "lines": [_plain(line) for line in check.lines], "holds": check.holds} for check in checks]
    return json.dumps({"quick": quick, "environment": _environment(), "checks": told}, indent=1, allow_nan=False)


def _plain(line: Line) -> dict[str, Any]:
    """A number for JSON: None if it is not finite."""
    return {key: None if isinstance(value, float) and not math.isfinite(value) else value for key, value in asdict(line).items()}


def _environment() -> dict[str, str]:
    packages = {name: version(name) for name in ("numpy", "scipy", "scikit-learn")}
    return {"thalweg": thalweg.__version__, "python": platform.python_version(), **packages}
