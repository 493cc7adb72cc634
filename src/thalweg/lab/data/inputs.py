"""What a network learns from, as numbers: gaps filled, text one-hot encoded and all standardised by the training rows alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from thalweg.lab.data.parts import Array, standardised

KINDS = 20
"""The most features of a column of text: that many values are told apart, or the most frequent ones and the rest together."""


@dataclass(frozen=True)
class Inputs:
    """Samples x (n, columns), real numbers, NaN where missing. texts: the columns that hold numbers of texts."""

    x: Array
    texts: tuple[int, ...] = ()

    def features(self, rows: Array) -> Array:
        """The features (n, d) in float32, by the statistics of `rows`.

        `standardised` scales them, and not scikit-learn's scaler, because it keeps numbers whose squares overflow and data that
        do not fit into memory as float64.
        """
        encoder = self._encoder()
        with np.errstate(all="ignore"):
            return standardised(self.x if encoder is None else encoder.fit(self.x[rows]).transform(self.x), rows)

    @property
    def treatment(self) -> str:
        """What identifies the treatment: the steps with their options and scikit-learn's version; "" if there are no steps."""
        import sklearn

        encoder = self._encoder()
        return "" if encoder is None else f"scikit-learn {sklearn.__version__} {' '.join(repr(encoder).split())}"

    def _encoder(self) -> Any:
        """The scikit-learn transformer that makes features of x; None if x has neither gaps nor texts."""
        x = self.x
        if not self.texts and not (x.dtype.kind == "f" and np.isnan(x).any()):
            return None
        from sklearn.compose import ColumnTransformer
        from sklearn.impute import SimpleImputer
        from sklearn.preprocessing import OneHotEncoder

        others = [place for place in range(x.shape[1]) if place not in self.texts]
        gaps = [place for place in others if np.isnan(x[:, place]).any()]
        whole = [place for place in others if place not in gaps]
        filled = SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True)
        told_apart = OneHotEncoder(handle_unknown="infrequent_if_exist", max_categories=KINDS, sparse_output=False)
        steps = [("numbers", "passthrough", whole), ("gaps", filled, gaps), ("texts", told_apart, list(self.texts))]
        return ColumnTransformer([step for step in steps if step[2]], sparse_threshold=0)
