"""Rosenbrock's valley in ten coordinates, rotated and shifted by each seed."""

from thalweg.lab.data.instances import Instances, turned
from thalweg.lab.problems.surfaces import rosenbrock


def problem() -> Instances:
    return turned("turned_rosenbrock", rosenbrock.problem())
