"""Styblinski and Tang's function in ten coordinates, rotated and shifted by each seed."""

from thalweg.lab.data.instances import Instances, turned
from thalweg.lab.problems.surfaces import styblinski_tang


def problem() -> Instances:
    return turned("turned_styblinski_tang", styblinski_tang.problem())
