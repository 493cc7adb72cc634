"""Surfaces by name, as the races' tests ask for them."""

from thalweg.lab.data.surface import Surface
from thalweg.lab.problems import problem


def surface(name: str) -> Surface:
    found = problem(name)
    assert isinstance(found, Surface)
    return found
