"""Rastrigin's function in ten coordinates, rotated and shifted by each seed."""

from thalweg.lab.data.instances import Instances, turned
from thalweg.lab.problems.surfaces import rastrigin


def problem() -> Instances:
    return turned("turned_rastrigin", rastrigin.problem())
