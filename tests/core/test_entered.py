"""How much of the code a reader of one step of Adam must walk through: a bound on lines and on calls."""

from __future__ import annotations

from entered import arrays, entered, lines_of

import thalweg as tw

P, G = arrays(1.0), arrays(0.5)


def test_few_lines_run_until_adam_has_made_two_steps() -> None:
    def two_steps() -> None:
        optimizer = tw.Optimizer(tw.adam(), lr=1e-3)
        params, state = optimizer.step(P, G, optimizer.init(P))
        optimizer.step(params, G, state)

    assert 300 < lines_of(entered(two_steps)) <= 425


def test_few_functions_are_entered_in_a_step() -> None:
    optimizer = tw.Optimizer(tw.adam(), lr=1e-3)
    state = optimizer.step(P, G, optimizer.step(P, G, optimizer.init(P))[1])[1]
    assert 50 < entered(lambda: optimizer.step(P, G, state)).total() <= 100
