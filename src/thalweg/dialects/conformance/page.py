"""The table as Markdown, HTML and JSON."""

from __future__ import annotations

import json
import math
import platform
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined

import thalweg
from thalweg.dialects.conformance.defects import DEFECTS, Defect
from thalweg.dialects.conformance.measure import EQUAL, VERDICTS, Line
from thalweg.dialects.conformance.stream import STEPS
from thalweg.dialects.method import dialect
from thalweg.values.atomic import atomic_write

HEAD = ("optimizer", "options", "from the paper's rule", "from the dialect", "what differs")
BEGIN, END = "<!-- begin: thalweg conformance -->", "<!-- end: thalweg conformance -->"
"""Where in a page of Markdown the table belongs."""


def number(x: float | None) -> str:
    """A relative difference in a cell."""
    if x is None or math.isnan(x):
        return "-" if x is None else "NaN"
    return f"< {EQUAL:.0e}".replace("e-0", "e-") if x < EQUAL else f"{x:.2g}"


def what(line: Line) -> str:
    """What differs, in a cell: the cause, what remains, or why there is no number."""
    if line.error:
        return f"it raised {line.error}"
    told = [line.cause] if line.verdict != "equal" else []
    remains = [line.remains] if line.remains and "nearly" in line.verdict else []
    unknown = ["not what our rows say of another version"] if line.verdict == "open" else []
    return "; ".join(word for word in (*told, *remains, *unknown) if word)


def cells(line: Line) -> list[str]:
    """The cells of a line, without its library."""
    return [line.name, line.options, number(line.apart), number(line.left), what(line)]


def sections(lines: Sequence[Line]) -> dict[str, list[Line]]:
    """The lines by library and version, in their order."""
    found: dict[str, list[Line]] = {}
    for line in lines:
        found.setdefault(f"{line.library} {line.version}", []).append(line)
    return found


def _counted(count: int, one: str, several: str) -> str:
    return f"{count} {one if count == 1 else several}"


def summary(lines: Sequence[Line]) -> str:
    """All lines in one sentence."""
    counts = Counter(line.verdict for line in lines)
    methods = {(line.library, line.name) for line in lines}
    same, differ = counts["equal"] + counts["nearly equal"], counts["explained"] + counts["nearly explained"]
    failed = [f"{counts[word]} {word}" for word in ("open", "failed") if counts[word]]
    libraries = _counted(len(sections(lines)), "library", "libraries")
    told = f"{libraries}, {_counted(len(methods), 'optimizer', 'optimizers')}, {len(lines)} rows: {same} compute the paper's rule"
    told += f" ({counts['nearly equal']} of them up to float32 or a second epsilon), {differ} another one, which their dialect"
    told += f" explains ({counts['nearly explained']} up to float32 or a second epsilon)"
    return f"{told}{'; ' if failed else ''}{', '.join(failed)}."


def defects(lines: Sequence[Line]) -> list[Defect]:
    """The known defects of the optimizers that were measured, and those of the same libraries that no dialect has."""
    names = {(line.library, line.name) for line in lines}
    own = [defect for defect in DEFECTS if defect.library in {line.library for line in lines}]
    return [it for it in own if (it.library, it.name) in names or it.name not in dialect(it.library)]


def section(title: str, lines: Sequence[Line]) -> str:
    """A library in Markdown."""
    rows = [HEAD, ("---", "---", "---:", "---:", "---"), *map(_marked, lines)]
    return f"## {title}\n\n" + "\n".join(f"| {' | '.join(row)} |" for row in rows) + "\n"


def _marked(line: Line) -> list[str]:
    name, options, *numbers, words = cells(line)
    return [f"`{_cell(name)}`", f"`{_cell(options)}`" if options else "", *numbers, _cell(words)]


def _cell(text: str) -> str:
    """A text in a cell of Markdown: on one line, without what would end the cell or begin a tag."""
    plain = " ".join(text.split()).replace("`", "'").replace("|", "\\|")
    return plain.replace("&", "&amp;").replace("<", "&lt;")


def markdown(lines: Sequence[Line]) -> str:
    """The table in Markdown, with the defects."""
    parts = [summary(lines) + "\n", *(section(title, own) for title, own in sections(lines).items())]
    found = [_defect(one) for one in defects(lines)]
    return "\n".join([*parts, *(["## Defects found\n", *found] if found else [])])


def _defect(one: Defect) -> str:
    shown = f"```py\n{one.code}```\n\nIt prints\n\n```text\n{one.prints}\n```\n"
    return f"### {one.library} {one.version}: {one.name}\n\n{one.says}\n\n{shown}"


def between(page: str, lines: Sequence[Line]) -> str:
    """The page with the table between its marks; a page without marks is replaced."""
    if BEGIN not in page or END not in page:
        return f"# Who computes what\n\n{BEGIN}\n\n{markdown(lines)}\n{END}\n"
    before, _, rest = page.partition(BEGIN)
    return f"{before}{BEGIN}\n\n{markdown(lines)}\n{END}{rest.partition(END)[2]}"


def html(lines: Sequence[Line]) -> str:
    """The page as self-contained HTML. All text is escaped."""
    environment = Environment(
        loader=PackageLoader("thalweg.dialects.conformance", "."), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip
    return environment.get_template("page.html.j2").render(
        sections=sections(lines), summary=summary(lines), cells=cells, head=HEAD, defects=defects(lines), verdicts=VERDICTS,
        made=_made(), steps=STEPS,
    )  # fmt: skip


def as_json(lines: Sequence[Line]) -> str:
    """All results in full precision."""
    told = [{**{k: _plain(v) for k, v in asdict(line).items()}, "verdict": line.verdict} for line in lines]
    return json.dumps({"environment": _made(), "steps": STEPS, "verdicts": VERDICTS, "lines": told}, indent=1, allow_nan=False)


def _plain(value: Any) -> Any:
    """A value for JSON: None for a number that is not finite."""
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _made() -> dict[str, str]:
    return {"thalweg": thalweg.__version__, "python": platform.python_version(), "numpy": np.__version__}


def write(path: Path, text: str) -> None:
    """Write a file whole or not at all. Raises OSError."""
    with atomic_write(path) as file:
        file.write(text)
