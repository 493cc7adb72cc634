"""Files in the safetensors format: those of the package are read here, ours there; what is damaged is refused in one sentence."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from thalweg.values import tensor_files
from thalweg.values.tensor_files import DTYPES, Bits, array_of, bits_of, read, write

DRAW = np.random.default_rng(0)
ARRAYS = {
    "w": DRAW.normal(size=(3, 2)),
    "single": DRAW.normal(size=(5,)).astype(np.float32),
    "half": DRAW.normal(size=(2, 1, 3)).astype(np.float16),
    "a number": np.asarray(7, np.int64),
    "none at all": np.zeros((0, 4)),
    "key": np.asarray([1, 2**32 - 1], np.uint32),
    "turned": np.asarray(DRAW.normal(size=(3, 4))).T,
}


def saved(path: Path, told: dict[str, str] | None = None) -> Path:
    write(path, {name: bits_of(x) for name, x in ARRAYS.items()}, told or {"thalweg": "{}"})
    return path


def test_what_is_written_is_read(tmp_path: Path) -> None:
    tensors, told = read(saved(tmp_path / "a", {"said": "é\u2028\ud83d"}))
    assert told["said"] == "é\u2028\ud83d"
    assert tensors.keys() == ARRAYS.keys()
    for name, x in ARRAYS.items():
        found = array_of(tensors[name], x)
        assert found.dtype == x.dtype
        np.testing.assert_array_equal(found, x)


def test_the_package_reads_ours(tmp_path: Path) -> None:
    theirs = pytest.importorskip("safetensors")
    with theirs.safe_open(saved(tmp_path / "a"), "np") as file:
        assert file.metadata()["thalweg"] == "{}"
        assert len(file.metadata()["crc32"]) == 8
        assert set(file.keys()) == ARRAYS.keys()
        for name, x in ARRAYS.items():
            np.testing.assert_array_equal(file.get_tensor(name), x)


def test_ours_reads_the_package_s(tmp_path: Path) -> None:
    pytest.importorskip("safetensors")
    from safetensors.numpy import save_file

    save_file({name: np.ascontiguousarray(x) for name, x in ARRAYS.items()}, tmp_path / "a", {"by": "them"})
    tensors, told = read(tmp_path / "a")
    assert told == {"by": "them"}
    for name, x in ARRAYS.items():
        np.testing.assert_array_equal(array_of(tensors[name], x), x)


def test_torch_s_bfloat16_goes_through_numpy_and_back(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    x = torch.tensor([1.0, -2.5, float("nan"), 1e-40, float("inf")], dtype=torch.bfloat16)
    write(tmp_path / "a", {"x": bits_of(x)}, {})
    found = array_of(read(tmp_path / "a")[0]["x"], x)
    assert found.dtype is torch.bfloat16
    assert torch.equal(found.view(torch.int16), x.view(torch.int16))
    wide = array_of(read(tmp_path / "a")[0]["x"], np.zeros(5, np.float32))
    np.testing.assert_array_equal(wide, x.float().numpy())
    safe = pytest.importorskip("safetensors.torch")
    assert torch.equal(safe.load_file(tmp_path / "a")["x"].view(torch.int16), x.view(torch.int16))


@pytest.mark.parametrize("half", ["bfloat16", "float16"])
def test_jax_s_half_precision_is_torch_s(half: str) -> None:
    torch, jnp = pytest.importorskip("torch"), pytest.importorskip("jax.numpy")
    x = jnp.asarray([1.0, -2.5, 0.1], half)
    found = array_of(bits_of(x), torch.zeros(3, dtype=getattr(torch, half)))
    np.testing.assert_array_equal(found.float().numpy(), np.asarray(x, np.float32))
    assert array_of(bits_of(found), x).dtype == x.dtype


def test_numbers_are_never_rounded() -> None:
    exact, third = bits_of(np.asarray([0.5, np.nan])), bits_of(np.asarray([1 / 3]))
    np.testing.assert_array_equal(array_of(exact, np.zeros(2, np.float32)), np.asarray([0.5, np.nan], np.float32))
    with pytest.raises(ValueError, match="it is float64, and not all of its numbers are numbers of float32"):
        array_of(third, np.zeros(1, np.float32))


def test_a_file_cut_short_is_told(tmp_path: Path) -> None:
    content = saved(tmp_path / "a").read_bytes()
    for end in (0, 5, 8, 40, len(content) // 2, len(content) - 1):
        (tmp_path / "b").write_bytes(content[:end])
        with pytest.raises(ValueError, match=r"^b is (no safetensors file, or only the beginning of one|cut short)"):
            read(tmp_path / "b")


def test_any_damaged_byte_is_told(tmp_path: Path) -> None:
    content = saved(tmp_path / "a").read_bytes()
    unseen = 0
    for place in range(len(content)):
        changed = bytearray(content)
        changed[place] ^= 1
        (tmp_path / "b").write_bytes(changed)
        with contextlib.suppress(ValueError):
            tensors, told = read(tmp_path / "b")
            assert tensors.keys() == ARRAYS.keys()
            assert told["thalweg"] == "{}"
            unseen += "crc32" in told
    assert unseen <= 8  # blanks behind the header; readers of ours miss the checksum where its name is damaged


@pytest.mark.parametrize("content", [b"PK\x03\x04" + bytes(200), b"\x08" + bytes(7) + b"[1,2,3]]", b"\x02" + bytes(7) + b"{}x"])
def test_other_files_are_told(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "b").write_bytes(content)
    with pytest.raises(ValueError, match="b is "):
        read(tmp_path / "b")


@pytest.mark.parametrize(
    "said",
    [
        {"dtype": "F32", "shape": [2], "data_offsets": [0, 4]},
        {"dtype": "F99", "shape": [2], "data_offsets": [0, 8]},
        {"dtype": "F32", "shape": [-2], "data_offsets": [0, 8]},
        {"dtype": "F32", "shape": [2], "data_offsets": [8, 0]},
        {"dtype": "F32"},
        7,
    ],
)
def test_a_header_that_cannot_be_is_told(said: Any, tmp_path: Path) -> None:
    text = json.dumps({"x": said}).encode()
    (tmp_path / "b").write_bytes(len(text).to_bytes(8, "little") + text + bytes(8))
    with pytest.raises(ValueError, match="b is damaged: its header cannot be read"):
        read(tmp_path / "b")


def test_a_write_that_fails_leaves_the_file_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = saved(tmp_path / "a").read_bytes()

    class Failing:
        @property
        def data(self) -> Any:
            raise OSError("no space left")

        size = 8

    monkeypatch.setattr(tensor_files, "_checksum", lambda header, parts: "0")
    with pytest.raises(OSError, match="no space left"):
        write(tmp_path / "a", {"x": Bits("float64", (1,), Failing())}, {})  # type: ignore[arg-type]
    assert (tmp_path / "a").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_the_header_ends_where_numbers_may_begin(tmp_path: Path) -> None:
    content = saved(tmp_path / "a").read_bytes()
    size = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + size])
    assert size % 8 == 0
    for name, said in header.items():
        if name != "__metadata__":
            assert said["data_offsets"][0] % ARRAYS[name].itemsize == 0
            assert said["dtype"] == DTYPES[ARRAYS[name].dtype.name]
