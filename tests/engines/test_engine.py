"""The engine underneath: its cache, its threads, what it does without Numba, what it refuses to read."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support import PATIENCE

import thalweg as tw
import thalweg.numpy as tn
from thalweg.engines import native, threads
from thalweg.engines.gradients import Gradients, address, ranges, reader

STEP = """
import sys, numpy as np, thalweg as tw, thalweg.numpy as tn
p = np.linspace(-1, 1, 50).astype(np.float32)
o = tn.Adam(p, lr=0.1)
for k in range(5):
    o.step(np.cos(p * k))
print(p.tobytes().hex())
"""


def fresh(code: str, cache: Path | None = None, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run code in a process of its own."""
    changes = environment if cache is None else {"THALWEG_CACHE": str(cache), **environment}
    return subprocess.run(
        [sys.executable, "-W", "always", "-c", code],
        capture_output=True,
        text=True,
        env={**os.environ, **changes},
        timeout=PATIENCE,
    )


def test_imports_are_light() -> None:
    code = "import sys, json, thalweg, thalweg.numpy; print(json.dumps(sorted(sys.modules)))"
    loaded = set(json.loads(fresh(code).stdout))
    assert not loaded & {"numba", "llvmlite", "torch", "jax", "scipy", "matplotlib", "platformdirs"}


TOLD = STEP + "print('numba' in sys.modules)\n"


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A cache in which a fresh process has compiled the kernel of STEP, and the bits that it came to."""
    folder = tmp_path_factory.mktemp("compiled")
    first = fresh(TOLD, folder)
    assert first.returncode == 0, first.stderr
    bits, imported = first.stdout.split()
    assert imported == "True"
    return folder, bits


@pytest.fixture
def cache(compiled: tuple[Path, str], tmp_path: Path) -> Path:
    """A copy of that cache."""
    return Path(shutil.copytree(compiled[0], tmp_path / "cache"))


def test_a_kernel_is_compiled_once_on_a_machine(compiled: tuple[Path, str]) -> None:
    folder, bits = compiled
    assert fresh(TOLD, folder).stdout.split() == [bits, "False"]
    readable = [f.read_text() for f in (folder / "kernels").glob("adam*.py")]
    assert any("def step(" in text and "sqrt(" in text for text in readable)
    assert (folder / "kernels").stat().st_mode & 0o077 == 0, "code that will be run is the user's alone to write"


@pytest.mark.parametrize("file", ["functions.py", "memory.py", "generator.py", "draws.py"])
def test_a_kernel_whose_functions_changed_is_compiled_anew(file: str, monkeypatch: pytest.MonkeyPatch) -> None:
    before, read = native._file("text", "name"), Path.read_bytes
    monkeypatch.setattr(native, "_words", native._words.__wrapped__)
    assert native._file("text", "name") == before
    monkeypatch.setattr(Path, "read_bytes", lambda path: read(path) + b"#" * (path.name == file))
    assert native._file("text", "name") != before


@pytest.mark.parametrize(
    "damage", [*(pytest.param(text, marks=pytest.mark.slow) for text in ("", "; no such function\n")), "cut"]
)
def test_damaged_files_are_made_anew(compiled: tuple[Path, str], cache: Path, damage: str) -> None:
    for file in (cache / "kernels").glob("*.ll"):
        text = file.read_text()
        file.write_text(text[: len(text) // 2] if damage == "cut" else damage)
    again = fresh(TOLD, cache)
    assert again.stdout.split() == [compiled[1], "True"], again.stderr
    assert "numba" not in fresh(STEP + "assert 'numba' not in sys.modules", cache).stderr


def test_a_cache_that_cannot_be_written(compiled: tuple[Path, str], tmp_path: Path) -> None:
    blocked = tmp_path / "a file"
    blocked.write_text("")
    assert fresh(STEP, blocked).stdout.strip() == compiled[1]


def test_without_numba_it_says_so_once_and_goes_on(compiled: tuple[Path, str], tmp_path: Path) -> None:
    code = "import sys; sys.modules['numba'] = None\n" + STEP + "tn.SGD(p).step(p)\nprint('llvmlite' in sys.modules)"
    done = fresh(code, tmp_path)
    assert done.returncode == 0, done.stderr
    bits, loaded = done.stdout.split()
    assert bits == compiled[1]
    assert loaded == "False"
    assert done.stderr.count("Numba is not installed") == 1


def test_threads_are_the_users_choice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NUMBA_NUM_THREADS", raising=False)
    everything = threads.count()
    monkeypatch.setenv("NUMBA_NUM_THREADS", "1")
    assert threads.count() == 1
    monkeypatch.setenv("NUMBA_NUM_THREADS", "1000")
    assert threads.count() == everything
    if hasattr(os, "sched_setaffinity"):
        code = "import os; os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})\nfrom thalweg.engines import threads\nprint(threads.count())"
        assert fresh(code).stdout.strip() == "1"


LARGE = 1_200_000


def large(seed: int) -> tuple[Any, Any]:
    draw = np.random.default_rng(seed)
    return draw.normal(size=LARGE).astype(np.float32), draw.normal(size=LARGE).astype(np.float32)


def stepped(seed: int) -> Any:
    p, g = large(seed)
    optimizer = tn.Adam(p)
    for _ in range(10):
        optimizer.step(g)
    return p


def test_two_python_threads_step_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "count", lambda: 3)
    found: dict[int, Any] = {}
    workers = [threading.Thread(target=lambda seed=seed: found.__setitem__(seed, stepped(seed))) for seed in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(PATIENCE)
    assert all(np.array_equal(found[seed], stepped(seed)) for seed in range(3))


def test_one_optimizer_from_two_threads_takes_turns() -> None:
    p, g = large(0)
    optimizer, twin = tn.SGD(p, 1.0), p.copy()
    workers = [threading.Thread(target=lambda: [optimizer.step(g) for _ in range(5)]) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(PATIENCE)
    for _ in range(10):
        twin -= g
    assert np.array_equal(p, twin)
    assert optimizer.state["t"] == {"p": 10}


FORK = """
import os, sys, warnings
warnings.simplefilter("ignore", DeprecationWarning)  # Python's own, about forking with threads
import numpy as np, thalweg.numpy as tn
from thalweg.engines import threads
threads.count = lambda: 2
p, g = np.ones(1_200_000, np.float32), np.ones(1_200_000, np.float32)
o = tn.SGD(p, lr=0.5)
o.step(g)
child = os.fork()
o.step(g)
if child == 0:
    os._exit(0 if (p == 0).all() else 1)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), (p == 0).all())
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_fork_after_a_step(tmp_path: Path) -> None:
    done = fresh(FORK)
    assert done.stdout.split() == ["0", "True"], done.stderr


def test_torchs_threads_beside_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    torch = pytest.importorskip("torch")
    monkeypatch.setattr(threads, "count", lambda: 2)
    alone = stepped(5)
    stop = threading.Event()

    def busy() -> None:
        x = torch.ones(600, 600)
        while not stop.is_set():
            x @ x

    other = threading.Thread(target=busy)
    other.start()
    try:
        assert np.array_equal(stepped(5), alone)
    finally:
        stop.set()
        other.join(PATIENCE)


def test_what_the_reader_of_addresses_refuses() -> None:
    like = [np.zeros((2, 3), np.float32), np.zeros(4)]
    table = np.zeros((2, 3), np.int64)
    kept = np.zeros(100, np.float32)
    look = Gradients(like, ranges([kept]), table[:, 1], reader())
    good = [np.ones((2, 3), np.float32), np.ones(4)]
    assert reader() is not None, "this Python's and this NumPy's arrays are read"
    assert look.look_up(good)
    assert table[:, 1].tolist() == [address(a) for a in good]
    wide = np.zeros((2, 6), np.float32)
    for bad in (
        good[0].astype(np.float64), good[0].astype(">f4"), good[0].T, good[0][:, ::-1], wide[:, ::2], good[0].ravel(), good[0][None],
        np.ones((2, 2), np.float32), kept[10:16].reshape(2, 3), kept[94:].reshape(2, 3), np.ma.ones((2, 3)), good[0].tolist(), None, 1.0,
    ):  # fmt: skip
        assert not look.look_up([bad, good[1]])
    assert not look.look_up(good[:1])
    assert not look.look_up([*good, good[0]])


def test_what_a_kernel_cannot_do_runs_unfused() -> None:
    mixed = tw.chain(tw.clip(1.0), tw.galore())  # memory of another shape than the parameter's
    p = np.ones((3, 2))
    optimizer = tn.Optimizer(p, mixed)
    optimizer.step(np.ones((3, 2)))
    assert not optimizer._bound._launches
    pure = tw.Optimizer(mixed)
    q, _ = pure.step(np.ones((3, 2)), np.ones((3, 2)), pure.init(np.ones((3, 2))))
    assert np.array_equal(p, q)


def test_the_kernel_says_what_the_rule_says() -> None:
    from click.testing import CliRunner

    from thalweg.commands.cli import main

    shown = CliRunner().invoke(main, ["show", "adam", "--kernel"]).output
    assert "m = beta1 * m_old + n1 * g" in shown
    assert "n1 = 1 - beta1" in shown
    assert "p_old - lr * (m / n2 / (sqrt(v / n4) + eps))" in shown
    refused = CliRunner().invoke(main, ["show", "galore", "--kernel"])
    assert refused.exit_code == 2
    assert "has no kernel" in refused.output


@tw.rule(lr=0.1)
def clipped(g, m=0.0):  # type: ignore[no-untyped-def]
    """Numbers clipped in one expression, each of which has a line before it."""
    m = m + g
    return sum(tw.ops.clip(x, -0.5 * k, 2.0) for k in range(1, 9) for x in (g, m)), m


def test_several_numbers_clipped_in_one_expression_are_told_apart() -> None:
    p, q, draw = np.zeros(50), np.zeros(50), np.random.default_rng(0)
    ours, plain = tn.of(clipped)(p), tn.of(clipped)(q, fused=False)
    for g in draw.normal(scale=2, size=(5, 50)):
        ours.step(g)
        plain.step(g)
    assert ours._bound._launches
    assert np.array_equal(p, q)


def test_native_code_is_compiled_for_this_processor() -> None:
    cpu, features = native._processor()
    assert cpu
    assert isinstance(native.converts_half(), bool)
    assert features
