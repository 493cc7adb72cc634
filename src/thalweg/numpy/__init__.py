"""Optimizers that update NumPy arrays in place, with each rule's whole step fused into one pass over memory.

`thalweg.numpy.Adam(params, lr=1e-3).step(grads)`: every rule and recipe of the catalogue has such a class, made from its
signature. `of(rule)` makes one from a rule of your own, and `Optimizer` takes any chain.
"""

from __future__ import annotations

import functools
import inspect
import operator
import re
from itertools import chain
from typing import Any

import numpy as np

from thalweg.core.checks import check_lanes
from thalweg.core.optimizer import USUAL, GradFn, NonFinite, State
from thalweg.core.optimizer import Optimizer as Pure
from thalweg.core.regroup import check_whose, hyper_of, regrouped
from thalweg.core.stage import as_stage, check_lr
from thalweg.form.hyper import ByLeaf, nearest, split_all
from thalweg.methods import instead, rules
from thalweg.numpy.checkpoint import between, groups_of
from thalweg.numpy.inplace import InPlace
from thalweg.numpy.outline import copied
from thalweg.numpy.routes import routes
from thalweg.numpy.saved import load_state, save_state
from thalweg.rule import Rule
from thalweg.values.trees import Tree, flatten

__all__ = ["Optimizer", "load_state", "of", "routes", "save_state"]


class Optimizer:
    """Any rule or chain over a tree of NumPy arrays (a dict, a list, a single array), updated in place.

    `param_groups` holds the groups as dicts; changes to them take effect at the next step.

    Parameters
    ----------
    params : tree or list of dict
        The arrays: of any strides, in float16, bfloat16, float32 or float64, writable, no two sharing memory. Or parameter
        groups: dicts with the arrays under "params" and their own learning rate or hyper-parameters (of any stage in a chain).
    rule : Rule or Stage
        A rule, a configured stage or a chain.
    lr : float, callable or array, optional
        A number, a schedule of t = 1, 2, ..., or with lanes one number per lane. Default: the rule's own.
    seed, nonfinite, lanes
        As in `thalweg.Optimizer`.
    fused : bool
        False: do without the kernels.
    """

    _rule: Rule | None = None

    def __init__(
        self, params: Tree, rule: Any, lr: Any = None, *,
        seed: Any = 0, nonfinite: NonFinite = "propagate", lanes: int | None = None, fused: bool = True,
    ) -> None:  # fmt: skip
        self._set_up(params, rule, {"lr": lr}, seed, nonfinite, lanes, fused)

    def _set_up(
        self, params: Tree, stage: Any, common: dict[str, Any], seed: Any, nonfinite: NonFinite, lanes: int | None, fused: bool
    ) -> None:
        self._given, self._options = stage, {"seed": seed, "nonfinite": nonfinite, "lanes": lanes}
        grouped = isinstance(params, list | tuple) and bool(params) and all(isinstance(g, dict) and "params" in g for g in params)
        self._own = tuple(common)
        self._hyper = {} if self._rule is not None else hyper_of(as_stage(stage))
        groups = list(params) if grouped else [{"params": params}]
        self.param_groups: list[dict[str, Any]] = [
            {"params": group["params"], **common, **self._checked(group, common)} for group in groups
        ]
        self._level()
        tree = [group["params"] for group in self.param_groups] if grouped else params
        counts = [len(flatten(group["params"])[0]) for group in self.param_groups]
        self._names = flatten(tree)[0]
        self._of_leaf = [i for i, count in enumerate(counts) for _ in range(count)]
        self._lr_of_rule = None if common["lr"] is not None else Pure(stage, None, **self._options).lr
        self._trees = [group["params"] for group in self.param_groups]
        self._see()
        self._bound = InPlace(self._optimizer(), tree, groups=self._of_leaf, fused=fused)

    def step(
        self, grads: Tree = None, *, loss: Any = None, grad_fn: GradFn | None = None, noise: Tree = None, curvature: Tree = None
    ) -> None:
        """Make one update in place. If an argument does not fit, nothing changes and TypeError, KeyError or ValueError is raised.

        Parameters
        ----------
        grads : tree, optional
            Arrays in the structure of `params` (with groups: a list of one tree per group), of any strides. None in an
            array's place leaves it and its t unchanged.
        loss : float, optional
            The loss, for rules that ask for it.
        grad_fn : callable, optional
            Maps parameters to (loss, gradients), for methods that evaluate several points.
        noise, curvature : tree, optional
            Noise and curvature to use instead of drawn or estimated ones.
        """
        now = [*chain.from_iterable(map(dict.values, self.param_groups))]
        same = [*map(tuple, self.param_groups)] == self._keys and all(map(operator.is_, now, self._seen))
        if not same or (self._copies and self._rewritten()):
            self._change()
        self._bound.step(grads, loss=loss, grad_fn=grad_fn, noise=noise, curvature=curvature)

    def ship(self) -> Tree:
        """Return copies of the point to keep and evaluate: the average if the method keeps one, else the parameters."""
        return self._bound.ship()

    @property
    def state(self) -> State:
        """The live state: `{"t": {name: updates}, "memory": {stage: {slot: {name: array}}}, ...}`.

        Changes to it take effect at the next step, which refuses what does not fit. Memory that was deleted begins anew if the
        count says 0; otherwise it is missed.
        """
        return self._bound.state

    @state.setter
    def state(self, state: State) -> None:
        self._bound.state = state

    def state_dict(self) -> dict[str, Any]:
        """Return a copy of everything but the parameters, for `thalweg.values.trees.save`. A schedule is saved as None."""
        groups = []
        for i, group in enumerate(self.param_groups):
            own = {key: None if callable(value) else value for key, value in group.items() if key != "params"}
            groups.append({"params": [n for n, of in zip(self._names, self._of_leaf, strict=True) if of == i], **own})
        return {"optimizer": self._name, "groups": groups, "state": copied(self.state)}

    @property
    def _name(self) -> str:
        return type(self).__name__ if self._rule is not None else f"Optimizer({self._bound.optimizer.chain.name})"

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Load what `state_dict` returned. Training then continues to the last bit as if it had never stopped.

        Schedules stay as they are. Raises KeyError, TypeError or ValueError for the state of other parameters or another rule.
        """
        mine = self.state_dict()
        groups = groups_of(state_dict, mine, self._hyper, type(self).__name__)
        try:
            state = self._bound.fitted(state_dict["state"])
        except (KeyError, TypeError, ValueError) as error:
            raise type(error)(f"{between(state_dict, mine)}: {error.args[0]}") from error
        before = [dict(group) for group in self.param_groups]
        try:
            for group, saved in zip(self.param_groups, groups, strict=True):
                group.update({key: value for key, value in saved.items() if key != "params" and value is not None})
                group.update({key: None for key in group if key in self._hyper and key not in saved})
            self._change()
        except BaseException:
            for group, own in zip(self.param_groups, before, strict=True):
                group.clear()
                group.update(own)
            raise
        self._bound.state = state

    def __reduce_ex__(self, protocol: Any) -> Any:
        """Copy arrays and state, so that the copy continues as this one would. The class is found again by its rule."""
        if self._rule is None or type(self) is not of(self._rule):
            return super().__reduce_ex__(protocol)
        return _blank, (self._rule,), self.__dict__

    def __repr__(self) -> str:
        rates = ", ".join(repr(group["lr"]) for group in self.param_groups)
        rule = "" if self._rule is not None and not self._changed() else f"{self._bound.optimizer.rule!r}, "
        options = [f", {name}={value!r}" for name, value in self._options.items() if repr(value) != repr(USUAL[name])]
        return f"{type(self).__name__}({len(self._names)} arrays, {rule}lr={rates}{''.join(options)})"

    def _changed(self) -> bool:
        rule = self._rule
        return rule is not None and any(
            group[name] is not hyper.default for group in self.param_groups for name, hyper in rule.parts.items()
        )

    # parameter groups

    def _checked(self, group: dict[str, Any], common: dict[str, Any]) -> dict[str, Any]:
        """Return a group's own values, checked."""
        own = split_all({key: value for key, value in group.items() if key != "params"})
        for key, value in own.items():
            known = {**common, **self._hyper}
            if key not in known:
                raise KeyError(f"a parameter group has {', '.join(['params', *known])}; there is no '{key}'{nearest(key, known)}")
            if key in self._hyper:
                own[key] = None if value is None else self._checked_in_chain(key, value)
                continue
            hyper = self._rule.parts[key] if self._rule is not None and key != "lr" else None
            if hyper is not None and hyper.static and value != common[key]:
                raise ValueError(
                    f"{key} is the same for all groups: {type(self).__name__}(..., {key}={value!r}), or a second optimizer"
                )
            if hyper is not None or value is not None:  # a rate of None is the rule's own
                own[key] = (check_lr if hyper is None else hyper.check)(value, type(self).__name__)
        return own

    def _checked_in_chain(self, key: str, value: Any) -> Any:
        """Return a group's value for a hyper-parameter of some stage in the chain, checked."""
        check_whose(as_stage(self._given), key)
        if self._hyper[key].static:
            raise ValueError(f"{key} is the same for all groups; set it where the chain is made, or make a second optimizer")
        return self._hyper[key].check(value, type(self).__name__)

    def _level(self) -> None:
        """Give every group a value for each key that any group sets in a chain; None means the stage's own value."""
        for key in [key for group in self.param_groups for key in group if key in self._hyper]:
            for group in self.param_groups:
                group.setdefault(key, None)

    def _see(self) -> None:
        """Remember the groups' keys and values, and the numbers in arrays, which may be rewritten in place."""
        self._keys, self._seen = list(map(tuple, self.param_groups)), [x for group in self.param_groups for x in group.values()]
        own = [value for group in self.param_groups for key, value in group.items() if key != "params"]
        self._copies = [(value, value.copy()) for value in own if isinstance(value, np.ndarray)]

    def _rewritten(self) -> set[int]:
        """Return the ids of arrays that hold other numbers than when they were seen."""
        return {id(array) for array, copy in self._copies if not np.array_equal(array, copy)}

    def _change(self) -> None:
        """Take over the groups' values. Raises an error, and changes nothing, if one does not fit or names other arrays."""
        trees = [group.get("params") for group in self.param_groups]
        if len(trees) != len(self._trees) or not all(map(operator.is_, trees, self._trees)):
            raise ValueError(
                "the groups' arrays are fixed when the optimizer is made; write into them (params[...][...] = value), "
                "or make a new optimizer"
            )
        lacking = next((key for group in self.param_groups for key in self._own if key not in group), None)
        if lacking is not None:
            raise KeyError(f"a parameter group lacks '{lacking}'; write its value into the group")
        for group in self.param_groups:
            self._checked(group, {key: self.param_groups[0][key] for key in self._own})
        self._level()
        keys, before, rewritten = self._keys, self._seen, self._rewritten()
        self._see()  # only after the checks have passed
        changed = {
            key
            for key, now, was in zip(chain.from_iterable(keys), self._seen, before, strict=False)
            if now is not was or id(now) in rewritten
        }
        if keys == self._keys and changed <= {"lr"}:
            self._bound.optimizer.lr = self._rates()
        else:
            now, self._keys = self._keys, []  # so that after an error the next step looks again
            self._bound.configure(self._optimizer())
            self._keys = now

    def _optimizer(self) -> Pure:
        """Return the pure optimizer with the groups' current hyper-parameters."""
        stage = self._given
        if self._rule is not None:
            stage = self._rule.configured({key: self._joined(key) for key in self._rule.parts})
        if said := [key for key in self.param_groups[0] if key in self._hyper]:
            stage = regrouped(as_stage(stage), {key: functools.partial(self._joined, key) for key in said})
        return Pure(stage, self._rates(), **self._options)

    def _rates(self) -> Any:
        own = [self._lr_of_rule if group["lr"] is None else group["lr"] for group in self.param_groups]
        rates = check_lr(_by_leaf(own, self._names, self._of_leaf), type(self).__name__)
        check_lanes("the learning rate", rates, self._options["lanes"])
        return rates

    def _joined(self, key: str, own: Any = None) -> Any:
        """Return a hyper-parameter's value over all groups; `own` where a group sets none."""
        values = [own if group[key] is None else group[key] for group in self.param_groups]
        return _by_leaf(values, self._names, self._of_leaf)


def _by_leaf(values: list[Any], names: list[str], of_leaf: list[int]) -> Any:
    """Return one value if the groups agree, else one per leaf."""
    if all(value is values[0] or (isinstance(value, int | float | str) and value == values[0]) for value in values):
        return values[0]
    return ByLeaf({name: values[i] for name, i in zip(names, of_leaf, strict=True)})


@functools.cache
def of(rule: Rule) -> type[Optimizer]:
    """Return the class of a rule or recipe, from the catalogue or your own.

    Parameters
    ----------
    rule : Rule
        The rule or recipe.

    Returns
    -------
    type
        A subclass of `Optimizer`, called as `of(my_rule)(params, lr=0.1)`.
    """
    if not isinstance(rule, Rule):
        raise TypeError(f"of takes a rule or recipe such as adam, not {rule!r}; what is configured goes to Optimizer(params, it)")

    def __init__(
        self: Optimizer, params: Tree, lr: Any = rule.lr, *hyper: Any,
        seed: Any = 0, nonfinite: NonFinite = "propagate", lanes: int | None = None, fused: bool = True, **named: Any,
    ) -> None:  # fmt: skip
        if before := rule.switched(hyper, named):
            self._rule = None
            self._set_up(params, before, {"lr": lr}, seed, nonfinite, lanes, fused)
            return
        config = rule.bound(type(self).__name__, hyper, named)
        self._set_up(params, rule.configured(config), {"lr": lr, **config}, seed, nonfinite, lanes, fused)

    doc = f"{rule.doc}\n\nparams: a tree of NumPy arrays, updated in place, or parameter groups. Options: see `Optimizer`."
    made = type(class_name(rule), (Optimizer,), {"__init__": __init__, "__doc__": doc, "__module__": __name__, "_rule": rule})
    made.__signature__ = signature(rule)  # type: ignore[attr-defined]
    return made


def _blank(rule: Rule) -> Optimizer:
    return object.__new__(of(rule))


def signature(rule: Rule) -> inspect.Signature:
    """Return the signature of a rule's class."""
    either, named = inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY
    options = {"seed": 0, "nonfinite": "propagate", "lanes": None, "fused": True}
    return inspect.Signature(
        [
            inspect.Parameter("params", either),
            inspect.Parameter("lr", either, default=rule.lr),
            *(inspect.Parameter(h.name, either, default=h.default) for h in rule.hyper.values()),
            *(inspect.Parameter(name, named, default=value) for name, value in options.items()),
        ]
    )


def class_name(rule: Rule) -> str:
    """Return the rule's name as its paper spells it if its docstring begins with it, else in CamelCase."""
    first = re.match(r"[\w-]+", rule.doc)
    spelled = re.sub("-(.?)", lambda found: found[1].upper(), first.group()) if first else ""
    if spelled.lower() == rule.name.replace("_", "").lower():
        return spelled
    parts = rule.name.split("_")
    return "".join(class_name(rules[p]) if len(parts) > 1 and p in set(rules) else p[:1].upper() + p[1:] for p in parts)


def __getattr__(name: str) -> type[Optimizer]:
    if name.startswith("_") or name not in rules:
        raise AttributeError(f"thalweg.numpy has no optimizer '{name}'{instead(name) or nearest(name, __dir__())}")
    return of(rules[name])


def __dir__() -> list[str]:
    return sorted([*__all__, *(class_name(rule) for rule in rules.values())])
