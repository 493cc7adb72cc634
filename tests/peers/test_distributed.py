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

from peers import two_processes as work  # noqa: E402

CLASSES = ("Adam", "SGD", "NAdam", "SMORMS3")
NAMES = (*CLASSES, "norms", "factors", "matrices")


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[torch.Tensor]]:
    folder = tmp_path_factory.mktemp("two")
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent), "PYTHONWARNINGS": "ignore"}
    command = [sys.executable, "-m", "peers.two_processes"]
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


@pytest.mark.parametrize(
    ("way", "name"), [(w, n) for w in ("replicated", "zero", "sharded") for n in (CLASSES if w == "zero" else NAMES)]
)
def test_as_in_one_process(found: dict[str, list[torch.Tensor]], way: str, name: str) -> None:
    model = work.network()
    work.train(model, work.optimizer_for(name, model.parameters()), work.batches())
    for alone, together in zip(work.whole(model), found[f"{way} {name}"], strict=True):
        torch.testing.assert_close(together, alone, rtol=1e-9, atol=1e-11)
