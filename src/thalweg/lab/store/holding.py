"""What an object holds, as the protocol of pickles and copies tells it. No pickle is made, and none is loaded."""

from __future__ import annotations

import copyreg
import functools
import hashlib
import io
import sys
import threading
import warnings
import weakref
from collections.abc import Callable
from types import CellType, GetSetDescriptorType, MemberDescriptorType
from typing import Any

import numpy as np

LOCKS = (type(threading.Lock()), type(threading.RLock()))
VIEWS: tuple[type, ...] = (type({}.keys()), type({}.values()), type({}.items()))


class Unseen(Exception):
    """Raised for an object into which nothing can look."""


def held(x: Any) -> tuple[object, ...]:
    """The values of which an object is made, besides its class. Raises Unseen."""
    for kinds, parts in _PARTS:
        if isinstance(x, kinds):
            return parts(x)
    if (tensor := _tensor(x)) is not None:
        return tensor
    return _reduced(x)


def attributes(x: Any) -> dict[str, Any]:
    """The values in the slots and in the dictionary of an object."""
    names = [name for kind in type(x).__mro__ for name in _names(vars(kind).get("__slots__", ()))]
    return {**{name: getattr(x, name) for name in names if hasattr(x, name)}, **getattr(x, "__dict__", {})}


def _names(slots: Any) -> tuple[str, ...]:
    return (slots,) if isinstance(slots, str) else tuple(slots)


def _reduced(x: Any) -> tuple[object, ...]:
    """What `copy` and `pickle` ask an object for: a function, its arguments, the state, the items."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # some iterators will lose this in later releases of Python
            own = copyreg.dispatch_table.get(type(x))
            found: Any = own(x) if own is not None else x.__reduce_ex__(4)
        if isinstance(found, str):  # a name in its module
            return found, attributes(x)
        return *found[:3], *(list(items or ()) for items in found[3:5])
    except Exception as error:  # it may raise anything
        raise Unseen(str(error)) from error


def _buffer(x: Any) -> tuple[object, ...]:
    view = memoryview(x)
    return view.format, view.shape, _hash(view), getattr(x, "__dict__", None)


def _hash(x: Any) -> str:
    return hashlib.sha256(x.tobytes()).hexdigest()


def _file(x: io.IOBase) -> tuple[object, ...]:
    """Its name and mode: what is in a file does not show."""
    return str(getattr(x, "name", "")), str(getattr(x, "mode", "")), str(getattr(x, "encoding", ""))


def _cell(x: CellType) -> tuple[object, ...]:
    try:
        return (x.cell_contents,)
    except ValueError:  # it is bound later
        return ()


def _tensor(x: Any) -> tuple[object, ...] | None:
    """The values of a tensor of PyTorch or JAX, or of a generator of random numbers; None for anything else."""
    torch, jax = sys.modules.get("torch"), sys.modules.get("jax")
    try:
        if torch is not None and isinstance(x, torch.Generator):
            return str(x.device), x.get_state()
        if torch is not None and isinstance(x, torch.Tensor) and x.layout == torch.strided and not x.is_quantized:
            flat = x.detach().resolve_conj().resolve_neg().cpu().contiguous().reshape(-1)
            more = x.requires_grad, x.grad if x.is_leaf else None, getattr(x, "__dict__", None)
            return str(x.dtype), tuple(x.shape), _hash(flat.view(torch.uint8).numpy()), more
        if jax is not None and isinstance(x, jax.Array):
            is_key = jax.dtypes.issubdtype(x.dtype, jax.dtypes.prng_key)
            array = np.asarray(jax.random.key_data(x) if is_key else x)
            return str(x.dtype), array.shape, _hash(array)
    except Exception as error:  # it has no values, as one on the device "meta", or a tracer
        raise Unseen(str(error)) from error
    return None


_PARTS: tuple[tuple[Any, Callable[[Any], tuple[object, ...]]], ...] = (
    (property, lambda x: (x.fget, x.fset, x.fdel)),
    ((staticmethod, classmethod), lambda x: (x.__func__,)),
    (functools.partial, lambda x: (x.func, x.args, x.keywords, x.__dict__)),
    (CellType, _cell),
    (weakref.ReferenceType, lambda x: (x(),)),
    (VIEWS, lambda x: (x.mapping,)),
    ((set, frozenset), lambda x: (frozenset(x), attributes(x))),
    ((bytearray, memoryview), _buffer),
    (np.ndarray, lambda x: (_reduced(x), getattr(x, "__dict__", None))),
    ((MemberDescriptorType, GetSetDescriptorType), lambda x: (x.__qualname__,)),
    (LOCKS, lambda x: ()),
    ((io.TextIOWrapper, io.BufferedIOBase, io.FileIO), lambda x: _reduced(x) if isinstance(x, io.BytesIO) else _file(x)),
)
