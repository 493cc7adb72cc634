"""What a transformation's state and the other arguments of its update must be."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import jax

from thalweg.core.optimizer import Optimizer as Pure
from thalweg.jax import checks
from thalweg.jax.apart import Apart
from thalweg.jax.arguments import masks_over
from thalweg.jax.memory import Layout
from thalweg.jax.slots import check_places, check_slots, in_state, slots
from thalweg.jax.trees import Outline, State, Tree, is_complex, present, renamed, unlike


class Expected:
    """The checks of an update's arguments, made once for each combination of trees, shapes and dtypes.

    names: the state's names for slots, by path ("adam.m"). counts: whether the state counts updates.
    """

    def __init__(self, pure: Pure, names: dict[str, str], counts: bool) -> None:
        self.pure, self.names, self.counts = pure, names, counts
        self.layout = Layout(pure, names)
        self._met: dict[tuple[str, ...], Any] = {}

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_met": {}}  # a tree structure may contain classes that cannot be pickled

    def memory(self, state: State) -> Any:
        """Return the memory by stage and slot, with the rule's names for slots."""
        ours = {f"{place.partition('.')[0]}.{name}": place.partition(".")[2] for place, name in self.names.items()}
        return renamed(state.memory, ours)

    def check(self, given: Apart, here: Apart, state: Any, extras: Mapping[str, Tree]) -> None:
        """Raise ValueError or TypeError if the arguments are not of this transformation, or not of the same parameters."""
        met = checks.kinds((given.leaves, here.leaves, state, extras)), given.outline.structure, here.outline.structure
        if met != self._met.get(tuple(extras)):
            self._examine(given, here, state, extras)
            self._met[tuple(extras)] = met

    def made(self, here: Apart, state: State) -> None:
        """Note what an update receives that follows on `init`: gradients like the parameters, and this state."""
        self._met[()] = checks.kinds((here.leaves, here.leaves, state, {})), here.outline.structure, here.outline.structure

    def _examine(self, given: Apart, here: Apart, state: Any, extras: Mapping[str, Tree]) -> None:
        outline, name = given.outline, self.pure.chain.name
        if here.outline is not outline and here.outline.names != outline.names:
            raise ValueError(unlike(outline.names, here.outline.names, "parameters"))
        self._check_leaves("gradient", given, here)
        for word, tree in extras.items():
            found = Apart.of(tree, outline)
            if found.outline.names != outline.names:
                raise ValueError(unlike(outline.names, found.outline.names, word))
            self._check_leaves(word, found, here)
        checks.check_type(state, State, name)
        self._check_memory(state, here.updating(here), outline)
        checks.check_count(state, self.counts, name)
        checks.check_walked(state, self.pure.moves, here.by_name() if self.pure.moves else {}, outline, name)

    def _check_leaves(self, what: str, these: Apart, here: Apart) -> None:
        for name, x, p in zip(here.outline.names, these.leaves, here.leaves, strict=True):
            checks.check_numbers(name, x)
            if these is not here:
                checks.check_floating(name, p)
                checks.check_alike(what, name, x, "parameter", p)

    def _check_memory(self, state: State, here: Apart, outline: Outline) -> None:
        name = self.pure.chain.name
        checks.check_memory_type(state.memory, name)
        memory = self.memory(state)
        check_slots(memory, self.layout.table, self.names, name)
        found = list(slots(memory, self.layout.table))
        trees = {path: present(held, outline) for path, held, is_tree in found if is_tree}
        for path, held, is_tree in found:
            if not is_tree:
                checks.check_number(in_state(path, self.names), held)
        for path, leaves in trees.items():
            for leaf, x in leaves.items():
                checks.check_array(in_state(path, self.names), leaf, x, complex_too=leaf in here.complexes)
        if self.exact or any(len(leaves) < len(outline.names) for leaves in trees.values()):
            self._check_places(trees, here)

    @functools.cached_property
    def exact(self) -> bool:
        """Whether slots have memory for some tensors only, or of shapes that no other check knows."""
        divided = any(path.count(".") > 1 for path, _, is_tree in slots(self.layout.table, self.layout.table) if is_tree)
        return divided or self.pure.asks_gradients or bool(self.pure._afters)

    def _check_places(self, trees: Mapping[str, Mapping[str, Any]], here: Apart) -> None:
        with masks_over(here.outline.structure.unflatten(here.leaves), here.complexes):
            started = jax.eval_shape(
                lambda leaves: self.pure.started(replace(here, leaves=leaves).by_name())["memory"], here.leaves
            )
        for path, wanted, is_tree in slots(started, self.layout.table):
            if is_tree and path in trees:
                said = in_state(path, self.names)
                check_places(said, trees[path], wanted, self.pure.chain.name)
                for leaf, x in trees[path].items():
                    shape = (2, *x.shape) if is_complex(x) else x.shape
                    checks.check_shape(said, leaf, shape, wanted[leaf].shape)
