"""Build the site: the pages in docs/, and those that follow from the code: one for each optimizer, the index, the reference.

`python tools/book.py` writes it to site/; open site/index.html. Everything is there: no page loads anything from elsewhere. It
needs what requirements/docs.txt lists. Warnings are errors, and the result is checked by tools/pages/checked.py.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import shutil
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SITE, WORK = ROOT / "site", ROOT / "build" / "book"
NEEDS = ("sphinx", "myst_parser", "furo", "numpydoc", "sphinx_copybutton", "sphinx_design", "latex2mathml")
BESIDE = ("README.md", "CONTRIBUTING.md", "examples", "src", "tests", "benchmarks")
"""What the pages in docs/ link to outside it."""


def copied(work: Path) -> Path:
    """Copy docs/ to a folder of its own, so that what is generated stays out of the sources. Returns the folder."""
    docs = work / "docs"
    shutil.copytree(ROOT / "docs", docs, ignore=shutil.ignore_patterns("__pycache__"), dirs_exist_ok=True)
    for name in BESIDE:
        if not (work / name).exists():
            (work / name).symlink_to(ROOT / name)
    return docs


def main() -> int:
    """Generate, build, check."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--keep", action="store_true", help="Build upon what the last build left, for work on the pages.")
    arguments = parser.parse_args()
    if missing := [name for name in NEEDS if importlib.util.find_spec(name) is None]:
        sys.exit(f"the site needs {', '.join(missing)}: pip install -r requirements/docs.txt")
    os.environ.setdefault("SOURCE_DATE_EPOCH", "0")
    sys.path.insert(0, str(ROOT / "tools"))
    from pages import checked, written
    from sphinx.cmd.build import build_main

    begun = time.monotonic()
    for folder in () if arguments.keep else (WORK, SITE):
        shutil.rmtree(folder, ignore_errors=True)
    WORK.mkdir(parents=True, exist_ok=True)
    docs = copied(WORK)
    written.write(docs, ROOT)
    print(f"generated in {time.monotonic() - begun:.0f} s", flush=True)
    if failed := build_main(["-q", "-W", "--keep-going", "-b", "html", "-d", str(WORK / "doctrees"), str(docs), str(SITE)]):
        return failed
    if wrong := checked.faults(SITE):
        print("\n".join(wrong))
        return 1
    size = sum(path.stat().st_size for path in SITE.rglob("*") if path.is_file())
    print(f"{SITE}: {len(list(SITE.rglob('*.html')))} pages, {size / 1e6:.0f} MB, {time.monotonic() - begun:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
