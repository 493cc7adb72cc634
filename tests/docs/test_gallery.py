"""The gallery has each picture beside the command that makes it; pictures are there, light, and say in words what they show."""

from __future__ import annotations

import importlib.util
import re
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "docs" / "pictures"
PAGE = (ROOT / "docs" / "gallery.md").read_text(encoding="utf-8")
LARGEST = 200_000


def gallery() -> Any:
    spec = importlib.util.spec_from_file_location("gallery", ROOT / "tools" / "gallery.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["gallery"] = module  # where a dataclass looks for its module
    spec.loader.exec_module(module)
    return module


def test_the_page_shows_each_picture_below_its_command() -> None:
    shown, command = {}, ""
    for fenced, picture in re.findall(r"^```sh\n(.*?)\n```|\]\(pictures/(.*?)\)", PAGE, re.MULTILINE | re.DOTALL):
        command = fenced or command
        if picture:
            shown[picture] = command
    assert shown == {name: picture.command for name, picture in gallery().PICTURES.items()}


def test_pictures_are_there_and_light() -> None:
    assert {path.name for path in FOLDER.iterdir()} == set(gallery().PICTURES)
    for path in FOLDER.iterdir():
        assert 3_000 < path.stat().st_size < LARGEST, path.name
        if path.suffix == ".svg":
            text = path.read_text(encoding="utf-8")
            assert not re.search(r"""(?:href|src)=["']https?:|url\(["']?http""", text), (
                f"{path.name} would fetch from the network"
            )


@pytest.mark.parametrize("page", ["README.md", "docs/gallery.md"])
def test_a_picture_of_a_page_is_there_and_has_words(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    found = re.findall(r"!\[(.*?)\]\((.*?)\)", text) + re.findall(r'<img alt="(.*?)" src="(.*?)"', text)
    assert found
    for words, target in found:
        assert len(words.split()) >= 5
        assert ((ROOT / page).parent / target).is_file()
