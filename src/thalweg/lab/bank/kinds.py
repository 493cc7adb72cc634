"""The kinds of problems that the lab has, and which problem is of which kind."""

from __future__ import annotations

from typing import NamedTuple

from thalweg.form.hyper import nearest
from thalweg.lab.refusal import Refusal


class Kind(NamedTuple):
    """A kind of problem: what it is, the lab's problems of it, and words that mean it in other people's names for it."""

    about: str
    problems: tuple[str, ...]
    words: frozenset[str] = frozenset()


KINDS: dict[str, Kind] = {
    "small images": Kind("small grey images to classify", ("digits", "digits_conv", "mnist5k", "mnist5k_conv"),
                         frozenset({"image", "images", "pictures"})),
    "signals": Kind("curves of one dimension to classify", ("mnist1d", "mnist1d_conv")),
    "tabular classification": Kind(
        "a table with a class to predict, a few hundred rows", ("breast_cancer", "wine", "logistic")
    ),
    "tabular regression": Kind("a table with a number to predict, a few hundred rows", ("diabetes",)),
    "text": Kind("text, character by character, with a transformer", ("transformer",),
                 frozenset({"transformer", "transformers", "language", "gpt"})),
    "rare classes": Kind("many classes, most of them rare", ("zipf",)),
    "reconstruction": Kind("images to draw, with squared error", ("autoencoder", "photograph")),
    "toy": Kind("four points", ("xor",)),
    "regression": Kind("numbers to predict, with squared error", ("diabetes", "autoencoder", "photograph")),
    "convolutions": Kind("a convolutional network", ("digits_conv", "mnist1d_conv", "mnist5k_conv"),
                         frozenset({"convolutional", "convolution", "cnn", "resnet"})),
    "convex": Kind("a linear model, with one minimum", ("logistic", "zipf")),
    "noisy gradients": Kind("a function without data whose gradients are noisy", ("quadratic_noisy",)),
    "ill-conditioned": Kind(
        "a function without data, steep in one direction and flat in another",
        ("quadratic_1000", "ravine", "rosenbrock", "turned_rosenbrock", "scaling", "beale"),
    ),
    "quadratics": Kind("a quadratic function without data", ("quadratic_10", "quadratic_1000", "ravine", "scaling")),
    "many minima": Kind(
        "a function without data with several minima",
        ("rastrigin", "turned_rastrigin", "styblinski_tang", "turned_styblinski_tang", "himmelblau", "quartic"),
    ),
    "saddles": Kind("a function without data with a saddle", ("saddle",)),
}  # fmt: skip
"""Those of which a problem like another is are the first that has it."""


def kind(name: str) -> str:
    """The name of a kind, however it is written, or of the only one that a word of it means: "small transformer". Raises Refusal
    for one that there is not."""
    plain = " ".join(name.casefold().replace("_", " ").split())
    known = {each.replace("-", " "): each for each in KINDS}
    if plain.replace("-", " ") not in known:
        meant = [each for each, own in KINDS.items() if own.words & set(plain.replace("-", " ").split())]
        if len(meant) == 1:
            return meant[0]
        raise Refusal(f"no kind of problem is called {name!r}; there are {', '.join(KINDS)}{nearest(plain, KINDS)}")
    return known[plain.replace("-", " ")]


def kind_of(problem: str) -> str:
    """The kind that a problem of the lab is of."""
    return next(name for name, each in KINDS.items() if problem in each.problems)
