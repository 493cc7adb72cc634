"""A network in one .npz file: its parts as JSON, its parameters as arrays, no pickle."""

from __future__ import annotations

import os
from dataclasses import fields, is_dataclass
from typing import TYPE_CHECKING, Any

from thalweg.nn.arrays import Params
from thalweg.nn.initialisers import Initialiser
from thalweg.nn.layers.layer import Layer
from thalweg.nn.losses.loss import Loss
from thalweg.nn.penalties import Penalty
from thalweg.values import trees

if TYPE_CHECKING:
    from thalweg.nn.model import Model

FORMAT, VERSION = "thalweg.nn", 1


def parts() -> dict[str, Any]:
    """The classes a file may name, by name: the layers, losses, penalties and initialisers of this room."""
    from thalweg import nn

    kinds = (Layer, Loss, Penalty, Initialiser)
    return {n: part for n, part in vars(nn).items() if is_dataclass(part) and isinstance(part, type) and issubclass(part, kinds)}


def save(model: Model, params: Params, path: str | os.PathLike[str]) -> None:
    """Writes the network and params. Raises TypeError for a part not of this room: `load` could not make it again."""
    network = {
        "layers": [_describe(layer) for layer in model.layers],
        "loss": _describe(model.loss),
        "penalty": _describe(model.penalty),
        "input_shape": model.input_shape,
    }
    trees.save(path, {"format": FORMAT, "version": VERSION, "network": network, "params": params})


def load(path: str | os.PathLike[str]) -> Model:
    """The network that `Model.save` wrote, its parameters in `params`.

    Raises:
        FileNotFoundError: for no file.
        ValueError: for a file that `Model.save` did not write, or that a later version wrote.
    """
    from thalweg.nn.model import Model

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
    model = Model(layers, loss, penalty=penalty, input_shape=network["input_shape"])
    model.params = found["params"]
    return model


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
