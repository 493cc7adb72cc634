"""Maximizing."""

from thalweg.rule import rule


@rule
def ascend(g):
    """Gradient ascent (the sign of Cauchy 1847, C. R. 25:536): the stages that follow then maximize.

    In front of a decay, as in torch's maximize=True, the decay still shrinks the parameters.
    """
    return -g
