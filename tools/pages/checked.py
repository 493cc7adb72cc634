"""What is wrong with a site: links that lead nowhere, and what a page would load from elsewhere.

`python tools/pages/checked.py site` checks one, and `--external` lists its links to the outside, which nobody follows here.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

LOADED = {("script", "src"), ("img", "src"), ("source", "src"), ("iframe", "src"), ("video", "src"), ("img", "srcset")}
"""What a browser fetches to show a page; a link element's href counts unless it only says where the page belongs."""
SAID = {"canonical", "alternate", "license", "author", "index", "search", "next", "prev", "help"}


class _Page(HTMLParser):
    """The identifiers, links and loaded files of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()
        self.links: list[str] = []
        self.loads: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.names |= {given[key] for key in ("id", "name") if key in given}
        if tag == "a" and "href" in given:
            self.links.append(given["href"])
        if tag == "link" and "href" in given and not SAID & set(given.get("rel", "").split()):
            self.loads.append(given["href"])
        self.loads += (value for name, value in given.items() if (tag, name) in LOADED)


@functools.cache
def page(path: Path) -> _Page:
    """Read a page."""
    read = _Page()
    read.feed(path.read_text("utf-8"))
    return read


def _broken(path: Path, link: str) -> bool:
    """Whether a link within the site leads nowhere."""
    parts = urlsplit(link)
    target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
    if target.is_dir():
        target /= "index.html"
    if not target.is_file():
        return True
    state = unquote(parts.fragment).startswith("{")  # of a page with a state of its own
    return bool(parts.fragment) and not state and target.suffix == ".html" and unquote(parts.fragment) not in page(target).names


def outside(link: str) -> bool:
    """Whether a link leaves the site."""
    return bool(urlsplit(link).scheme) or link.startswith("//")


def _of_page(path: Path) -> Iterator[str]:
    read = page(path)
    for link in dict.fromkeys(read.links):
        if not outside(link) and _broken(path, link):
            yield f"leads nowhere: {link}"
    for link in dict.fromkeys(read.loads):
        if link.startswith("data:"):
            continue
        if outside(link):
            yield f"loaded from elsewhere: {link}"
        elif _broken(path, link):
            yield f"is not there: {link}"


def faults(site: Path) -> list[str]:
    """What is wrong with the site, a line for each."""
    pages = sorted(site.rglob("*.html"))
    found = [f"{path.relative_to(site)}: {fault}" for path in pages for fault in _of_page(path)]
    sheets = sorted(site.rglob("*.css"))
    found += [f"{path.relative_to(site)}: loads from elsewhere" for path in sheets if "url(http" in path.read_text("utf-8")]
    return found if pages else [f"{site} has no page"]


def main() -> int:
    """Print what is wrong with a site."""
    site = Path(sys.argv[1])
    if "--external" in sys.argv:
        links = {link for path in site.rglob("*.html") for link in page(path).links if outside(link)}
        print("\n".join(sorted(links)))
        return 0
    print("\n".join(wrong := faults(site)))
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
