"""A quadratic with condition number 10."""

from thalweg.lab.data.instances import Instances, quadratic


def problem() -> Instances:
    return quadratic("quadratic_10", 10.0)
