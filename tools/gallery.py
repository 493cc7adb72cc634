"""Make the pictures of the gallery, `docs/pictures/`, with the commands that `docs/gallery.md` shows.

`python tools/gallery.py` makes all of them; names after it make only those, `--list` prints them with their commands. Pages are
photographed by Chromium, which must be installed for these.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from PIL import Image
from rich.console import Console
from rich.text import Text

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "docs" / "pictures"
COMPARE = "thalweg compare --out report"
WIDEST = 1400
"""Pixels: twice what a page of text is wide, for screens with dense pixels."""
BROWSER = [
    *("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"),
    *("--hide-scrollbars", "--disable-component-update", "--disable-sync"),
]


@dataclass(frozen=True)
class Picture:
    """A command, what it writes, and for a page how high the photograph is and at which place it begins."""

    command: str
    written: str = ""
    height: int = 0
    at: str = ""


PICTURES = {
    "race.webp": Picture("thalweg race ravine --rules sgd,momentum,rmsprop,adam,lion,adan --out race.png", "race.png"),
    "report.webp": Picture(COMPARE, "report/report.html", 700),
    "scores.svg": Picture(COMPARE, "report/figures/score.svg"),
    "rates.webp": Picture(COMPARE, "report/report.html", 640, "rates"),
    "budget.svg": Picture(COMPARE, "report/figures/budget.svg"),
    "curves.svg": Picture("thalweg curves --out curves.svg", "curves.svg"),
    "difference.svg": Picture("thalweg show rmsprop adam --out difference.svg", "difference.svg"),
    "formula.svg": Picture("thalweg show adam"),
    "playground.webp": Picture("thalweg playground --out playground.html", "playground.html", 820),
}


def make(name: str, picture: Picture, folder: Path, done: dict[str, str]) -> None:
    """Run the command, unless another picture has, and store what it wrote, or what it printed, as a picture."""
    if picture.command not in done:
        done[picture.command] = _run(picture.command, folder, coloured=not picture.written)
    source, target = folder / picture.written, FOLDER / name
    if not picture.written:
        target.write_text(_printed(picture.command, done[picture.command]), encoding="utf-8")
    elif source.suffix == ".svg":
        target.write_text(_opaque(source.read_text(encoding="utf-8")), encoding="utf-8")
    else:
        photograph = source if source.suffix == ".png" else _photograph(source, picture, folder / "photograph.png")
        with Image.open(photograph) as image:
            image.thumbnail((WIDEST, WIDEST), Image.Resampling.LANCZOS)
            image.convert("RGB").save(target, quality=82, method=6)


def _run(command: str, folder: Path, coloured: bool) -> str:
    there = {**os.environ, "COLUMNS": "100", "PYTHONPATH": str(ROOT / "src"), **({"FORCE_COLOR": "1"} if coloured else {})}
    words = [sys.executable, "-m", *shlex.split(command)]
    done = subprocess.run(words, cwd=folder, env=there, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{command}\n{done.stderr}")
    return done.stdout


def _printed(command: str, text: str) -> str:
    """What a terminal shows, without the fonts that rich would fetch from the network."""
    with open(os.devnull, "w", encoding="utf-8") as nowhere:
        console = Console(record=True, width=100, file=nowhere)
        console.print(Text.from_ansi(text))
        return re.sub(r"@font-face \{.*?\}", "", console.export_svg(title=command), flags=re.DOTALL)


def _opaque(text: str) -> str:
    """A figure on white: its letters are dark, and the page that it is on may be too."""
    return re.sub(r"(<svg\b[^>]*>)", r'\1<rect width="100%" height="100%" fill="#fff"/>', text, count=1)


def _photograph(page: Path, picture: Picture, target: Path) -> Path:
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    if not browser:
        sys.exit(f"Chromium must be installed to photograph {page.name}")
    if picture.at:
        text = page.read_text(encoding="utf-8")
        page = page.with_name("part.html")  # a headless browser does not scroll: what stands above is left out
        page.write_text(re.sub("(</head>)", f"<style>{_ABOVE.format(at=picture.at)}</style>\\1", text, count=1), encoding="utf-8")
    size = f"--window-size=1000,{picture.height}"
    profile = f"--user-data-dir={target.with_name('profile')}"
    words = [browser, *BROWSER, profile, size, "--force-device-scale-factor=1.4", "--virtual-time-budget=4000"]
    subprocess.run([*words, f"--screenshot={target}", page.as_uri()], check=True, capture_output=True)
    return target


_ABOVE = ":is(body, main) > *:not(#{at}):not(#{at} ~ *):not(:has(#{at})) {{ display: none }}"


def main(names: list[str]) -> None:
    """Make the pictures of these names, or all."""
    if names == ["--list"]:
        print(*(f"{name:16} {picture.command}" for name, picture in PICTURES.items()), sep="\n")
        return
    if unknown := set(names) - set(PICTURES):
        sys.exit(f"there is no picture {', '.join(sorted(unknown))}; --list names them")
    FOLDER.mkdir(exist_ok=True)
    done: dict[str, str] = {}
    with tempfile.TemporaryDirectory() as folder:
        for name in names or PICTURES:
            make(name, PICTURES[name], Path(folder), done)
            print(f"{name:16} {(FOLDER / name).stat().st_size // 1000} kB", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
