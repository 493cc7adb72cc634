"""The picture, the animation and the page."""

import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import thalweg as tw
from thalweg.lab.data.surface import Surface
from thalweg.lab.problems import problem
from thalweg.lab.race.animation import REST, write_gif
from thalweg.lab.race.captions import success
from thalweg.lab.race.page import FACTORS, HERE, _json, _numbers, write_page
from thalweg.lab.race.picture import Picture, contour_levels, frames, write_png
from thalweg.lab.race.place import AROUND, UPWARDS, spread
from thalweg.lab.race.run import OwnRules, Race, race
from thalweg.lab.report.figures.marks import COLOURS, DIM, given_out

NAMES = ["sgd", "momentum", "adam", "learned"]


def raced(name: str, lr: Any = "tuned", steps: int = 12) -> Race:
    ground = problem(name)
    assert isinstance(ground, Surface)
    return race(ground, NAMES, steps=steps, start=ground.start, lr=lr)


@pytest.fixture(scope="module", params=["quartic", "saddle"])
def found(request: pytest.FixtureRequest) -> Race:
    return raced(request.param)


@pytest.fixture(scope="module")
def blown() -> Race:
    return raced("quartic", lr=5.0, steps=30)


@pytest.mark.parametrize("shifts", [UPWARDS, AROUND])
def test_markers_never_cover_each_other(shifts: Any) -> None:
    spots = np.concatenate([np.zeros((20, 2)), np.random.default_rng(0).normal(size=(20, 2)) * 20])
    places = spread(spots, 10.0, shifts)
    apart = np.linalg.norm(places[:, None] - places[None], axis=-1) + 100 * np.eye(40)
    assert apart.min() >= 9.99
    np.testing.assert_array_equal(places[0], spots[0])
    if shifts is UPWARDS:
        np.testing.assert_array_equal(places[:, 0], spots[:, 0])
        assert (places[:, 1] >= spots[:, 1]).all()
    lone = np.array([[0.0, 0.0], [100.0, 0.0]])
    np.testing.assert_array_equal(spread(lone, 10.0, shifts), lone)


def test_the_first_are_in_colour_and_the_others_grey() -> None:
    ground = problem("quartic")
    assert isinstance(ground, Surface)
    names = [*NAMES, "rmsprop", "adagrad", "adamax", "nadam", "lion", "yogi"]
    found = race(ground, names, steps=5, start=ground.start, lr="default")
    order = [walk.name for walk in found.walks]
    assert found.front == tuple(order[:8])
    assert [found.marks[name].colour for name in order[:8]] == list(COLOURS)
    picture = Picture(found)
    picture.at(5)
    colours = [line.get_color() for line in picture.lines]
    assert colours[:8] == list(COLOURS)
    assert set(colours[8:]) == {"#c4cad1"}
    assert [marker.get_markerfacecolor() for marker in picture.markers][8:] == [DIM, DIM]
    assert picture.lines[0].get_zorder() > picture.lines[8].get_zorder()
    texts = [text.get_text() for text in picture.figure.texts]
    assert set(order[:8]) <= set(texts)
    assert not set(order[8:]) & set(texts)
    assert "2 others in grey" in texts
    asked = replace(found, show=(order[9], order[0]))
    assert asked.front == (order[0], order[9])
    assert "8 others in grey" in [text.get_text() for text in Picture(asked).figure.texts]


def test_a_user_s_own_rules_are_in_colour() -> None:
    ground = problem("quartic")
    assert isinstance(ground, Surface)
    names = [*NAMES, "rmsprop", "adagrad", "adamax", "nadam", "lion"]
    found = race(ground, names, steps=2, start=ground.start, lr="default")
    last = found.walks[-1].name
    assert last not in found.front
    assert last in replace(found, own=OwnRules({last: tw.rules[last]})).front


def test_the_picture_shows_the_walks(found: Race) -> None:
    picture = Picture(found)
    picture.at(7)
    for line, one in zip(picture.lines, found.walks, strict=True):
        np.testing.assert_allclose(line.get_ydata(), np.maximum(found.gaps(one)[:8], 1e-15))
    for path, one in zip(picture.paths, found.walks, strict=False):
        np.testing.assert_array_equal(np.column_stack(path.get_data()), one.points[:8])
    assert len(picture.paths) == (len(NAMES) if found.start.size == 2 else 0)
    texts = [text.get_text() for text in picture.figure.texts]
    assert set(NAMES) <= set(texts)
    assert [success(one.success) for one in found.walks if success(one.success) not in texts] == []
    assert "step  7 of 12" in texts


def test_png_and_gif(found: Race, tmp_path: Path) -> None:
    write_png(found, tmp_path / "race.png", "distance")
    with Image.open(tmp_path / "race.png") as image:
        assert (image.format, image.size) == ("PNG", (1800, 912))
    drawn = []
    write_gif(found, tmp_path / "race.gif", "value", lambda: drawn.append(1))
    with Image.open(tmp_path / "race.gif") as image:
        assert image.n_frames == len(drawn) == 13  # type: ignore[attr-defined]
        first = np.asarray(image.convert("RGB"))
        image.seek(12)
        assert image.info["duration"] == REST
        assert (np.asarray(image.convert("RGB")) != first).any()


def test_all_marks_keep_their_colours_in_the_gif(tmp_path: Path) -> None:
    write_gif(raced("saddle", steps=1), tmp_path / "race.gif", "value")
    with Image.open(tmp_path / "race.gif") as image:
        colours = {colour for _, colour in image.convert("RGB").getcolors(1 << 20) or []}
    for one in given_out(NAMES).values():
        assert tuple(bytes.fromhex(one.colour[1:])) in colours


def test_divergence_can_be_drawn(blown: Race, tmp_path: Path) -> None:
    assert any(one.blown is not None for one in blown.walks)
    write_png(blown, tmp_path / "race.png", "value")
    write_gif(blown, tmp_path / "race.gif", "distance")
    write_page(blown, tmp_path / "race.html", "value", "thalweg race")
    assert {path.suffix for path in tmp_path.iterdir()} == {".png", ".gif", ".html"}


def test_long_races_are_thinned() -> None:
    assert frames(5, 101) == [0, 1, 2, 3, 4, 5]
    thinned = frames(1000, 101)
    assert (len(thinned), thinned[0], thinned[-1]) == (101, 0, 1000)


def test_contour_levels_rise() -> None:
    levels = contour_levels(np.random.default_rng(0).random((50, 50)) ** 4)
    assert (np.diff(levels) > 0).all()
    assert (np.diff(contour_levels(np.r_[np.zeros(2000), np.ones(500)])) > 0).all()  # a plateau gives no level twice


class Reader(HTMLParser):
    """The elements of a page and their attributes, and the text of its scripts."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag == "script":
            self.scripts.append("")

    def handle_data(self, data: str) -> None:
        if self.elements and self.elements[-1][0] == "script":
            self.scripts[-1] += data


def page(found: Race, folder: Path, command: str = "thalweg race") -> tuple[str, Reader, dict[str, Any]]:
    write_page(found, folder / "race.html", "value", command)
    text = (folder / "race.html").read_text("utf-8")
    reader = Reader(text)
    return text, reader, json.loads(reader.scripts[0])


def test_the_page_holds_the_walks(found: Race, tmp_path: Path) -> None:
    text, _, data = page(found, tmp_path)
    assert [one["name"] for one in data["walks"]] == [one.name for one in found.walks]
    for recorded, one in zip(data["walks"], found.walks, strict=True):
        assert recorded["success"] == success(one.success) != ""
        assert f'<td class="n">{recorded["success"]}</td>' in text
        assert len(recorded["runs"]) == (1 if one.name == "learned" else len(FACTORS))
        as_raced = recorded["runs"][len(recorded["runs"]) // 2]
        np.testing.assert_allclose(np.array(as_raced["at"]).T, one.points, rtol=1e-5, atol=1e-12)
        np.testing.assert_allclose(as_raced["value"], found.gaps(one), rtol=1e-3, atol=1e-12)
        assert as_raced["lr"] == one.lr
        if len(recorded["runs"]) > 1:
            assert [run["lr"] for run in recorded["runs"]] == pytest.approx([one.lr * factor for factor in FACTORS], rel=1e-5)
    assert ("curve" in data, "bands" in data) == ((True, False) if found.start.size == 1 else (False, True))


def test_a_rate_that_the_page_shows_gives_the_run_that_it_shows(found: Race, tmp_path: Path) -> None:
    """Typed back with --lr; what the script shows is the number of the data, by JavaScript's own shortest text."""
    _, reader, data = page(found, tmp_path)
    assert data["factors"] == [float(f"{factor:.2g}") for factor in FACTORS]
    assert "toPrecision" not in reader.scripts[1].partition("const typed")[2]
    recorded = next(one for one in data["walks"] if len(one["runs"]) > 1 and one["name"] != "learned")
    for run in (recorded["runs"][1], recorded["runs"][-2]):
        again = race(found.surface, [recorded["name"]], steps=found.steps, start=found.start, lr=float(str(run["lr"])))
        assert run["value"] == _numbers(again.gaps(again.walks[0]), 4)


def test_the_page_needs_nothing_from_elsewhere(found: Race, tmp_path: Path) -> None:
    text, reader, _ = page(found, tmp_path)
    assert "default-src 'none'" in text
    assert "http" not in re.sub(r"http-equiv", "", text)
    for _, attributes in reader.elements:
        assert not {"src", "href", "srcset", "action"} & set(attributes)


def test_all_text_in_the_page_is_escaped(found: Race, tmp_path: Path) -> None:
    evil = '</script><img src=x onerror="alert(1)">'
    surface = replace(found.surface, name=evil, about=evil)
    text, reader, _ = page(replace(found, surface=surface), tmp_path, command=f"thalweg race {evil}")
    assert len(reader.scripts) == 2
    assert "img" not in {tag for tag, _ in reader.elements}
    assert text.count("&lt;/script&gt;&lt;img") >= 4
    assert not set("<>&") & set(_json({"name": evil}))
    assert json.loads(_json({"name": evil})) == {"name": evil}


def test_the_script_finds_what_it_looks_for(found: Race, tmp_path: Path) -> None:
    _, reader, _ = page(found, tmp_path)
    present = {attributes.get("id") for _, attributes in reader.elements}
    wanted = set(re.findall(r'\$\("([\w-]+)"\)|getElementById\("([\w-]+)"\)', (HERE / "page.js").read_text("utf-8")))
    assert {a or b for a, b in wanted} <= present


def test_the_page_tells_of_divergence(blown: Race, tmp_path: Path) -> None:
    text, _, data = page(blown, tmp_path)
    lost = next(one for one in blown.walks if one.blown is not None)
    assert f"diverged at step {lost.blown}" in text
    run = next(one for one in data["walks"] if one["name"] == lost.name)["runs"][len(FACTORS) // 2]
    assert run["value"][-1] is None
    assert "NaN" not in text
