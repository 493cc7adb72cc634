"""Keep the training losses of a comparison for the pages of the optimizers: `python tools/losses.py thalweg-results`.

The folder is that of `thalweg compare --rules all --problem digits`, which takes minutes; so the site keeps what it found, in
`tools/pages/losses.json`, and does not run it.
"""

from __future__ import annotations

import argparse
import json
import math
from pathlib import Path

import numpy as np

import thalweg as tw
from thalweg.lab.bank.identity import identity

FILE = Path(__file__).parent / "pages" / "losses.json"


def short(x: float) -> float | None:
    """Three digits, which is more than a picture shows."""
    return float(f"{x:.3g}") if math.isfinite(x) else None


def main() -> None:
    """Read the results, write the file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="of the comparison")
    found = json.loads((parser.parse_args().folder / "results.json").read_text("utf-8"))
    kept = {}
    for row in sorted(found["rules"], key=lambda row: row["name"]):
        runs = [run["train_curve"] for run in row["judging"] if run["train_curve"]]
        if row["name"] not in tw.rules or row["failed"] or not runs:
            continue
        longest = max(map(len, runs))
        table = np.array([[math.inf if x is None else x for x in run] + [math.inf] * (longest - len(run)) for run in runs])
        losses = [short(x) for x in np.median(table, axis=0)]
        kept[row["name"]] = {"identity": identity(tw.rules[row["name"]]), "lr": short(row["best_lr"]), "loss": losses}
    settings = found["settings"]
    about = {
        "problem": found["problem"]["name"], "budget": settings["budget"], "seeds": settings["seeds"],
        "thalweg": found["version"], "steps": found["evaluated_at"],
    }  # fmt: skip
    rows = ",\n".join(f"{json.dumps(name)}: {json.dumps(row, separators=(',', ':'))}" for name, row in kept.items())
    FILE.write_text(f'{json.dumps(about)[:-1]},\n"rules": {{\n{rows}\n}}}}\n', encoding="utf-8")
    print(f"{len(kept)} optimizers, {FILE.stat().st_size // 1000} kB")


if __name__ == "__main__":
    main()
