"""`thalweg conformance`: the comparison, its formats, the page in the docs, and what is refused."""

from __future__ import annotations

import contextlib
import io
import json
import re
import subprocess
import sys
import types
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

import thalweg as tw
from thalweg.commands.cli import main
from thalweg.commands.conformance import conformance_command
from thalweg.dialects.conformance import page
from thalweg.dialects.conformance.defects import DEFECTS
from thalweg.dialects.conformance.measure import VERDICTS, Library, Line, installed, library, line, measured
from thalweg.dialects.conformance.stream import NotHere, apart, stream, walk
from thalweg.dialects.method import LIBRARIES, Dialect, Method, given

DOCS = Path(__file__).parents[2] / "docs" / "conformance.md"
HOSTILE = 'x|y <script>alert("1")</script> [bold]`z`\x1b[31m\nend'


def toy(walks: Any = None, **row: Any) -> Library:
    """A library of one optimizer that descends by the gradient, or does as it is told."""
    facts = {"name": "Down", "file": "toy/down.py", "defaults": {"lr": 0.5}, "paper": lambda o: tw.sgd(), "library": "toy"} | row
    peer: Any = types.ModuleType("toy")
    peer.VERSION = "1.0+local"
    peer.walk = walks or (lambda name, options, along: walk(tw.chain(tw.sgd()).named("sgd", 0.5), along))
    return Library(Dialect("toy", "1.0", (Method(**facts),)), peer)


def one(at: Library) -> Line:
    (found,) = measured(at, steps=5)
    return found


def halved(name: str, options: Any, along: Any) -> Any:
    return walk(tw.chain(tw.sgd()).named("sgd", 0.25), along)


def nearly(name: str, options: Any, along: Any) -> Any:
    return walk(tw.chain(tw.sgd()).named("sgd", 0.5 * (1 + 1e-6)), along)


def failing(name: str, options: Any, along: Any) -> Any:
    raise RuntimeError(HOSTILE)


def other(o: Any) -> Any:
    return tw.sgd().at(0.25)


@pytest.mark.parametrize(
    ("verdict", "walks", "row"),
    [
        ("equal", None, {}),
        ("open", halved, {}),
        ("open", halved, {"differs": "half the rate"}),
        ("open", None, {"theirs": other, "remains": "something"} | {"paper": lambda o: tw.sgd().at(0.1), "differs": "x"}),
        ("explained", halved, {"differs": "half the rate", "theirs": other}),
        ("nearly equal", nearly, {"remains": "a rate of float32"}),
        ("open", nearly, {}),
        ("failed", failing, {}),
    ],
)
def test_a_verdict(verdict: str, walks: Any, row: dict[str, Any]) -> None:
    found = one(toy(walks, **row))
    assert found.verdict == verdict
    assert found.version == "1.0"
    assert found.verdict in VERDICTS


def test_a_setting_of_another_backend_has_no_line() -> None:
    def elsewhere(name: str, options: Any, along: Any) -> Any:
        raise NotHere

    assert measured(toy(elsewhere)) == []


def test_the_difference_is_a_share_of_the_way() -> None:
    along = stream(steps=4)
    near, far = (walk(tw.chain(tw.sgd()).named("sgd", lr), along) for lr in (0.1, 0.11))
    assert apart(near, far, along.start) == pytest.approx(1 / 11)
    assert apart(near, near, along.start) == 0.0
    for name, x in stream().start.items():
        np.testing.assert_array_equal(x, along.start[name])
    assert set(stream(matrices=True).start) == {"w", "u"}


@pytest.mark.parametrize("name", ["SGD", "Adam", "NAdam", "Rprop"])
def test_torch_is_as_the_rows_say(name: str) -> None:
    pytest.importorskip("torch")
    lines = measured(library("torch"), lambda it: it == name, steps=12)
    assert lines
    assert {it.verdict for it in lines} <= {"equal", "explained", "nearly explained"}


@pytest.mark.slow
@pytest.mark.parametrize("name", LIBRARIES)
def test_each_library_is_as_the_rows_say_and_the_page_too(name: str) -> None:
    """What the program prints is what docs/conformance.md has, where the library is of the page's version."""
    if not installed(name):
        pytest.skip(f"{name} is not installed")
    at = library(name)
    lines = measured(at)
    assert [f"{it.name} {it.options}: {it.verdict}" for it in lines if it.verdict in ("open", "failed")] == []
    title = f"{name} {at.version}"
    if f"## {title}\n" not in DOCS.read_text("utf-8"):
        pytest.skip(f"the page is not of {title}")
    ours, theirs = (table(text, title) for text in (page.section(title, lines), DOCS.read_text("utf-8")))
    assert [row[:2] + row[4:] for row in ours] == [row[:2] + row[4:] for row in theirs]
    assert [(a, b) for a, b in zip(ours, theirs, strict=True) if not all(map(alike, a[2:4], b[2:4]))] == []


def table(text: str, title: str) -> list[list[str]]:
    """The cells of a library's table in Markdown."""
    found = re.search(rf"^## {re.escape(title)}\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    assert found
    return [re.split(r"(?<!\\)\| ?", row.strip().strip("|")) for row in found[1].splitlines() if row.startswith("| `")]


def alike(this: str, that: str) -> bool:
    """Whether two differences are one: what rounding in float32 leaves depends on the processor."""
    if "<" in this or "<" in that:
        return this == that
    a, b = float(this), float(that)
    return abs(a - b) <= 0.1 * b if b > 1e-4 else 0.1 < a / b < 10


def test_the_page_has_every_optimizer_of_every_table() -> None:
    text = DOCS.read_text("utf-8")
    for name in LIBRARIES:
        table = re.search(rf"^## {name} {re.escape(tw.dialect(name).version)}.*?(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
        assert table, name
        assert set(re.findall(r"^\| `([\w.]+)`", table[0], re.MULTILINE)) == set(tw.dialect(name))
    for defect in DEFECTS:
        assert defect.says in text
        assert defect.code in text
    assert text.index(page.BEGIN) < text.index("rows:") < text.index(page.END)
    counts = re.search(r"(\d+) libraries, (\d+) optimizers, (\d+) rows", text)
    assert counts
    assert [int(x) for x in counts.groups()[:2]] == [len(LIBRARIES), sum(len(tw.dialect(name)) for name in LIBRARIES)]


@pytest.mark.slow
@pytest.mark.parametrize("defect", DEFECTS, ids=lambda it: f"{it.library} {it.name}")
def test_a_reproduction_prints_what_it_says(defect: Any) -> None:
    if not installed(defect.library) or library(defect.library).version.partition(" ")[0] != defect.version:
        pytest.skip(f"{defect.library} {defect.version} is not installed")
    said = io.StringIO()
    with contextlib.redirect_stdout(said), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # theirs
        exec(defect.code, {})
    assert said.getvalue().strip() == defect.prints


def test_a_reproduction_is_short() -> None:
    assert {f"{it.library} {it.name}" for it in DEFECTS if len(it.code.strip().splitlines()) > 11} == set()


def strange() -> Line:
    return line_of(failing)


def line_of(walks: Any) -> Line:
    at = toy(walks, differs="half", theirs=other, settings=(given(lr=0.5),))
    method = next(iter(at.dialect.values()))
    found = line(at, method, method.settings[0], steps=3)
    assert found is not None
    return found


def test_markdown_stays_a_table_whatever_a_library_says() -> None:
    text = page.section("toy 1.0", [strange(), line_of(halved)])
    rows = [row for row in text.splitlines() if row.startswith("|")]
    assert len(rows) == 4
    assert {len(re.findall(r"(?<!\\)\|", row)) for row in rows} == {6}
    assert "<script>" not in text
    assert "| `Down` | `lr=0.5` | 0.5 | < 1e-12 | half |" in text or "| `Down` | `lr=0.5` | 0.5 |" in text


def test_html_is_escaped() -> None:
    text = page.html([strange(), line_of(halved)])
    assert "<script>" not in text
    assert "&lt;script&gt;" in text
    assert "half" in text
    assert "http" not in text


def test_json_is_json_whatever_a_number_is() -> None:
    def nowhere(name: str, options: Any, along: Any) -> Any:
        return [{key: np.full_like(x, np.nan) for key, x in along.start.items()} for _ in along.gradients]

    told = json.loads(page.as_json([line_of(nowhere), strange(), line_of(halved)]))
    assert [it["verdict"] for it in told["lines"]] == ["open", "failed", "explained"]
    assert told["lines"][0]["apart"] is None
    assert told["lines"][2]["left"] < 1e-12
    assert told["lines"][1]["error"].startswith("RuntimeError: x|y")


def test_the_table_goes_between_the_marks() -> None:
    before = f"# Mine\n\n{page.BEGIN}\nold\n{page.END}\n\nafter\n"
    once = page.between(before, [line_of(halved)])
    assert once.startswith("# Mine\n")
    assert once.endswith("after\n")
    assert "old" not in once
    assert page.between(once, [line_of(halved)]) == once
    assert page.BEGIN in page.between("", [line_of(halved)])


def run(*arguments: str) -> Any:
    return CliRunner().invoke(conformance_command, arguments)


def test_the_command_writes_its_files(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    files = [tmp_path / f"table.{kind}" for kind in ("html", "json", "md")]
    done = run("torch", "--only", "sgd", *(word for path, option in zip(files, ("--html", "--json", "--markdown"), strict=True)
                                         for word in (option, str(path))))  # fmt: skip
    assert done.exit_code == 0, done.output
    assert "1 library, 1 optimizer, 4 rows: 3 compute" in done.output
    assert all(path.read_text("utf-8").strip() for path in files)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["tensorflo"], "there is no table of 'tensorflo'; there are torch, optax"),
        (["nadam"], "; of one optimizer: thalweg conformance --only nadam"),
        (["[red]x[/red]\x1b[31m"], "there is no table of '[red]x[/red]"),
        (["torch", "--only", "nothing"], "none of torch has an optimizer of these names"),
        (["torch", "--html", "/no/such/folder/x.html"], "there is no folder /no/such/folder"),
    ],
)
def test_what_cannot_be_done_is_refused_in_a_sentence(arguments: list[str], says: str) -> None:
    if arguments[0] == "torch":
        pytest.importorskip("torch")
    done = run(*arguments)
    assert done.exit_code == 2
    assert says in done.output


def test_a_library_that_is_not_here_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("thalweg.commands.conformance.installed", lambda name: False)
    done = run("keras")
    assert done.exit_code == 2
    assert "keras is not installed here; this command compares what is, and installs nothing" in done.output
    assert run().exit_code == 2


def test_a_library_that_cannot_be_imported_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(name: str) -> Any:
        raise ImportError(HOSTILE)

    monkeypatch.setattr("thalweg.commands.conformance.installed", lambda name: name == "keras")
    monkeypatch.setattr("thalweg.commands.conformance.library", broken)
    done = run()
    assert done.exit_code == 2
    assert "keras cannot be imported: ImportError: x|y" in done.output
    assert "\x1b" not in done.output


def test_another_computation_than_the_rows_say_is_an_exit_code(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("thalweg.commands.conformance.installed", lambda name: name == "keras")
    monkeypatch.setattr("thalweg.commands.conformance.library", lambda name: toy(halved))
    done = run()
    assert done.exit_code == 1
    assert "not as the rows here say: toy.Down" in done.output


def test_nothing_of_a_peer_is_imported_before_the_command_runs() -> None:
    code = (
        "import sys, thalweg.commands.conformance, thalweg.dialects.conformance.page; "
        "print(*(m for m in ('torch', 'jax', 'optax', 'keras', 'tensorflow') if m in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
    assert "conformance" in CliRunner().invoke(main, ["--help"]).output
