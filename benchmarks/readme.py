"""`python -m benchmarks.readme`: what the README says of speed, measured and worded."""

from __future__ import annotations

import hashlib
import json
import statistics
import time
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import Progress

from benchmarks import rivals, shapes, timing
from benchmarks.__main__ import CORES, Found, machine, measure, only

ROOT = Path(__file__).parent.parent
README, KEPT = ROOT / "README.md", ROOT / ".measured.json"
BEGIN, END = "<!-- measured by `python -m benchmarks.readme --write` -->\n", "<!-- /measured -->"
COLUMNS = {
    "floor": "of that floor",
    "numpy": "NumPy, as written by hand",
    "torch loop": "torch for-loop",
    "torch foreach": "foreach",
    "torch fused": "fused",
    "torch compile": "compiled",
    "optax": "optax, jitted",
}
LISTS = {
    "16M": "one array of 16 M",
    "resnet50": "ResNet-50's {count} arrays",
    "gpt2": "GPT-2 small's {count} arrays",
    "200x1000": "{count} arrays of 1,000",
    "network": "a 64-32-10 network",
}
LEFT_OUT = {
    "gpt2": {"numpy", "torch loop", "torch compile", "optax"},  # minutes each, and they say what ResNet-50's say
    "200x1000": {"torch compile"},  # it compiles for minutes
}
UNFUSED = {"adamax": "AdaMax", "rmsprop": "RMSprop", "nadam": "NAdam", "radam": "RAdam", "adadelta": "AdaDelta", "rprop": "Rprop"}
"""What torch has without a fused step."""
NEAR = 2.0
"""A ratio below this is shown with its interval."""
LOW = 0.9
"""A rule that reaches less of the floor is named."""
Measured = dict[str, dict[str, Found]]


def parts() -> dict[str, tuple[str, str, list[str]]]:
    """What is measured, each under a name of its own: a rule, a list of shapes, rivals."""
    found = {f"adam, {name}": ("adam", name, [r for r in COLUMNS if r not in LEFT_OUT.get(name, ())]) for name in LISTS}
    found |= {f"{rule}, unfused": (rule, "16M", ["torch loop", "torch foreach", "torch compile"]) for rule in UNFUSED}
    return found | {f"{rule}, floor": (rule, "16M", ["floor"]) for rule in rivals.candidates()}


def table(found: Measured) -> list[str]:
    """Adam on each list, beside each rival."""
    lines = [_line(["Adam", *COLUMNS.values()]), "|" + "---|" * (len(COLUMNS) + 1)]
    for name, title in LISTS.items():
        row = found[f"adam, {name}"]
        lines.append(_line([title.format(count=len(shapes.named(name))), *(_cell(row.get(rival, "")) for rival in COLUMNS)]))
    return lines


def _line(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |".replace("|  |", "| |").replace("|  |", "| |")


def _cell(found: Found) -> str:
    if isinstance(found, str):
        return found
    return str(found) if found.median < NEAR else _two(found.median)


def _two(x: float) -> str:
    """Two digits, without a power of ten."""
    return f"{x:.1f}" if x < 9.95 else f"{x:.0f}"


def of_unfused(found: Measured) -> str:
    """How torch's rules without a fused step do."""
    rows = [found[f"{rule}, unfused"] for rule in UNFUSED]
    loops = sorted(min(_median(row["torch loop"]), _median(row["torch foreach"])) for row in rows)
    compiled = [_cell_short(row["torch compile"]) for row in rows]
    return (
        f"Of the rules that torch has without a fused step, on 16 M ({_joined(list(UNFUSED.values()))}): torch's faster loop "
        f"takes {_two(loops[0])} to {_two(loops[-1])} times as long as we do, and torch.compile {_joined(compiled)} times."
    )


def of_floor(found: Measured) -> str:
    """How near all rules that a kernel runs come to the floor."""
    reached = {rule: _median(found[key]["floor"]) for rule in rivals.candidates() if found.get(key := f"{rule}, floor")}
    low = sorted((share, rule) for rule, share in reached.items() if share < LOW)
    rest = [share for share in reached.values() if share >= LOW]
    text = f"Of the {len(reached)} rules that a kernel runs {len(rest)} reach {min(rest, default=0):.2f} or more of the floor"
    text += f" there (median {statistics.median(rest or [0]):.2f})"
    return f"{text}; less reach {', '.join(f'`{rule}` {share:.2f}' for share, rule in low)}." if low else f"{text}."


def _median(found: Found) -> float:
    return float("nan") if isinstance(found, str) else found.median


def _cell_short(found: Found) -> str:
    return found if isinstance(found, str) else f"{found.median:.2f}" if found.median < 1 else _two(found.median)


def _joined(words: list[str]) -> str:
    return f"{', '.join(words[:-1])} and {words[-1]}"


def text(found: Measured, where: str) -> str:
    """All of it, as it stands in the README."""
    head = (
        "Whole steps in float32, each rival as a multiple of ours (above 1 it is slower), medians of interleaved runs, with a "
        "95 % interval where it is near 1; beside them the share we reach of a loop that moves the same bytes and computes "
        "nothing (of small arrays most of a step is the call from Python). Measured on "
        f"{where}:"
    )
    return "\n".join([head, "", *table(found), "", f"{of_unfused(found)} {of_floor(found)}", ""])


def put(page: str, block: str, begin: str = BEGIN) -> str:
    """A page with this between its marks."""
    before, _, rest = page.partition(begin)
    _, mark, after = rest.partition(END)
    if not mark:
        raise click.ClickException(f"{README.name} has no {begin.strip()} ... {END}")
    return f"{before}{begin}{block}{mark}{after}"


def code() -> str:
    """A digest of all that is measured: what was kept of other code is not taken."""
    digest = hashlib.sha256()
    for folder in ("src", "benchmarks"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            digest.update(path.read_bytes())
    return digest.hexdigest()


class Kept:
    """What was measured before, of the same code, on the same machine, by as many rounds."""

    def __init__(self, path: Path, key: str) -> None:
        self.path, self.key = path, key
        kept: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
        rows: dict[str, dict[str, Any]] = kept["found"] if kept.get("key") == key else {}
        self.found: Measured = {
            part: {rival: x if isinstance(x, str) else timing.Ratio(*x) for rival, x in row.items()} for part, row in rows.items()
        }

    def add(self, part: str, row: dict[str, Found]) -> None:
        """Kept at once, so that a run that is stopped goes on."""
        self.found[part] = row
        self.path.write_text(json.dumps({"key": self.key, "found": self.found}))


@click.command()
@click.option("--rounds", type=click.IntRange(1), default=15, show_default=True, help="Interleaved rounds.")
@click.option("--minutes", type=float, default=float("inf"), help="Stop after the part that is running then.")
@click.option("--write", is_flag=True, help="Put it into README.md, in place of what stands there.")
@click.option("--keep", type=click.Path(path_type=Path, dir_okay=False), default=KEPT, help="Where finished parts are kept.")
@click.option("--only", "wanted", default="", help='One part, such as "adam, network", and no text: to try the program.')
def main(rounds: int, minutes: float, write: bool, keep: Path, wanted: str) -> None:
    """Measure what the README says of speed, and print it as it stands there.

    About 25 minutes on two cores that have nothing else to do. Each part is kept when it is finished; the same command goes on
    where one was stopped, as long as neither the code nor the machine is another.
    """
    only(CORES)
    where, start = machine(CORES), time.monotonic()
    kept = Kept(keep, f"{where}, {rounds} rounds, {code()}")
    todo = {name: part for name, part in parts().items() if name not in kept.found and wanted in ("", name)}
    if wanted and wanted not in parts():
        raise click.BadParameter(f"no part is called {wanted!r}; they are: {'; '.join(parts())}", param_hint="--only")
    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("parts", total=len(todo))
        for name, (rule, listed, against) in todo.items():
            if time.monotonic() - start > 60 * minutes:
                raise click.ClickException(f"stopped after {minutes:g} minutes; the same command goes on")
            runs = name.startswith("adam,") or rivals.has_kernel(rule)
            row = measure(rule, listed, against, CORES, rounds, progress) if runs else {}
            kept.add(name, row)
            told = ", ".join(f"{rival} {x}" for rival, x in row.items()) or "no kernel runs it"
            click.echo(f"{name}: {told}", err=not wanted)
            progress.advance(task)
    if wanted:
        return
    block = text(kept.found, where)
    click.echo(block)
    if write:
        README.write_text(put(README.read_text(encoding="utf-8"), block), encoding="utf-8")


if __name__ == "__main__":
    main()
