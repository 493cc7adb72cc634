"""Handwritten digits."""

from sklearn.datasets import load_digits

from thalweg.lab.data.supervised import Supervised, supervised

ABOUT = (
    "1,797 images of handwritten digits, 8 x 8 pixels, 10 classes "
    "(Alpaydin and Kaynak 1998, UCI repository, CC BY 4.0; shipped with scikit-learn)."
)


def problem(block: int = 0) -> Supervised:
    return supervised("digits", ABOUT, *load_digits(return_X_y=True), block=block)
