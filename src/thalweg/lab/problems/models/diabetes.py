"""Regression of the progression of diabetes."""

from sklearn.datasets import load_diabetes

from thalweg.lab.data.supervised import Supervised, supervised

ABOUT = (
    "442 patients with diabetes: the disease's progression over a year, from 10 measurements at its beginning "
    "(Efron, Hastie, Johnstone and Tibshirani 2004; shipped with scikit-learn, BSD-3-Clause)."
)


def problem(block: int = 0) -> Supervised:
    # scaled=False: scikit-learn's scaling uses the test part too
    return supervised("diabetes", ABOUT, *load_diabetes(return_X_y=True, scaled=False), block=block)
