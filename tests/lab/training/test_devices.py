"""Trials on devices of their own, each of which its process sees alone, and what becomes of a rule that one has no memory for."""

from __future__ import annotations

import json
import os
import sqlite3
import sys
from collections import deque
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

import thalweg as tw
from lab.command import thalweg
from lab.training.loops import BOWL, bowl, described, here, written
from thalweg import lab
from thalweg.lab.protocol.tune import Setting
from thalweg.lab.refusal import Refusal
from thalweg.lab.running import devices
from thalweg.lab.running.sweep import WorkItem, sweep
from thalweg.lab.training.memory import LackOfMemory, is_lack
from thalweg.lab.training.running import outcome

FEW: dict[str, Any] = {"rules": ["sgd", "adam"], "budget": 2, "seeds": 2}
NOTES = """    import json, os
    with open(__file__ + '.seen', 'a') as file:
        names = 'CUDA_VISIBLE_DEVICES', 'THALWEG_DEVICE', 'XLA_PYTHON_CLIENT_PREALLOCATE'
        file.write(json.dumps([os.getpid(), trial.device, *map(os.environ.get, names)]) + '\\n')
"""
TOLD = BOWL.replace('    """Roll down."""\n', '    """Roll down."""\n' + NOTES)


PRETENDS = "from thalweg.lab.running import devices\n\ndevices.drivers = lambda: 1\n"


def seen(path: Path) -> list[Any]:
    """What each run saw: the process, the trial's device, and the environment."""
    return [json.loads(line) for line in Path(f"{path}.seen").read_text().splitlines()]


@pytest.mark.parametrize("by", ["processes", "loky", "dask"])
@pytest.mark.slow
def test_each_process_sees_its_device_alone(by: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no GPU is: what a process is told of it. A run begins only after both processes did."""
    if by == "dask":
        pytest.importorskip("distributed")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "4,GPU-7")
    waits = "    import time\n    time.sleep(0.1)\n"
    path = written(tmp_path, PRETENDS + TOLD.replace('    """Roll down."""\n', '    """Roll down."""\n' + waits))
    lab.compare(path, **FEW, devices="cuda:0,cuda:1", engine=by, out=tmp_path / "out")
    runs = seen(path)
    assert {tuple(run[1:]) for run in runs} == {("cuda", "4", "cuda:0", None), ("cuda", "GPU-7", "cuda:1", None)}
    assert all(len({run[3] for run in runs if run[0] == process}) == 1 for process, *_ in runs)
    assert os.environ["CUDA_VISIBLE_DEVICES"] == "4,GPU-7"
    assert devices.given() is None


def test_on_the_cpu_no_gpu_is_seen_and_more_jobs_than_devices_share(tmp_path: Path) -> None:
    path = written(tmp_path, TOLD)
    done = thalweg(
        "compare",
        "--train",
        path,
        "--rules",
        "sgd,adam",
        "--budget",
        2,
        "--seeds",
        2,
        "--devices",
        "cpu",
        "--out",
        tmp_path / "a",
    )
    assert done.returncode == 0, done.stderr
    assert {tuple(run[1:4]) for run in seen(path)} == {("cpu", "", "cpu")}
    assert "on 1 core" in done.stderr
    many = devices.spread(["cuda:1", "cuda:0"], 3)
    assert many == ("cuda:1", "cuda:0", "cuda:1")
    assert [devices.environment(many, i).get("XLA_PYTHON_CLIENT_PREALLOCATE") for i in range(3)] == ["false", None, "false"]
    assert devices.environment((), 0) == {}


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({"devices": "gpu"}, "devices names 'gpu'; a device is cpu, mps, cuda:0, cuda:1, ...: write for example cuda:0"),
        ({"devices": [1]}, "devices names 1; a device is cpu, mps, cuda:0, cuda:1, ...: write for example cuda:1"),
        ({"devices": "cuda:0,cuda:"}, "devices names 'cuda:'"),
        ({"devices": ""}, "devices names none"),
        ({"devices": "cuda:0,cuda:2"}, "devices cuda:2: the environment variable CUDA_VISIBLE_DEVICES leaves cuda:0 to cuda:1"),
        ({"devices": "cpu,cpu", "jobs": 1}, "jobs 1 is fewer than the 2 devices; name fewer, or leave jobs out"),
        ({"devices": "cpu", "cluster": "tcp://a:1"}, "start each worker of a cluster with its own, for example CUDA_VISIBLE_DEVICES=1"),
        ({"devices": "cpu", "engine": lab.Engine(lambda: None, 1)}, "let your executor start its own with CUDA_VISIBLE_DEVICES"),
    ],
)  # fmt: skip
def test_what_is_no_device_is_refused(asked: Any, says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "2,3")
    with pytest.raises(Refusal) as error:
        lab.compare(written(tmp_path), **{**FEW, **asked}, out=tmp_path / "out")
    assert says in str(error.value)


def test_devices_are_for_training_functions_that_leave_this_process(tmp_path: Path) -> None:
    with pytest.raises(Refusal, match="devices is for a training function of yours; give it with train"):
        lab.compare(problem="xor", devices="cpu")
    with pytest.raises(Refusal, match="devices needs child processes, and this function cannot be sent to one"):
        lab.compare(here(bowl), **FEW, devices="cpu", out=tmp_path)


MISSING = "import torch\n\n\ndef train(trial):\n    optimizer = trial.optimizer(torch.nn.Linear(2, 2))\n    return 1.0\n"


def test_a_gpu_that_is_not_there_ends_the_comparison_in_a_sentence(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    if torch.cuda.is_available():
        pytest.skip("there is one")
    with pytest.raises(Refusal) as error:
        lab.compare(written(tmp_path, MISSING), **FEW, devices="cuda:0", out=tmp_path / "out")
    assert str(error.value) == f"devices cuda:0: PyTorch {torch.__version__} sees no such device on this machine"


@pytest.mark.parametrize("device", ["cuda:7", "mps"])
def test_nor_does_a_function_of_arrays_run_beside_its_device_in_silence(device: str, tmp_path: Path) -> None:
    """Where neither PyTorch nor JAX can be asked, the driver is."""
    if devices.drivers() or sys.platform == "darwin":
        pytest.skip("there may be one")
    with pytest.raises(Refusal) as error:
        lab.compare(written(tmp_path), **FEW, devices=device, out=tmp_path / "out")
    assert str(error.value) == f"devices {device}: there is no such device on this machine"


@pytest.mark.slow
def test_one_that_is_lost_later_ends_it_too(tmp_path: Path) -> None:
    """No row is to blame, and what is finished is kept."""
    lost = """    import os
    with open(__file__ + '.runs', 'a') as runs:
        runs.write('x')
    if os.path.getsize(__file__ + '.runs') > 6:
        from thalweg.lab.running.devices import NoDevice
        raise NoDevice('--devices cuda:1: it is gone')
"""
    path = written(tmp_path, BOWL.replace('    """Roll down."""\n', '    """Roll down."""\n' + lost))
    with pytest.raises(Refusal, match="devices cuda:1: it is gone"):
        lab.compare(path, **FEW, devices="cpu", out=tmp_path / "out")
    assert (tmp_path / "out" / "trials.sqlite3").is_file()


def lacks() -> list[BaseException]:
    """Lack of memory, as the frameworks that are installed raise it."""
    found: list[BaseException] = [MemoryError(), RuntimeError("CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`")]
    try:
        import torch

        found.append(torch.cuda.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB." + " More advice." * 40))
        try:
            torch.empty(1 << 60)
        except RuntimeError as error:
            found.append(error)
    except ImportError:
        pass
    try:
        import jax

        found.append(jax.errors.JaxRuntimeError("RESOURCE_EXHAUSTED: Out of memory while trying to allocate 34359738368 bytes."))
    except ImportError:
        pass
    return found


@pytest.mark.slow
def test_lack_of_memory_is_known_whoever_says_it() -> None:
    for error in lacks():
        assert is_lack(error), error

        def train(trial: Any, error: BaseException = error) -> Any:
            raise error

        with pytest.raises(LackOfMemory, match=rf"^out of memory: {type(error).__name__}.*"):
            outcome(described(train), tw.rules["sgd"], Setting(0.1), 0, 8)
    assert not is_lack(RuntimeError("the loss is nan"))
    assert not is_lack(ValueError("out of memory"))


LACKS = """
class OutOfMemoryError(RuntimeError):
    pass


def short(trial):
    if trial.rule == "adam":
        raise OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB.\\nMore lines")
    return train(trial)
"""


@pytest.mark.slow
@pytest.mark.parametrize("by", ["processes", "dask"])
def test_a_device_without_enough_memory_is_that_row_s_result(by: str, tmp_path: Path) -> None:
    """Also where the pilot meets it first: another rule is tried then. The same command tries these runs again."""
    if by == "dask":
        pytest.importorskip("distributed")
    path, more = written(tmp_path, BOWL + LACKS), {**FEW, "rules": ["sgd", "momentum", "adam"], "seeds": 6}
    found = lab.compare(f"{path}:short", **more, devices=["cpu", "cpu"], engine=by, out=tmp_path / "out")
    rows = {row["name"]: row for row in found.results["rules"]}
    assert [rows[name]["failed"] for name in ("sgd", "momentum", "adam")] == [False, False, True]
    told = (
        "it failed: out of memory on cpu: OutOfMemoryError: CUDA out of memory. Tried to allocate 20.00 MiB. (mine.py, line 33)"
    )
    assert rows["adam"]["note"] == told
    assert "adam, which failed" in found.results["answer"]["avoid"]
    assert found.results["training"]["rule"] == "momentum"
    with closing(sqlite3.connect(tmp_path / "out" / "trials.sqlite3")) as store:
        assert "out of memory" not in str(store.execute("SELECT trial FROM trials").fetchall())


def test_where_no_rule_has_enough_memory_the_pilot_says_so(tmp_path: Path) -> None:
    path = written(tmp_path, "def train(trial):\n    raise MemoryError('no more')\n")
    with pytest.raises(Refusal) as error:
        lab.compare(path, **FEW, devices="cpu", out=tmp_path / "out")
    assert str(error.value) == f"{path}: out of memory on cpu: MemoryError: no more (mine.py, line 2)"


def _device(specs: Sequence[int]) -> list[str | None]:
    return [devices.given() for _ in specs]


class Kept:
    def __init__(self) -> None:
        self.results: list[Any] = []

    def add(self, pairs: Any) -> None:
        self.results += [result for _, result in pairs]

    note = add


def test_a_trial_that_runs_alone_after_a_death_has_a_device_too() -> None:
    """Another engine's processes die unseen, so such a trial gets a process of the sweep's own."""
    kept, waiting = Kept(), deque([WorkItem(None, "row", _device, (), (1,), alone=True)])
    with ThreadPoolExecutor(1) as executor:
        done = list(sweep(waiting, executor, 1, kept, lambda spec, why: why, devices=("cpu", "cuda:1")))
    assert (len(done), kept.results) == (1, ["cpu"])
