"""Surfaces by name, as the races' tests ask for them."""

from thalweg.lab.problems import problem
from thalweg.lab.surface import Surface


def surface(name: str) -> Surface:
    found = problem(name)
    assert isinstance(found, Surface)
    return found
