"""Roles of a torch model's parameters, found by its modules, and the table of who gets what."""

from __future__ import annotations

import functools
from typing import Any

import torch

from thalweg.core.leaf import Leaf, in_parts
from thalweg.core.routes import Routes, role_of, route
from thalweg.torch.checkpoints.saved import looked_up
from thalweg.torch.face import Face
from thalweg.torch.names import bare
from thalweg.torch.tensors import Tensor, real

_EMBEDDINGS = (torch.nn.Embedding, torch.nn.EmbeddingBag)


def roles(model: torch.nn.Module) -> dict[str, str]:
    """Return the role of each parameter of a model, by the modules that hold them: for `thalweg.role("hidden", known=...)`.

    Weights of `torch.nn.Embedding` are embeddings, those of modules whose class has "Norm" in its name are norms, vectors called
    bias are biases. If no matrix has the name of a head, the last `torch.nn.Linear` is taken for it, unless it is the only one.
    For all others name and shape decide. A weight that embedding and head share is an embedding.

    Parameters
    ----------
    model : torch.nn.Module
        The model.

    Returns
    -------
    dict
        "hidden", "embedding", "head", "norm" or "bias", by the names of `named_parameters()`.
    """
    found: dict[str, str] = {}
    linear: list[str] = []
    known = dict(model.named_parameters())
    for path, module in model.named_modules():
        for word, p in module.named_parameters(recurse=False):
            name = f"{path}.{word}" if path else word
            if name not in known:  # shared with another module, which has it already
                continue
            role = role_of(bare(name), tuple(p.shape))
            if isinstance(module, _EMBEDDINGS):
                role = "embedding"
            elif "Norm" in type(module).__name__ and role != "bias":
                role = "norm"
            elif isinstance(module, torch.nn.Linear) and p.ndim == 2:
                linear.append(bare(name))
            found[bare(name)] = role
    if "head" not in found.values() and len(linear) > 1 and not _tied(model):
        found[linear[-1]] = "head"
    return found


def _tied(model: torch.nn.Module) -> bool:
    """Whether an embedding's weight is some other module's, too."""
    embeddings = [module.weight for module in model.modules() if isinstance(module, _EMBEDDINGS)]
    return any(
        p is weight
        for weight in embeddings
        for module in model.modules()
        if not isinstance(module, _EMBEDDINGS)
        for p in module.parameters(recurse=False)
    )


def routes(optimizer: Any, model: torch.nn.Module | None = None) -> Routes:
    """Return the table of who gets what: for each parameter its role, the rules that it goes through, and its learning rate.

    Parameters
    ----------
    optimizer : torch.optim.Optimizer
        An optimizer of thalweg.torch.
    model : torch.nn.Module, optional
        The model: its names are those of the table, and its modules tell the roles.

    Returns
    -------
    Routes
        A list of `Route`, printed as a table. The learning rate is the present one; of a schedule, that at t = 1.

    Raises
    ------
    TypeError
        For an optimizer of torch's own.
    """
    if not isinstance(optimizer, Face):
        raise TypeError(f"this {type(optimizer).__name__} is not one of thalweg.torch, and has one rule for all its parameters")
    names: dict[Tensor, str] = {} if model is None else {p: bare(name) for name, p in model.named_parameters()}
    known = {} if model is None else roles(model)
    found = Routes()
    for own in optimizer._members():
        for p, name in zip(own.params, own.names, strict=True):
            x = real(p.detach())
            with in_parts({name} if p.is_complex() else ()):
                row = route(
                    own.method.pure, Leaf(name, tuple(x.shape), x, x, 1, None, x), functools.partial(looked_up, own.group)
                )
            told = names.get(p, name)
            found.append(row._replace(name=told, role=known.get(told, row.role)))
    return found
