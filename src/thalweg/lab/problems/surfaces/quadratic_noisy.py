"""A quadratic with a noisy gradient, as on mini-batches."""

from thalweg.lab.data.instances import Instances, quadratic


def problem() -> Instances:
    return quadratic("quadratic_noisy", 100.0, noise=0.3)
