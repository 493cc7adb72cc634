"""Performance profiles by hand, and AlgoPerf's rules one by one."""

from __future__ import annotations

import math

import numpy as np
import pytest

from thalweg.lab.statistics import profiles

INF, NAN = math.inf, math.nan


def test_ratios_are_to_the_fastest_of_each_problem() -> None:
    found = profiles.ratios({"a": {"p": 2.0, "q": INF, "r": NAN}, "b": {"p": 6.0, "q": 5.0, "r": INF}})
    assert found == {"a": {"p": 1.0, "q": INF, "r": INF}, "b": {"p": 3.0, "q": 1.0, "r": INF}}


def test_a_profile_and_its_area_by_hand() -> None:
    own = {"p": 1.0, "q": 2.0, "r": INF, "s": 4.0}
    assert profiles.profile(own, np.array([1.0, 1.99, 2.0, 4.0])).tolist() == [0.25, 0.25, 0.5, 0.75]
    assert profiles.area(own) == pytest.approx((1 + 2 / 3) / 4)
    taus = np.linspace(1, 4, 300001)
    assert profiles.area(own) == pytest.approx(np.trapezoid(profiles.profile(own, taus), taus) / 3, abs=1e-5)


def test_a_variant_takes_the_success_of_its_base_away_and_too_slow_is_not_at_all() -> None:
    held_out = {"p variant": "p"}
    times = {
        "fast": {"p": 10.0, "p variant": 10.0, "q": 10.0},
        "no variant": {"p": 5.0, "p variant": INF, "q": 10.0},
        "not run": {"p": 5.0, "p variant": NAN, "q": 10.0},
        "slow variant": {"p": 10.0, "p variant": 41.0, "q": 40.0},
        "slow": {"p": 21.0, "p variant": 1.0, "q": 41.0},
    }
    found = profiles.after_held_out(times, held_out)
    assert found["no variant"] == found["not run"] == {"p": INF, "q": 10.0}
    assert found["slow"] == {"p": INF, "q": INF}, "21 is over 4 times 5, which is compared before the variant voids it"
    assert found["slow variant"] == {"p": INF, "q": 40.0}
    # the variant of `slow` is fastest, as its base had been reached when variants were looked at
    assert found["fast"] == {"p": INF, "q": 10.0}


def test_a_variant_does_not_count_where_its_base_is_not_reached() -> None:
    times = {"a": {"p": INF, "p variant": 1.0}, "b": {"p": 10.0, "p variant": 10.0}}
    assert profiles.after_held_out(times, {"p variant": "p"})["b"] == {"p": 10.0}
    assert profiles.algoperf_scores(times, {"p variant": "p"}) == {"a": 0.0, "b": 1.0}
