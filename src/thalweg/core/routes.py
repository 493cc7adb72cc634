"""Who gets what: parameters by their role in a network and by their layer, and the table of the rules that each goes through."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from thalweg.core.compose import Choose, Condition, choose
from thalweg.core.leaf import Leaf, number_at, owned
from thalweg.core.optimizer import Optimizer
from thalweg.core.stage import At, Chain, Declared, Shell, Stage, as_stage
from thalweg.form.hyper import ByLeaf, nearest
from thalweg.values.trees import Tree, taken_apart

ROLES = ("hidden", "embedding", "head", "norm", "bias")
_WORDS = {
    "embedding": r"embed|(^|[.])(wte|wpe|tok_emb|pos_emb|emb|cls_token|pos_token|relative_attention_bias)(_\d+)?($|[.])",
    "head": r"(^|[.])(lm_head|heads?|classifier|unembed\w*|output_projection|logits|score)(_\d+)?($|[.])",
}
_BIAS = re.compile(r"(^|[.])(\w*bias\w*|b\d*)$")
_LAYER = re.compile(r"(?:^|[._/])(?:layers?|blocks?|h|resblocks|groups|stages)[._]?(\d+)(?=$|[._/])", re.IGNORECASE)


def role_of(name: str, shape: tuple[int, ...]) -> str:
    """Return a parameter's role by its name and shape, as torch's modules and Flax's have them.

    Of one axis or none it is a "bias" if its name says so, else a "norm" (a gain). Of more axes it is an "embedding" or a "head"
    if its name says so, else "hidden".
    """
    if len(shape) < 2:
        return "bias" if _BIAS.search(name) else "norm"
    lower = name.lower()
    if re.search(_WORDS["head"], lower):
        return "head"
    return "embedding" if re.search(_WORDS["embedding"], lower) else "hidden"


@dataclass(frozen=True)
class role(Condition):
    """Predicate: whether a parameter has one of these roles: "hidden", "embedding", "head", "norm" or "bias".

    A role is found by name and shape: a vector is a bias if its name says so, else a norm's gain; a tensor with more axes is an
    embedding or a head if its name says so, else hidden. For PyTorch, `thalweg.torch.roles(model)` finds them by the modules.

    Parameters
    ----------
    *names : str
        The roles.
    known : mapping, optional
        Roles by parameters' names, as `thalweg.torch.roles(model)` returns them; of others, names and shapes decide.

    Examples
    --------
    >>> choose((role("hidden"), muon().at(lr=0.02)), otherwise=adam())
    >>> only(~role("bias", "norm"), decay(0.1))
    """

    names: tuple[str, ...]
    known: Mapping[str, str] = field(default_factory=dict, repr=False, hash=False)
    reads_names = True

    def __init__(self, *names: str, known: Mapping[str, str] | None = None) -> None:
        for name in names:
            if name not in ROLES:
                raise ValueError(f"there is no role {name!r}; the roles are {', '.join(ROLES)}{nearest(str(name), ROLES)}")
        if not names:
            raise ValueError(f"role takes one or more of {', '.join(ROLES)}")
        object.__setattr__(self, "names", names)
        object.__setattr__(self, "known", dict(known or {}))

    def __call__(self, leaf: Leaf) -> bool:
        return self.of(leaf) in self.names

    def of(self, leaf: Leaf) -> str:
        """Return the parameter's role."""
        return self.known.get(leaf.name) or role_of(leaf.name, leaf.shape)

    def __repr__(self) -> str:
        return f"role({', '.join(map(repr, self.names))})"


@dataclass(frozen=True)
class in_layer(Condition):
    """Predicate: whether a parameter's name has this number after "layers", "blocks", "h" or the like: `layers.3`, `Block_3`.

    Parameters
    ----------
    number : int
        The number of the layer, from 0.
    """

    number: int
    reads_names = True

    def __call__(self, leaf: Leaf) -> bool:
        return _layer(leaf.name) == self.number


def _layer(name: str) -> int | None:
    found = _LAYER.search(name)
    return int(found[1]) if found else None


@dataclass(frozen=True)
class _BelowLayers(Condition):
    """Whether a parameter is an embedding in no layer."""

    embedding: role
    reads_names = True

    def __call__(self, leaf: Leaf) -> bool:
        return _layer(leaf.name) is None and self.embedding(leaf)

    def __repr__(self) -> str:
        return "below all layers"


def layerwise(rule_of: Callable[[float], Any], *, decay: float, layers: int, known: Mapping[str, str] | None = None) -> Choose:
    """Give each layer of a network its own rule, usually one with a smaller rate the farther it is from the output.

    Layer-wise learning-rate decay (Clark et al. 2020, arXiv 2003.10555, and Bao et al. 2021, arXiv 2106.08254): the factor is 1
    for what comes after the layers (the head, the last norm), `decay` for the last layer, decay^layers for the first, and
    decay^(layers + 1) for embeddings.

    Parameters
    ----------
    rule_of : callable
        Maps the factor to a rule or stage.
    decay : float
        The factor from one layer to the one below it.
    layers : int
        The number of layers.
    known : mapping, optional
        As in `role`, for the embeddings.

    Returns
    -------
    Choose
        A stage.

    Raises
    ------
    ValueError
        If there is no layer, or the factor is not positive.

    Examples
    --------
    >>> layerwise(lambda factor: adamw().at(lr=1e-3 * factor), decay=0.75, layers=12)
    """
    if not isinstance(layers, int) or layers < 1 or not decay > 0:
        raise ValueError(f"layerwise takes a positive decay and one or more layers, not decay={decay!r} and layers={layers!r}")
    conditions: list[Condition] = [_BelowLayers(role("embedding", known=known)), *map(in_layer, range(layers))]
    branches = [(each, as_stage(rule_of(decay ** (layers + 1 - i)))) for i, each in enumerate(conditions)]
    return choose(*branches, otherwise=as_stage(rule_of(1.0)))


# the table


class Route(NamedTuple):
    """A parameter: its name, shape and role, the rules that it goes through, and its learning rate."""

    name: str
    shape: tuple[int, ...]
    role: str
    rules: str
    lr: str


class Routes(list[Route]):
    """A route for each parameter; printed as a table."""

    def __str__(self) -> str:
        cells = [("parameter", "shape", "role", "rules", "lr"), *((r.name, str(r.shape), *r[2:]) for r in self)]
        widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
        lines = ["  ".join(map(str.ljust, row, widths)).rstrip() for row in cells]
        return "\n".join([lines[0], "-" * len(max(lines, key=len)), *lines[1:]])

    __repr__ = __str__


def routes(optimizer: Any, params: Tree) -> Routes:
    """Return the table of who gets what: for each parameter its role, the rules that it goes through, and its learning rate.

    Parameters
    ----------
    optimizer : Optimizer, Rule or Stage
        An optimizer, or a rule, stage or chain.
    params : tree
        The parameters.

    Returns
    -------
    Routes
        A list of `Route`, printed as a table. The learning rate of a schedule is that at t = 1.
    """
    pure = optimizer if isinstance(optimizer, Optimizer) else Optimizer(optimizer)
    arrays = taken_apart(params).arrays
    return Routes(route(pure, Leaf(name, tuple(p.shape[pure.lane_axes :]), p, p, 1, None, p)) for name, p in arrays.items())


def route(optimizer: Optimizer, leaf: Leaf, look: Callable[[Any], Any] = lambda value: value) -> Route:
    """Return the route of one parameter. look: gives the value behind a hyper-parameter that is looked up."""
    found = list(_way(optimizer.chain, leaf))
    rates = [rate for rate, _ in found if rate is not None]
    known: dict[str, str] = {}
    for each in _roles(optimizer.chain):
        known |= each.known
    own = owned(leaf)
    words = [_told(function, leaf, look) for _, function in found if function is not None]
    lr = number_at(look(rates[-1] if rates else optimizer.lr), 1, leaf.name)
    number = f"{float(lr):g}" if not getattr(lr, "ndim", 0) and not hasattr(lr, "values") else "one per lane"
    return Route(leaf.name, own.shape, known.get(leaf.name) or role_of(leaf.name, own.shape), " + ".join(words) or "none", number)


def _told(function: Any, leaf: Leaf, look: Callable[[Any], Any]) -> str:
    own = {}
    for name, value in function.config.items():
        now = look(value)
        now = now.values[leaf.name] if isinstance(now, ByLeaf) else now
        if now is not value:
            own[name] = now
    return repr(function.but(**own) if own else function)[1:-1]


def _way(stage: Any, leaf: Leaf) -> Iterator[tuple[Any, Declared | None]]:
    """Yield the rates and the functions on a parameter's way."""
    if isinstance(stage, At):
        yield stage.rate, None
    if isinstance(stage, Choose):
        yield from _way(stage.stages[stage.branch(leaf)], leaf)
    elif isinstance(stage, Shell):
        yield from _way(stage.inner, leaf)
    elif isinstance(stage, Chain):
        for part in stage.stages:
            yield from _way(part, leaf)
    else:
        yield from ((None, function) for function in stage.functions)


def _roles(stage: Any) -> Iterable[role]:
    """Yield the roles that a stage asks for."""
    inside: list[Stage] = [stage.inner] if isinstance(stage, Shell) else list(getattr(stage, "stages", ()))
    own = [part for predicate in stage.predicates for part in predicates_in(predicate)] if isinstance(stage, Choose) else []
    yield from (each for each in own if isinstance(each, role))
    for part in inside:
        yield from _roles(part)


def predicates_in(predicate: Any) -> list[Any]:
    """Return the predicates of which one is made."""
    parts = getattr(predicate, "parts", None)
    return [predicate] if parts is None else functools.reduce(lambda found, part: [*found, *predicates_in(part)], parts, [])
