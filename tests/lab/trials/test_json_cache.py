"""A kept file decides what is run, so no changed bit of it is believed, and what is made anew is told."""

from __future__ import annotations

import warnings
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from support import first

from thalweg.lab.api import hours
from thalweg.lab.comparing import pilot
from thalweg.lab.trials.json_cache import is_number, json_cache

KEPT: dict[str, tuple[Any, Any]] = {
    "pilot": (asdict(pilot.Pilot("adam", 0.03, 20, (-1.5, -1.25), True)), pilot._is_pilot),
    "plan": ({"budget": 4, "seeds": 3, "promised": 9, "finished": False}, hours._is_plan),
    "seconds": (0.25, is_number),
}


@pytest.mark.parametrize("kind", first(reversed(KEPT)))
def test_one_flipped_bit_gives_no_other_entry(kind: str, tmp_path: Path) -> None:
    value, fits = KEPT[kind]
    value = {**value, "scores": list(value["scores"])} if kind == "pilot" else value
    path = tmp_path / "kept.json"
    with json_cache(path, fits=fits) as kept:
        kept["one"] = kept["two"] = value
    sound = path.read_bytes()
    for i in range(len(sound)):
        for bit in range(8):
            path.write_bytes(sound[:i] + bytes([sound[i] ^ 1 << bit]) + sound[i + 1 :])
            with warnings.catch_warnings(record=True) as told:
                warnings.simplefilter("always")
                with json_cache(path, fits=fits) as kept:
                    found = dict(kept)
            assert all(found[name] == value for name in found)
            assert found.keys() <= {"one", "two"}
            assert len(told) == (len(found) < 2)


def test_a_damaged_entry_is_told_and_the_others_serve(tmp_path: Path) -> None:
    path = tmp_path / "kept.json"
    with json_cache(path) as kept:
        kept.update(one=1.5, two=2.5)
    path.write_text(path.read_text().replace("2.5", "3.5"))
    says = "kept.json is damaged; 1 of its 2 entries is made anew"
    with pytest.warns(RuntimeWarning, match=says), json_cache(path) as kept:
        assert kept == {"one": 1.5}
    with json_cache(path) as kept:
        assert kept == {"one": 1.5}, "told once"


def test_what_an_earlier_version_kept_is_made_anew_without_a_word(tmp_path: Path) -> None:
    path = tmp_path / "kept.json"
    path.write_text('{"one": 1.5}')
    with json_cache(path) as kept:
        assert kept == {}
