"""The guard against inf and NaN in gradients."""

from __future__ import annotations

from typing import Any

from thalweg.values.arrays import framework, is_traced


def are_finite(given: dict[str, Any], lanes: int | None) -> dict[str, Any]:
    """Return whether each gradient is finite: one truth value, or one per lane."""
    found = {}
    for name, g in given.items():
        if g is not None:
            flat = g.reshape((1 if lanes is None else lanes, -1))
            good = framework(g).isfinite(flat).all(1)
            found[name] = good[0] if lanes is None else good
    return found


def check_finite(found: dict[str, Any]) -> None:
    """Raise FloatingPointError for the first gradient that holds inf or NaN, and TypeError where compiled code has no numbers.

    found: as `are_finite` returns it.
    """
    for name, good in found.items():
        if is_traced(good):
            raise TypeError(
                "nonfinite='raise' looks at the gradients' numbers, which are not known while a step is compiled; "
                "write nonfinite='skip', or step outside of jit"
            )
        if not bool(framework(good).all(good)):
            raise FloatingPointError(f"the gradient of '{name}' holds inf or NaN")


def select(good: Any, new: Any, old: Any, lanes: int | None) -> Any:
    """Select `new` where `good` holds, else `old`, leaf by leaf; with lanes, `good` has one truth value per lane."""
    if isinstance(new, dict):
        return {key: select(good, value, old.get(key, value), lanes) for key, value in new.items()}
    if isinstance(new, list | tuple):
        parts = [select(good, a, b, lanes) for a, b in zip(new, old, strict=True)]
        return type(new)(*parts) if hasattr(new, "_fields") else type(new)(parts)
    if new is old:
        return new
    like = next((x for x in (new, old) if framework(x) is not None), good)
    if lanes is not None:
        good = framework(like).asarray(good, like, "bool").reshape((lanes,) + (1,) * (like.ndim - 1))
    return framework(like).where(good, new, old)
