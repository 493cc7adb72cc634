"""A state file of another rule, of other parameters or other numbers is refused in one sentence, and nothing is changed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from methods.frameworks import sixty_four_bits
from support import PATIENCE, stream

import thalweg as tw
import thalweg.numpy as tn
from core.saved.faces import FACES
from thalweg.core.saved.file import TEXT
from thalweg.values.tensor_files import read, write

PARAMS, GRADIENTS, _ = stream(steps=2)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    written = FACES["numpy"](tw.adamw(), PARAMS)
    written.step(GRADIENTS[0], 1.0)
    written.save(tmp_path / "run.safetensors")
    return tmp_path / "run.safetensors"


@pytest.fixture
def wide() -> Iterator[None]:
    with sixty_four_bits():
        yield


def refused(file: Path, sentence: str, params: dict[str, Any], rule: Any, **told: Any) -> None:
    """Each face refuses it with this sentence and stays as it is."""
    for name in ("pure", "numpy", "torch"):
        here = FACES[name](rule(), params, lr=0.1)
        here.step({n: np.ones_like(p) for n, p in params.items()}, 1.0)
        before = {n: p.copy() for n, p in here.arrays().items()}
        with pytest.raises(ValueError, match=sentence) as error:
            here.load(file, **told)
        assert "\n" not in str(error.value)
        for n, p in here.arrays().items():
            np.testing.assert_array_equal(p, before[n])


def test_of_another_rule(file: Path) -> None:
    refused(
        file,
        r"^run.safetensors holds the state of adamw \(with memory/adam/m, memory/adam/v\), and this is lion",
        PARAMS,
        tw.lion,
    )
    refused(file, r"and this is adam \+ adam \(with memory/adam/m, ", PARAMS, lambda: tw.chain(tw.adam(), tw.adam()))
    sgd = FACES["pure"](tw.sgd(), PARAMS)
    sgd.save(file)
    refused(file, r"holds the state of sgd \(with no memory\), and this is signsgd \(with no memory\)", PARAMS, tw.signsgd)


def test_of_other_parameters(file: Path) -> None:
    more = {**PARAMS, "c": np.ones(2)}
    refused(file, "^run.safetensors has no parameter 'c'; it has 'w', 'b', 's', and names= says which is which$", more, tw.adamw)
    fewer = {"w": PARAMS["w"], "b": PARAMS["b"]}
    refused(file, "^run.safetensors has 's', of which there is no parameter here; here are 'w', 'b'$", fewer, tw.adamw)
    refused(file, "has no parameter 'x', the name of 'b' there; it has", PARAMS, tw.adamw, names={"b": "x"})
    refused(file, "names= gives two parameters one name of the file", {**fewer, "s": PARAMS["s"], "t": PARAMS["s"]}, tw.adamw,
            names={"t": "s"})  # fmt: skip
    many = {f"p{i}": np.ones(1) for i in range(9)}
    refused(file, "has no parameter 'p0'; it has 'w', 'b', 's', and", many, tw.adamw)


def test_of_other_shapes_and_dtypes(file: Path) -> None:
    turned = {**PARAMS, "w": PARAMS["w"].T.copy()}
    refused(file, r"memory/adam/m of 'w' has shape \(4, 3\), and here it has \(3, 4\); .*arrays=lambda", turned, tw.adamw)
    narrow = {**PARAMS, "w": PARAMS["w"].astype(np.float32)}
    refused(file, "'w': it is float64, and not all of its numbers are numbers of float32, which is wanted here", narrow, tw.adamw)
    wide = FACES["pure"](tw.sgd(), {"w": np.ones((2, 2), np.float32)})
    wide.save(file)
    refused(file, "'w' is float32, and here it is float64; make it float32 first", {"w": np.ones((2, 2))}, tw.sgd)


def test_routed_otherwise(file: Path) -> None:
    route = tw.choose((tw.named("w"), tw.momentum().at(lr=0.1)), otherwise=tw.adam())
    FACES["pure"](route, PARAMS).save(file)
    other = lambda: tw.choose((tw.named("[wb]"), tw.momentum().at(lr=0.1)), otherwise=tw.adam())  # noqa: E731
    refused(file, r"has none memory/choose\(momentum, adam\)/momentum/momentum/v of 'b', and here it has some", PARAMS, other)


def test_damaged_and_foreign_files(file: Path) -> None:
    content = file.read_bytes()
    file.write_bytes(content[:-1])
    refused(file, "^run.safetensors is cut short: its tensors take", PARAMS, tw.adamw)
    file.write_bytes(content[:-1] + bytes([content[-1] ^ 64]))
    refused(file, "^run.safetensors is damaged: its checksum is another", PARAMS, tw.adamw)
    file.write_text("no numbers at all")
    refused(file, "^run.safetensors is no safetensors file", PARAMS, tw.adamw)
    write(file, {}, {})
    refused(file, "^run.safetensors is a safetensors file, but not one of an optimizer's state", PARAMS, tw.adamw)
    tw.trees.save(file, {"w": np.ones(3)})
    refused(file, "^run.safetensors is no safetensors file", PARAMS, tw.adamw)
    with pytest.raises(FileNotFoundError):
        tn.load_state(file.with_name("none"), tn.Adam({"w": np.ones(2)}))


def test_of_a_later_format_or_without_a_tensor(file: Path) -> None:
    tensors, told = read(file)
    header = json.loads(told[TEXT])
    write(file, tensors, {TEXT: json.dumps({**header, "format": 2, "version": "9.1"})})
    refused(file, "^run.safetensors is in format 2, written by thalweg 9.1; this one reads up to 1$", PARAMS, tw.adamw)
    tensors.pop("memory/adam/v/b")
    write(file, tensors, {TEXT: json.dumps(header)})
    refused(file, "^run.safetensors is damaged: it has no 'memory/adam/v/b', of which its header speaks$", PARAMS, tw.adamw)


@pytest.mark.usefixtures("wide")
def test_without_a_count_where_one_is_read(tmp_path: Path) -> None:
    first = FACES["jax"](tw.momentum(), PARAMS)
    first.save(tmp_path / "a")
    schedule = {"lr": tw.schedules.cosine(0.1, 10)}
    for name in ("pure", "numpy", "torch", "jax"):
        with pytest.raises(ValueError, match=r"the file does not count the updates of .*, and momentum reads their number here"):
            FACES[name](tw.momentum(), PARAMS, **schedule).load(tmp_path / "a")
    FACES["torch"](tw.momentum(), PARAMS).load(tmp_path / "a")


@pytest.mark.usefixtures("wide")
def test_counts_that_differ_are_not_optax_s(tmp_path: Path) -> None:
    first = FACES["pure"](tw.adam(), PARAMS)
    first.step({**GRADIENTS[0], "s": None}, 1.0)
    first.save(tmp_path / "a")
    with pytest.raises(ValueError, match="the file counts 0 updates of one parameter and 1 of another; optax has one"):
        FACES["jax"](tw.adam(), PARAMS).load(tmp_path / "a")


@pytest.mark.usefixtures("wide")
@pytest.mark.parametrize("face", FACES)
def test_other_settings_are_told(face: str, file: Path) -> None:
    changed = FACES[face](tw.adamw(beta2=0.99, weight_decay=0.0), {n: p.copy() for n, p in PARAMS.items()}, lr=0.5)
    sentence = (
        "run.safetensors was written with other settings, and the steps go on with those here: lr was 0.001 and is 0.5; "
        "beta2 of adam was 0.999 and is 0.99; weight_decay of decay was 0.01 and is 0.0"
    )
    with pytest.warns(UserWarning, match="other settings") as told:
        changed.load(file)
    assert [str(each.message) for each in told] == [sentence]
    with pytest.warns(UserWarning, match="there is no clip there$"):
        FACES[face](tw.chain(tw.clip(1.0), tw.adamw()), PARAMS).load(file)


WRITING = """
import sys, numpy as np, thalweg as tw
optimizer = tw.Optimizer(tw.adam())
params = {"w": np.ones(300_000)}
state = optimizer.init(params)
print("ready", flush=True)
while True:
    tw.save_state(sys.argv[1], optimizer, params, state)
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="nothing to kill with")
def test_who_is_killed_in_the_middle_leaves_a_whole_file(tmp_path: Path) -> None:
    file = tmp_path / "a"
    optimizer, params = tw.Optimizer(tw.adam()), {"w": np.zeros(300_000)}
    tw.save_state(file, optimizer, params, optimizer.init(params))
    for pause in (0.003, 0.01, 0.03):
        process = subprocess.Popen([sys.executable, "-c", WRITING, str(file)], stdout=subprocess.PIPE, text=True, env=os.environ)
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        time.sleep(pause)
        process.kill()
        process.communicate(timeout=PATIENCE)
        found, _ = tw.load_state(file, optimizer, params)
        assert found["w"].sum() in (0.0, 300_000.0)


@pytest.mark.parametrize("face", ["pure", "numpy"])
def test_a_folder_that_is_missing_is_named(face: str, tmp_path: Path) -> None:
    run = FACES[face](tw.adamw(), PARAMS)
    run.step(GRADIENTS[0], 1.0)
    with pytest.raises(FileNotFoundError, match=r"run\.safetensors cannot be written: there is no folder: .*runs'$") as found:
        run.save(tmp_path / "runs" / "run.safetensors")
    assert found.value.filename == str(tmp_path / "runs")
