"""Save a network to one .npz file: layers and loss as JSON, parameters as arrays, no pickle."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass
from inspect import isabstract
from typing import Any, Protocol

from thalweg.nn.arrays import Params, Shape
from thalweg.nn.initialisers import Initialiser
from thalweg.nn.layers.layer import Layer
from thalweg.nn.losses.loss import Loss
from thalweg.nn.penalties import Penalty
from thalweg.values import trees

FORMAT, VERSION = "thalweg.nn", 1
ROOM = __name__.rpartition(".")[0]


class Described(Protocol):
    """The parts of a network that a file stores besides the parameters."""

    @property
    def layers(self) -> tuple[Layer, ...]: ...
    @property
    def loss(self) -> Loss: ...
    @property
    def penalty(self) -> tuple[Penalty, ...]: ...
    @property
    def input_shape(self) -> Shape | None: ...


@dataclass(frozen=True)
class Saved:
    """A network as a file describes it."""

    layers: tuple[Layer, ...]
    loss: Loss
    penalty: tuple[Penalty, ...]
    input_shape: Shape | None
    params: Params
    statistics: Params


def parts() -> dict[str, Any]:
    """The classes that a file may name: the layers, losses, penalties and initialisers of this package."""
    kinds = (Layer, Loss, Penalty, Initialiser)
    every = (part for kind in kinds for part in _subclasses(kind))
    return {part.__name__: part for part in every if part.__module__.startswith(f"{ROOM}.") and not isabstract(part)}


def _subclasses(kind: type) -> Iterator[Any]:
    part: Any
    for part in kind.__subclasses__():
        if is_dataclass(part):
            yield part
        yield from _subclasses(part)


def save(network: Described, params: Params, statistics: Params, path: str | os.PathLike[str]) -> None:
    """Write network, params and statistics. Raises TypeError for a part from another package, which `read` could not restore."""
    described = {
        "layers": [_describe(layer) for layer in network.layers],
        "loss": _describe(network.loss),
        "penalty": _describe(network.penalty),
        "input_shape": network.input_shape,
    }
    trees.save(path, {"format": FORMAT, "version": VERSION, "network": described, "params": params, "statistics": statistics})


def read(path: str | os.PathLike[str]) -> Saved:
    """Read a file written by `save`.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If `save` did not write the file, or a later version did.
    """
    found = trees.load(path)
    if not isinstance(found, dict) or found.get("format") != FORMAT:
        raise ValueError(
            f"{os.fspath(path)} holds no network: want a file that Model.save wrote (thalweg.values.trees.load reads other trees)"
        )
    if found["version"] != VERSION:
        raise ValueError(
            f"{os.fspath(path)} has version {found['version']} of the format, and this thalweg reads version "
            f"{VERSION}: install a newer one"
        )
    network = found["network"]
    layers, loss, penalty = (_build(network[part], path) for part in ("layers", "loss", "penalty"))
    return Saved(layers, loss, penalty, network["input_shape"], found["params"], found.get("statistics", {}))


def _describe(part: Any) -> Any:
    if isinstance(part, tuple):
        return tuple(_describe(p) for p in part)
    if part is None or isinstance(part, bool | int | float | str):
        return part
    name = type(part).__name__
    if parts().get(name) is not type(part):
        raise TypeError(
            f"cannot save {part!r}: a file may hold only parts of thalweg.nn. Save its parameters with "
            "thalweg.values.trees.save(path, net.params)"
        )
    return {"type": name, **{field.name: _describe(getattr(part, field.name)) for field in fields(part)}}


def _build(found: Any, path: str | os.PathLike[str]) -> Any:
    if isinstance(found, list | tuple):
        return tuple(_build(f, path) for f in found)
    if not isinstance(found, dict):
        return found
    options = {key: _build(value, path) for key, value in found.items() if key != "type"}
    known = parts()
    if found.get("type") not in known:
        raise ValueError(f"{os.fspath(path)} names a part {found.get('type')!r}, which thalweg.nn does not have")
    return known[found["type"]](**options)
