"""optax's own tests on a few of our functions; `python -m pytest tests/jax_face/optax_all.py` runs them on all of ours."""

from __future__ import annotations

import re
import unittest

import pytest

pytest.importorskip("optax")
pytest.importorskip("absl")

from .optax_suites import PLACES, SHARED, ours, suite

pytestmark = pytest.mark.slow

ALIAS = suite("_src/alias_test.py", "AliasTest", {"_OPTIMIZERS_UNDER_TEST": ours({"adam", "lamb"})})
CONTRIB = suite("contrib/_common_test.py", "ContribTest", dict.fromkeys(SHARED, ours({"momo", "muon"})))
SCHEDULE_FREE = suite("contrib/_schedule_free_test.py", "ScheduleFreeTest")
FLOAT64 = suite("_src/float64_test.py", "Float64Test")
MASKED = suite("transforms/_masking_test.py", "MaskedTest", without=PLACES)
SLOW = re.compile(r"test_optimization|test_optimizers\d")
"""Thousands of steps each."""


def cases() -> list[unittest.TestCase]:
    """The tests that are quick."""
    found = [
        case
        for suite in (ALIAS, CONTRIB, SCHEDULE_FREE, FLOAT64, MASKED)
        for case in unittest.defaultTestLoader.loadTestsFromTestCase(suite)
    ]
    return [case for case in found if not SLOW.match(method(case))]


def method(case: unittest.TestCase) -> str:
    """A test's name."""
    return case._testMethodName


def named(case: unittest.TestCase) -> str:
    """The same in every process, as an address is not."""
    return re.sub(r" at 0x[0-9a-f]+", "", method(case))


@pytest.mark.parametrize("case", cases(), ids=named)
def test_of_optaxs_own(case: unittest.TestCase) -> None:
    result = unittest.TestResult()
    case.run(result)
    assert result.testsRun == 1
    assert not result.errors, result.errors[0][1]
    assert not result.failures, result.failures[0][1]
