"""The cache folder: nothing damaged is used, and nothing that another user may have put there."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import thalweg.numpy as tn
from thalweg.engines import native
from thalweg.lab.trials.json_cache import json_cache
from thalweg.values import own_files

HAS_OWNERS = pytest.mark.skipif(not hasattr(os, "geteuid"), reason="files have no owners here")
TEXT = """import numba

@numba.cfunc(numba.int64(numba.int64, numba.int64))
def step(a, b):
    return a + b
"""


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    own_files._tell.cache_clear()
    monkeypatch.setenv("THALWEG_CACHE", str(tmp_path))
    return tmp_path / "kernels"


@pytest.fixture
def kernel(cache: Path) -> Path:
    """A kernel that was compiled and kept."""
    assert sums() == 5
    (path,) = cache.glob("*.ll")
    return path


def sums() -> int:
    """What the kernel makes of 2 and 3, as another process would load it."""
    native._address.cache_clear()
    native.compiled.cache_clear()
    return native.compiled(TEXT, "sum")(2, 3)


@pytest.mark.parametrize("place", [2, 40, 100, -1, -500])
def test_a_flipped_bit_in_a_kept_kernel(place: int, kernel: Path) -> None:
    for bit in (1, 128):  # the second makes it no UTF-8
        data = bytearray(kernel.read_bytes())
        data[place] ^= bit
        kernel.write_bytes(data)
        assert not native.is_kept(TEXT, "sum")
        assert sums() == 5
        assert native.is_kept(TEXT, "sum"), "made anew"


@pytest.mark.parametrize("content", [b"", b"\0", b"[]", b"; x y\n", b"; " + b"\xff" * 99])
def test_what_is_no_kernel(content: bytes, kernel: Path) -> None:
    kernel.write_bytes(content)
    assert sums() == 5


def test_a_folder_in_a_kernels_place(kernel: Path) -> None:
    kernel.unlink()
    (kernel / "full").mkdir(parents=True)
    assert sums() == 5


def test_another_kernels_file_is_not_taken(kernel: Path) -> None:
    """Whatever its digest says of itself."""
    symbol, code = native._parts(kernel.read_bytes(), kernel) or ("", "")
    assert symbol
    kernel.write_bytes(native._kept(symbol, code, kernel.with_name("another.ll")))
    assert not native.is_kept(TEXT, "sum")


def mode(bits: int) -> Callable[[Path], None]:
    return lambda path: path.chmod(bits)


def given_away(path: Path) -> None:
    if os.geteuid():
        pytest.skip("only root can give a file away")
    os.chown(path, 12345, 12345)


def linked(path: Path) -> None:
    path.rename(path.with_suffix(".real"))
    path.symlink_to(path.with_suffix(".real"))


@HAS_OWNERS
@pytest.mark.parametrize(
    ("spoil", "whose", "says"),
    [
        (mode(0o666), "file", "others can write to it"),
        (mode(0o620), "file", "others can write to it"),
        (given_away, "file", "it belongs to another user"),
        (mode(0o777), "folder", "others can write to it"),
        (mode(0o770), "folder", "others can write to it"),
        (mode(0o1777), "folder", "others can write to it"),
        (given_away, "folder", "it belongs to another user"),
        (mode(0o777), "cache", "everybody can write to it"),
    ],
)
def test_a_forged_kernel_is_not_loaded(spoil: Callable[[Path], None], whose: str, says: str, kernel: Path) -> None:
    symbol, code = native._parts(kernel.read_bytes(), kernel) or ("", "")
    assert symbol
    forged = re.sub(r"= add( nsw| nuw)* i64", r"= sub\1 i64", code)
    assert forged != code
    kernel.write_bytes(native._kept(symbol, forged, kernel))
    spoil({"file": kernel, "folder": kernel.parent, "cache": kernel.parent.parent}[whose])
    with pytest.warns(RuntimeWarning, match=f"nothing is taken from .*, for {says}.*THALWEG_CACHE"):
        assert sums() == 5
    assert sums() == 5, "said once"


@HAS_OWNERS
def test_a_link_is_not_followed(kernel: Path) -> None:
    linked(kernel)
    assert own_files.read(kernel) is None
    assert sums() == 5
    assert not kernel.is_symlink(), "made anew"


@HAS_OWNERS
def test_what_is_written_is_this_users_alone(kernel: Path) -> None:
    assert kernel.stat().st_mode & 0o777 == 0o600
    assert kernel.parent.stat().st_mode & 0o777 == 0o700


@HAS_OWNERS
def test_a_pipe_in_a_files_place_is_not_waited_for(cache: Path) -> None:
    cache.mkdir()
    os.mkfifo(cache / "seconds.json")
    with json_cache(cache / "seconds.json", cached=True) as known:
        assert known == {}


def test_a_cache_that_cannot_be_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("THALWEG_CACHE", str(tmp_path / "file" / "deeper"))
    assert sums() == 5
    optimizer = tn.Adam([np.ones(3, np.float32)])
    optimizer.step([np.ones(3, np.float32)])


BROKEN = {
    "a list": b"[1, 2]", "no JSON": b"{", "no UTF-8": b"\xff\xfe", "a number": b"3", "null": b"null", "deep": b"[" * 100_000,
    "text for a number": b'{"a": "x"}', "a list for a number": b'{"a": [1]}', "no number": b'{"a": NaN, "b": Infinity, "c": -1, "d": true}',
}  # fmt: skip


@pytest.mark.parametrize("cached", [True, False])
@pytest.mark.parametrize("content", [*BROKEN.values(), None], ids=[*BROKEN, "a folder"])
def test_numbers_that_are_none_are_measured_anew(content: bytes | None, cached: bool, tmp_path: Path) -> None:
    path = tmp_path / "some" / "seconds.json"
    path.parent.mkdir(mode=0o700)
    if content is None:
        path.mkdir()
    else:
        path.write_bytes(content)
        path.chmod(0o600)
    told = (
        contextlib.nullcontext() if path.is_dir() else pytest.warns(RuntimeWarning, match="seconds.json is damaged; .* made anew")
    )
    with told, json_cache(path, cached=cached) as known:
        assert known == {}
        known["process"] = 2.5
    with json_cache(path, cached=cached) as known:
        assert known == ({} if path.is_dir() else {"process": 2.5})
