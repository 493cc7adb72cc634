"""Wines of three growers."""

from sklearn.datasets import load_wine

from thalweg.lab.data.supervised import Supervised, supervised

ABOUT = (
    "178 wines of 3 growers, from 13 chemical measurements "
    "(Forina et al. 1988, UCI repository, CC BY 4.0; shipped with scikit-learn)."
)


def problem(block: int = 0) -> Supervised:
    return supervised("wine", ABOUT, *load_wine(return_X_y=True), block=block)
