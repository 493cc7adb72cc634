"""Classification of breast masses as malignant or benign."""

from sklearn.datasets import load_breast_cancer

from thalweg.lab.data.supervised import Supervised, supervised

ABOUT = (
    "569 breast masses, malignant or benign, from 30 measurements of cell nuclei "
    "(Wolberg, Street and Mangasarian 1995, UCI repository, CC BY 4.0; shipped with scikit-learn)."
)


def problem(block: int = 0) -> Supervised:
    return supervised("breast_cancer", ABOUT, *load_breast_cancer(return_X_y=True), block=block)
