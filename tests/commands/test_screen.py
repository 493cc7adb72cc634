"""The command line as a user meets it: pipes that close, terminals that show little, folders with files of unlucky names."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from support import first

from thalweg.commands.cli import main
from thalweg.lab.refusal import plain

PROGRAM = [sys.executable, "-P", "-m", "thalweg"]
SMALL = ["compare", "--problem", "xor", "--rules", "sgd", "--budget", "1", "--seeds", "1", "--steps", "3", "--jobs", "1"]
POSIX = pytest.mark.skipif(os.name != "posix", reason="a shell, and its devices")


def shell(line: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    command = f'set -o pipefail; run() {{ "{sys.executable}" -P -m thalweg "$@"; }}; {line}'
    return subprocess.run(
        ["bash", "-c", command],
        cwd=folder,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=300,
        errors="replace",
    )


@POSIX
@pytest.mark.parametrize(
    ("line", "code", "says"),
    first(
        [
            ("run compare --problems | head -1", 1, ""),
            ("run show adam >&-", 0, ""),
            ("run show adam > /dev/full", 1, "Error: the output: No space left on device"),
            ("run list > /dev/full", 1, "Error: the output: No space left on device"),
            ("run race --rules sgd --steps 3 > /dev/full", 1, "Error: the output: No space left on device"),
            ("run lab verify --only momentum > /dev/full", 1, "Error: the output: No space left on device"),
            (f"run {' '.join(SMALL)} > /dev/full", 1, "Error: the output: No space left on device"),
        ],
        3,
    ),
)
def test_pipes(line: str, code: int, says: str, tmp_path: Path) -> None:
    done = shell(line, tmp_path)
    assert done.returncode == code
    assert done.stderr.strip() == says


ASCII = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}


@POSIX
@pytest.mark.parametrize("environment", first([ASCII, {"PYTHONIOENCODING": "latin-1"}]))
def test_letters_that_a_terminal_lacks(environment: dict[str, str], tmp_path: Path) -> None:
    done = shell("run show adam", tmp_path, **environment)
    assert (done.returncode, done.stderr) == (0, "")


@POSIX
@pytest.mark.slow
@pytest.mark.parametrize(
    "line",
    [f"run {' '.join(SMALL)} --out ö", "run race saddle --rules sgd --steps 3 --out ö.html", "run lab verify --quick --only momentum --out ö",
     "run list --search Nesterov", "run compare --problems"],
)  # fmt: skip
def test_to_the_end_where_nothing_but_ascii_is_known(line: str, tmp_path: Path) -> None:
    done = shell(line, tmp_path, **ASCII)
    assert done.returncode == 0, done.stderr
    assert done.stdout
    assert "Traceback" not in done.stderr


STEERS = b"[\x00-\x09\x0b-\x1f\x7f]|\xc2[\x80-\x9f]|\xff|\xfe"


@POSIX
@pytest.mark.slow
def test_odd_bytes_go_through_a_whole_comparison(tmp_path: Path) -> None:
    """A folder whose name is no text, and columns whose names steer a terminal: in none of what is shown are they raw."""
    columns = "size\x1b]0;title\x07,age\x9b31m<blink>,price\x1b[31m"
    rows = [f"{i % 7},{i % 5},{i % 7 + 0.5 * (i % 3)}" for i in range(60)]
    (tmp_path / "x.csv").write_bytes("\n".join([columns, *rows]).encode())
    out = b"o\xff\x1b[31m\xfe"
    told = [*SMALL[3:], "--data", "x.csv", "--target", "price\x1b[31m", "--out", out]
    done = subprocess.run([*PROGRAM, "compare", *told], cwd=tmp_path, capture_output=True, timeout=300)
    assert done.returncode == 0, done.stderr
    found = Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + out))
    report = (found / "report.html").read_bytes()
    for shown in (done.stdout, done.stderr, report.replace(b"\t", b" "), (found / "results.json").read_bytes()):
        assert not re.findall(STEERS, shown)
    assert b"<blink" not in re.sub(rb"<script.*?</script>", b"", report, flags=re.DOTALL)


@pytest.mark.slow
@POSIX
def test_who_sees_every_row_fail_is_told_and_has_an_exit_code(tmp_path: Path) -> None:
    """One that fails in its trials, as it seems well at first."""
    (tmp_path / "own.py").write_text(FAILS)
    done = shell(f"run {' '.join(SMALL).replace('xor', 'own.py').replace('--steps 3', '--steps 30')} --out o", tmp_path)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == "Error: every optimizer failed; sgd: it failed: ArithmeticError: no"
    assert "Traceback" not in done.stderr
    assert (tmp_path / "o" / "report.html").exists()


FAILS = """
import numpy as np

CALLS = []

def init(rng):
    return {"w": rng.normal(size=3)}

def loss(params):
    return float((params["w"] ** 2).sum())

def grad(params):
    CALLS.append(1)
    if len(CALLS) > 20:
        raise ArithmeticError("no")
    return {"w": 2 * params["w"]}
"""


def test_without_docstrings_there_is_a_sentence(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-OO", *PROGRAM[1:], "list"], cwd=tmp_path, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 2
    assert done.stderr == "Error: Python runs without docstrings (-OO), in which papers and help stand; run it with -O at most\n"


RULE = """
import atexit, threading, time
import neighbour
from thalweg import rule

threading.Thread(target=time.sleep, args=(3000,)).start()
atexit.register(time.sleep, 3000)

@rule(lr=neighbour.RATE, search=(0.01, 1.0))
def mine(g):
    \"\"\"Mine (Me 2026).\"\"\"
    return g
"""


@POSIX
@pytest.mark.slow
def test_a_folder_of_unlucky_names_and_a_rule_that_leaves_things_running(tmp_path: Path) -> None:
    """Nothing of the folder is imported but what the rule asks for; the command ends, and a closed pipe is no traceback."""
    for name in ("types", "struct", "socket", "json", "numpy", "numba"):
        (tmp_path / f"{name}.py").write_text(f"open('ran', 'a').write('{name}')\nraise SystemExit('{name} was run')")
    (tmp_path / "neighbour.py").write_text("RATE = 0.1")
    (tmp_path / "mine.py").write_text(RULE)
    done = shell(f"run {' '.join(SMALL)} --out o --my-rule mine.py | head -1", tmp_path)
    assert not (tmp_path / "ran").exists()
    assert "Traceback" not in done.stderr
    assert "failed" not in done.stderr
    assert (tmp_path / "o" / "report.html").exists()
    assert done.returncode in (0, 1)


@pytest.mark.parametrize(
    "options",
    [
        ["--timeout", "nan"], ["--timeout", "inf"], ["--timeout", "1e10"], ["--timeout", "0"], ["--budget", "1000000000"], ["--seeds", "10000000"],
        ["--budget", "900000"], ["--steps", "10000000000"], ["--jobs", "100000"], ["--steps", "0"], ["--seeds", "-1"], ["--out", "a\0b"], ["--my-rule", "a\0b"],
    ],
)  # fmt: skip
def test_numbers_and_paths_out_of_all_bounds(options: list[str]) -> None:
    done = CliRunner().invoke(main, ["compare", "--problem", "xor", "--rules", "sgd", *options])
    assert done.exit_code == 2, done.output
    assert done.stderr.splitlines()[-1].startswith("Error: ")


def test_a_share_of_memory_that_is_no_number() -> None:
    assert CliRunner().invoke(main, ["list", "--memory", "nan"]).exit_code == 2


@pytest.mark.parametrize("word", ["\x1b[31m", "\x9b31m", "\x07", "\r", "\u202e", "\udcff", "\x7f"])
def test_nothing_of_others_steers_the_terminal(word: str, tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_bytes(f"a{word},y\n1,2\n".encode(errors="surrogateescape"))
    for arguments in (
        ["compare", "--data", str(tmp_path / "x.csv"), "--target", f"{word}z"],
        ["compare", "--data", f"{word}.csv", "--target", "y"],
        ["compare", "--problem", word],
        ["compare", f"--{word}"],
        ["race", word],
    ):
        done = CliRunner().invoke(main, arguments)
        assert done.exit_code == 2
        assert isinstance(done.exception, SystemExit)
        assert word not in done.output
    assert plain(f"a{word}b\n\tc") == plain(f"a{word}b") + "\n\tc"
