"""Logistic regression: convex, and smooth."""

from sklearn.datasets import load_breast_cancer

from thalweg import nn
from thalweg.lab.data.parts import DataSet
from thalweg.lab.data.supervised import Supervised, parted
from thalweg.lab.data.task import YES_OR_NO
from thalweg.lab.problems.models.breast_cancer import ABOUT

PENALTY = 0.01


def problem(block: int = 0) -> Supervised:
    x, y = load_breast_cancer(return_X_y=True)
    about = (
        f"{ABOUT} Logistic regression with an L2 penalty of {PENALTY:g} |w|², strongly convex: there is one minimum. Score: the "
        "cross-entropy on unseen data, penalty included."
    )
    layers = [nn.Linear(1, penalty=nn.L2(PENALTY))]
    return parted("logistic", about, DataSet(x, y, block=block), layers, YES_OR_NO, steps=300)
