"""Chainer, whose last release was made for an older NumPy: it asks, when it is imported, for names that NumPy 2 has not."""

from __future__ import annotations

from typing import Any

import numpy as np

from thalweg.dialects.conformance.stream import Point, Stream

KINDS = {"int": "bhil", "uint": "BHIL", "float": "efd", "complex": "FD", "others": "?OSUV"}
FORMER = {
    "sctypes": {kind: [np.dtype(code).type for code in codes] for kind, codes in KINDS.items()},
    "bool": bool, "int": int, "float": float, "complex": complex, "object": object, "str": str,
}  # fmt: skip
_lent = {name: value for name, value in FORMER.items() if name not in vars(np)}
for _name, _value in _lent.items():
    setattr(np, _name, _value)
try:
    import chainer
    from chainer import optimizers
finally:
    for _name in _lent:
        delattr(np, _name)

VERSION = chainer.__version__


def walk(name: str, options: dict[str, Any], along: Stream) -> list[Point]:
    """Return the points after each step of one of its optimizers."""
    link = chainer.Link()
    with link.init_scope():
        for key, x in along.start.items():
            setattr(link, key, chainer.Parameter(np.array(x)))
    optimizer, found = getattr(optimizers, name)(**options), []
    optimizer.setup(link)
    for g in along.gradients:
        for key in along.start:
            getattr(link, key).grad = np.array(g[key])
        optimizer.update()
        found.append({key: np.array(getattr(link, key).array) for key in along.start})
    return found
