"""Checks of user input, and its conversion to shape (lanes, batch, ...)."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from thalweg.core.checks import as_array, check_unmasked
from thalweg.nn.arrays import Array, Params, Shape
from thalweg.nn.layers.activations import Sigmoid
from thalweg.nn.layers.layer import Layer
from thalweg.nn.layers.softmax import Softmax
from thalweg.nn.losses.loss import Loss

WORDS = {"params": "parameters", "statistics": "statistics"}
Shapes = Mapping[str, Mapping[str, Shape]]


def dtype_of(dtype: npt.DTypeLike) -> np.dtype[Any]:
    """float32 or float64. Raises TypeError for another."""
    found = np.dtype(dtype)
    if found not in (np.dtype(np.float32), np.dtype(np.float64)):
        raise TypeError(f"dtype={found}: parameters are float32 or float64")
    return found


def tree_of(params: Mapping[str, Mapping[str, Any]], shapes: Shapes, lanes: int | None, what: str = "params") -> Params:
    """params (or what the word says) with a lane axis, checked against the network's shapes.

    Raises
    ------
    ValueError
        For parameters of another network, or whose lanes are not those asked for.
    TypeError
        For leaves that are no NumPy arrays, or of mixed dtypes.
    """
    if params.keys() != shapes.keys():
        raise ValueError(
            f"these {WORDS[what]} have layers {sorted(params)}, but the network's are {sorted(shapes)}: use those of this "
            "network's init"
        )
    tree: Params = {}
    dtypes = set()
    for name, own in shapes.items():
        leaves = tree[name] = {}
        for key, shape in own.items():
            leaf = params[name].get(key)
            if not isinstance(leaf, np.ndarray):
                raise TypeError(f"{what}[{name!r}][{key!r}] is {type(leaf).__name__}, but must be a NumPy array of shape {shape}")
            check_unmasked(f"{what}[{name!r}][{key!r}]", leaf)
            _check_leaf(leaf.shape, f"{what}[{name!r}][{key!r}]", shape, lanes)
            dtypes.add(leaf.dtype)
            leaves[key] = leaf[None] if lanes is None else leaf
    if len(dtypes) > 1:
        raise TypeError(
            f"the {WORDS[what]} are of several dtypes, {', '.join(sorted(map(str, dtypes)))}: all must be float32, or all float64"
        )
    for dtype in dtypes:
        dtype_of(dtype)
    return tree


def _check_leaf(found: Shape, what: str, shape: Shape, lanes: int | None) -> None:
    if found == (shape if lanes is None else (lanes, *shape)):
        return
    if lanes is None and found[1:] == shape:
        raise ValueError(f"{what} has shape {found}, {found[0]} lanes of {shape}: write lanes={found[0]}")
    if lanes is not None and found == shape:
        raise ValueError(
            f"{what} has shape {found}, without the {lanes} lanes asked for: leave out lanes=, or init with a list of "
            f"{lanes} seeds"
        )
    raise ValueError(f"{what} has shape {found}, but this network's is {shape if lanes is None else (lanes, *shape)}")


def samples(x: Any, sample: Shape, dtype: np.dtype[Any], lanes: int | None) -> tuple[Array, bool]:
    """x as (lanes or 1, batch, *sample) in dtype, and whether all lanes share it. NaN is accepted.

    Raises
    ------
    ValueError
        Where the shape does not fit, or there are no samples.
    TypeError
        Where x does not hold real numbers.
    """
    data: Array = as_array("x", x)
    if data.dtype.kind not in "fiub":
        raise TypeError(f"x has dtype {data.dtype}, but must hold real numbers")
    shared = data.ndim == len(sample) + 1
    per_lane = lanes is not None and data.ndim == len(sample) + 2 and data.shape[0] == lanes
    if not (shared or per_lane) or data.shape[data.ndim - len(sample) :] != sample:
        also = "" if lanes is None else f", or (lanes, samples, ...) = {_show(lanes, 'n', *sample)}"
        raise ValueError(
            f"x has shape {data.shape}, but this network wants {_show('n', *sample)}{also}: n samples of shape {sample}"
        )
    if data.shape[0 if shared else 1] == 0:
        raise ValueError(f"x has shape {data.shape}: no samples, so there is no mean over them")
    data = data.astype(dtype, copy=False)
    return (data[None] if shared else data), shared


def targets(y: Any, batch: int, lanes: int | None, shared: bool) -> Array:
    """y as (lanes or 1, batch, ...). Raises ValueError if its number of samples differs from that of x."""
    data: Array = as_array("y", y)
    if data.shape[: 1 if shared else 2] != ((batch,) if shared else (lanes, batch)):
        each = f"{batch} samples" if shared else f"{lanes} lanes of {batch} samples"
        raise ValueError(f"y has shape {data.shape}, but x has {each}: y must too")
    return data[None] if shared else data


def for_each(result: Array, lanes: int) -> Array:
    """Broadcast a result that all lanes share to one row per lane."""
    return result if len(result) == lanes else np.repeat(result, lanes, axis=0)


def _show(*sizes: int | str) -> str:
    return f"({', '.join(map(str, sizes))}{',' if len(sizes) == 1 else ''})"


def sample_shape(shape: Shape | int) -> Shape:
    """64 or (64,) -> (64,). Raises ValueError for sizes that are not positive integers."""
    sizes = (shape,) if isinstance(shape, int | np.integer) else tuple(shape)
    if not all(isinstance(s, int | np.integer) and s >= 1 for s in sizes):
        raise ValueError(
            f"input_shape={shape!r}: want the shape of one sample, without the batch, for example (64,) or (28, 28, 1)"
        )
    return tuple(int(s) for s in sizes)


def parts(layers: Sequence[Any], loss: Any) -> None:
    """Check a model's layers and loss. Raises TypeError or ValueError; see `Model`."""
    for layer in layers:
        if not isinstance(layer, Layer):
            raise TypeError(f"{layer!r} is no layer: want objects such as nn.Linear(32) or nn.ReLU() (with the brackets)")
    if not isinstance(loss, Loss):
        raise TypeError(f"loss={loss!r} is no loss: want an object such as nn.CrossEntropy() or nn.MSE() (with the brackets)")
    if not layers:
        raise ValueError("layers=[]: a network needs at least one layer, for example nn.Linear(10)")
    if isinstance(layers[-1], Softmax | Sigmoid) and getattr(loss, "from_logits", False):
        last, what = type(layers[-1]).__name__, type(loss).__name__
        raise ValueError(
            f"{what}() takes logits, but {last} gives probabilities: leave {last} out (better), or write "
            f"{what}(from_logits=False)"
        )


def statistics_of(
    statistics: Mapping[str, Mapping[str, Any]] | None, started: Params, params: Params, lanes: int | None
) -> Params:
    """statistics with a lane axis, in the dtype of params (which have one), checked against those before the first batch.

    Raises ValueError where a network that keeps statistics is given none; otherwise as `tree_of`.
    """
    if started and not statistics:
        raise ValueError(
            "this network normalises over batches (BatchNorm), and at prediction by the statistics of the population: pass "
            "statistics= beside params=, those of fit (history.statistics) or of net.population(params, x)"
        )
    tree = tree_of(statistics or {}, shapes_of(started), lanes, "statistics")
    dtype = next((leaf.dtype for own in params.values() for leaf in own.values()), np.dtype(np.float64))
    return {name: {key: leaf.astype(dtype, copy=False) for key, leaf in own.items()} for name, own in tree.items()}


def shapes_of(tree: Params) -> dict[str, dict[str, Shape]]:
    """The shape of each array."""
    return {name: {key: leaf.shape for key, leaf in own.items()} for name, own in tree.items()}


def no_draw(shape: Shape) -> Array:
    """The source of random numbers when no seed is given: raises ValueError."""
    raise ValueError(
        "this network draws random numbers while training (Dropout): pass seed=, an integer or a numpy.random.Generator"
    )
