"""A bowl that shakes: a quadratic whose gradient is noisy, as on mini-batches."""

from thalweg.lab.data.instances import Instances, quadratic


def problem() -> Instances:
    return quadratic("quadratic_noisy", 100.0, noise=0.3)
