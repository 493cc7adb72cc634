"""Two processes come to where one does: replicated, with the state shared out, and with the parameters sharded."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from support import PATIENCE, running

torch = pytest.importorskip("torch")
if not torch.distributed.is_available():
    pytest.skip("torch was built without torch.distributed", allow_module_level=True)

from torch_face import two_processes as work  # noqa: E402

CLASSES = ("Adam", "SGD", "NAdam", "SMORMS3")
NAMES = (*CLASSES, "norms", "factors", "matrices")


@pytest.mark.slow
def test_as_in_one_process(tmp_path: Path) -> None:
    """All in one test: the two processes begin once, and not in every worker that has a part of the cases."""
    found = in_two_processes(tmp_path)
    assert set(found) == {
        f"{way} {name}" for way in ("replicated", "zero", "sharded") for name in (CLASSES if way == "zero" else NAMES)
    }
    alone = {name: in_one(name) for name in NAMES}
    for case, together in found.items():
        for ours, theirs in zip(alone[case.split()[1]], together, strict=True):
            torch.testing.assert_close(theirs, ours, rtol=1e-9, atol=1e-11, msg=lambda why, case=case: f"{case}: {why}")


def in_one(name: str) -> list[torch.Tensor]:
    model = work.network()
    work.train(model, work.optimizer_for(name, model.parameters()), work.batches())
    return work.whole(model)


def in_two_processes(folder: Path) -> dict[str, list[torch.Tensor]]:
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1]), "PYTHONWARNINGS": "ignore"}
    command = [sys.executable, "-m", "torch_face.two_processes"]
    commands = [[*command, str(rank), str(folder / "meet"), str(folder / "out.pt"), *NAMES] for rank in (0, 1)]
    told = [folder / "errors 0", folder / "errors 1"]
    with (
        told[0].open("w") as zero, told[1].open("w") as one,
        running(commands[0], env=environment, stderr=zero) as first, running(commands[1], env=environment, stderr=one) as second,
    ):  # fmt: skip
        codes = [process.wait(PATIENCE) for process in (first, second)]
    assert codes == [0, 0], "".join(path.read_text()[-3000:] for path in told)
    kept: dict[str, list[torch.Tensor]] = torch.load(folder / "out.pt", weights_only=True)
    return kept
