"""Large steps run in torch's own threads, as many as torch takes, and the numbers are those of one thread."""

from __future__ import annotations

import ctypes
import ctypes.util
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")

import thalweg as tw  # noqa: E402
import thalweg.torch as tt  # noqa: E402
from thalweg.engines import threads  # noqa: E402
from thalweg.torch.kernels import cpu  # noqa: E402

TEAM = threads.team_of(cpu.RUNTIME)
needs_team = pytest.mark.skipif(
    not isinstance(TEAM, threads.Team), reason="torch runs in no OpenMP runtime with GNU's entry point"
)
PATIENCE = 60.0


@pytest.mark.parametrize("name", ["Adam", "AdaBelief", "Muon"])
def test_no_step_is_lost_between_two_threads(name: str) -> None:
    p, q = (torch.nn.Parameter(torch.ones(16, 16)) for _ in range(2))
    optimizer, alone = getattr(tt, name)([p]), getattr(tt, name)([q])
    p.grad, q.grad = torch.ones(16, 16), torch.ones(16, 16)

    def train() -> None:
        for _ in range(50):
            optimizer.step()

    together = [threading.Thread(target=train) for _ in range(3)]
    for thread in together:
        thread.start()
    for thread in together:
        thread.join(PATIENCE)
    for _ in range(150):
        alone.step()
    assert torch.equal(p, q)


@needs_team
@pytest.mark.parametrize("total", [1, 2, 7, 16, 17, 1000])
@pytest.mark.parametrize("count", [1, 2, 3, 5])
def test_each_job_is_run_once(total: int, count: int) -> None:
    done, whose = np.zeros(total, np.int64), set[int]()
    before = torch.get_num_threads()

    @ctypes.CFUNCTYPE(ctypes.c_int64, *[ctypes.c_int64] * 5)
    def step(addresses: int, numbers: int, jobs: int, first: int, last: int) -> int:
        assert (addresses, numbers, jobs) == (11, 12, 13)
        done[first:last] += 1
        whose.add(threading.get_native_id())
        return 0

    torch.set_num_threads(count)
    try:
        TEAM.share(step, 11, 12, 13, total)
    finally:
        torch.set_num_threads(before)
    assert (done == 1).all()
    assert len(whose) <= count


def test_without_such_a_runtime_pythons_threads_do(tmp_path: Path) -> None:
    assert threads.team_of(str(tmp_path / "none.so")) is threads.PYTHON
    assert threads.team_of(ctypes.util.find_library("c") or "libc.so.6") is threads.PYTHON


SIZES = [(1024, 700), (300_001,), (5,), ()]


def trained(make: Any, steps: int = 3) -> list[Any]:
    draw = torch.Generator().manual_seed(0)
    params = [torch.nn.Parameter(torch.randn(s, generator=draw)) for s in SIZES]
    optimizer = make(params)
    for _ in range(steps):
        for p in params:
            p.grad = torch.randn(p.shape, generator=draw)
        optimizer.step()
    return [p.detach() for p in params]


@needs_team
@pytest.mark.parametrize(
    "make",
    [
        lambda p: tt.AdamW(p, lr=1e-2),
        lambda p: tt.LAMB(p, lr=1e-2),
        lambda p: tt.Optimizer(p, tw.chain(tw.clip(0.5), tw.adam()), lr=1e-2),
        lambda p: tt.AdamW(p, lr=1e-2, state_dtype="int8"),
    ],
    ids=["one pass", "sums", "a norm", "int8"],
)
def test_any_number_of_threads_gives_the_same_bits(make: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    before, found = torch.get_num_threads(), []
    for count in (1, 2, 3):
        torch.set_num_threads(count)
        found.append(trained(make))
    torch.set_num_threads(before)
    monkeypatch.setattr(cpu, "team_of", lambda library: threads.PYTHON)
    found.append(trained(make))
    assert all(torch.equal(a, b) for other in found[1:] for a, b in zip(found[0], other, strict=True))


FORK = """
import os, sys, warnings
warnings.simplefilter("ignore", DeprecationWarning)  # Python's own, about forking with threads
import torch, thalweg.torch as tt
torch.set_num_threads(2)
p = torch.nn.Parameter(torch.ones(1_200_000))
p.grad = torch.ones(1_200_000)
o = tt.SGD([p], lr=0.5)
if {first}:
    o.step()
else:
    p.data -= 0.5 * torch.ones(1_200_000)  # by torch's threads
child = os.fork()
o.step()
if child == 0:
    os._exit(0 if (p.detach().numpy() == 0).all() else 1)  # torch's own would wait for threads that are not there
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), (p.detach().numpy() == 0).all())
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.parametrize(
    "first", [pytest.param(True, id="a step of ours"), pytest.param(False, id="an operation of torch's", marks=pytest.mark.slow)]
)
def test_a_fork(first: bool) -> None:
    done = subprocess.run(
        [sys.executable, "-c", FORK.replace("{first}", str(first))], capture_output=True, text=True, timeout=PATIENCE
    )
    assert done.stdout.split() == ["0", "True"], done.stderr


def test_two_optimizers_step_at_once_from_threads_of_their_own() -> None:
    found: dict[int, Any] = {}
    alone = trained(lambda p: tt.AdamW(p, lr=1e-2), 5)

    def work(k: int) -> None:
        found[k] = trained(lambda p: tt.AdamW(p, lr=1e-2), 5)

    workers = [threading.Thread(target=work, args=(k,)) for k in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(PATIENCE)
    assert all(torch.equal(a, b) for k in range(3) for a, b in zip(found[k], alone, strict=True))
