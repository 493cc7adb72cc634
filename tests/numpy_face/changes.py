"""Arrays, gradients, and what users do to a state between two steps: what tests of states share."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
from guarded import Guards

import thalweg.numpy as tn


def params(layout: str = "C", dtype: Any = np.float64, guards: Guards | None = None) -> dict[str, Any]:
    draw = np.random.default_rng(0)
    guards = guards or Guards()
    return {
        k: guards.array(draw.normal(size=s).astype(dtype), layout)
        for k, s in (("w", (4, 3)), ("b", (5,)), ("c", ()), ("e", (0, 2)), ("d", (5,)))
    }


def like(p: dict[str, Any], seed: int) -> dict[str, Any]:
    draw = np.random.default_rng(seed)
    return {k: draw.normal(size=a.shape).astype(a.dtype) for k, a in p.items()}


def slots(optimizer: Any) -> list[tuple[dict[str, Any], str]]:
    """Each tensor of the memory: the dict that holds it, and its key."""

    def walk(tree: Any) -> Any:
        for key, value in sorted(tree.items()):  # what was deleted comes back in another order
            if isinstance(value, dict):
                yield from walk(value)
            elif isinstance(value, np.ndarray):
                yield tree, key

    return list(walk({k: v for k, v in optimizer.state.items() if k != "t"}))


def replaced(o: Any) -> None:
    for held, key in slots(o):
        held[key] = np.full_like(held[key], 0.25)


def in_place(o: Any) -> None:
    for held, key in slots(o):
        held[key][...] = 0.25


def other_dtype(o: Any) -> None:
    for held, key in slots(o):
        held[key] = np.full(held[key].shape, 0.25, np.float32)


def other_layout(o: Any) -> None:
    for held, key in slots(o):
        held[key] = Guards().array(np.full(held[key].shape, 0.25), "strided")


def deleted(o: Any) -> None:
    o.state["memory"].clear()
    counted_anew(o)


def one_deleted(o: Any) -> None:
    for held, key in slots(o)[::2]:
        if held is not o.state.get("walked"):
            del held[key]
    counted_anew(o)


def whole_dicts(o: Any) -> None:
    o.state["memory"] = copy.deepcopy(o.state["memory"])


def counted_anew(o: Any) -> None:
    for name in o.state["t"]:
        o.state["t"][name] = 0


def one_count(o: Any) -> None:
    o.state["t"]["w"] = 7


def counts_replaced(o: Any) -> None:
    o.state["t"] = dict.fromkeys(o.state["t"], 3)


def swapped(o: Any) -> None:
    """The first two slots of the same shape change places."""
    found = [(held, key) for held, key in slots(o) if held[key].shape == (4, 3)]
    if len(found) > 1:
        (a, i), (b, k) = found[:2]
        a[i], b[k] = b[k], a[i]


def keys_change_places(held: dict[str, Any], keys: list[str]) -> None:
    """The first two of some keys of a dict change places, and the order of its values stays."""
    if len(keys) > 1:
        now = [({keys[0]: keys[1], keys[1]: keys[0]}.get(key, key), value) for key, value in held.items()]
        held.clear()
        held.update(now)


def rekeyed(o: Any) -> None:
    for held in {id(held): held for held, _ in slots(o)}.values():
        keys_change_places(held, [key for key in held if np.shape(held[key]) == (5,)])


def slots_rekeyed(o: Any) -> None:
    """Two slots change names; no slot may get numbers below 0."""
    for held, key in slots(o):
        np.abs(held[key], out=held[key])
    for memory in o.state["memory"].values():
        keys_change_places(
            memory, [key for key, own in memory.items() if isinstance(own, dict) and np.shape(own.get("b", 0)) == (5,)]
        )


def reordered(o: Any) -> None:
    for held in {id(held): held for held, _ in slots(o)}.values():
        for key in list(held)[:-1]:
            held[key] = held.pop(key)


def shared(o: Any) -> None:
    """All slots of a shape are the same array."""
    one: dict[Any, Any] = {}
    for held, key in slots(o):
        held[key] = one.setdefault(held[key].shape, np.abs(held[key]))


CHANGES = [
    replaced, in_place, other_dtype, other_layout, deleted, one_deleted, whole_dicts, counted_anew, one_count, counts_replaced,
    swapped, rekeyed, slots_rekeyed, reordered, shared,
]  # fmt: skip


def run(stage: Any, change: Callable[[Any], None], fused: bool, kept: bool, layout: str = "C") -> tuple[Any, Any]:
    p = params(layout)
    optimizer = tn.Optimizer(p, stage, 0.01, fused=fused)
    early = optimizer.state
    for k in range(6):
        if k == 3:
            change(type("Held", (), {"state": early}) if kept else optimizer)
        optimizer.step(like(p, k), loss=1.0)
    return p, optimizer.state
