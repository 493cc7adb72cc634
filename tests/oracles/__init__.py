"""Oracles: each optimizer's paper as a plain float64 NumPy loop, the truth that the library is compared with at 1e-12.

Nothing here imports the library, and nothing here is clever: one loop over t = 1, 2, ..., the paper's letters, one line
an equation. The tables of `tests/papers` set them beside the library's rules; `stages.py` holds clipping, averages of
weights and schedules, `mistakes.py` the wrong formulas of the sources, for tests which show that a rule is not one of
them.

Every rule has the form ``oracle(p, gradients, ...) -> path``:

* ``p``: array of any shape, the starting point; it is not changed.
* ``gradients``: arrays shaped like p, one a step; or a function of the point (then ``steps`` says how many), for rules
  which choose where to take the gradient and for runs on a real function.
* ``lr`` (and it alone): a number, or a function of t = 1, 2, ...
* the result: float64, shape ``(steps, *p.shape)``, p after each step.
"""
