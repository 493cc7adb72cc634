"""Rastrigin's function in ten coordinates, turned and shifted anew by every seed."""

from thalweg.lab.data.instances import Instances, turned
from thalweg.lab.problems.surfaces import rastrigin


def problem() -> Instances:
    return turned("turned_rastrigin", rastrigin.problem())
