"""A quadratic with condition number 1,000."""

from thalweg.lab.data.instances import Instances, quadratic


def problem() -> Instances:
    return quadratic("quadratic_1000", 1000.0)
