"""Muon for hidden matrices, with AdamW for the rest."""

from typing import Literal

from thalweg.core.compose import choose
from thalweg.core.leaf import Leaf
from thalweg.core.routes import role_of
from thalweg.core.stage import chain
from thalweg.form.hyper import Count, Decay, Eps, NonNegative, Positive
from thalweg.methods.matrices.muon import muon
from thalweg.methods.matrices.splus import scaled
from thalweg.methods.moments.adam import adam
from thalweg.ops import outside
from thalweg.rule import recipe
from thalweg.stages.decay import decay


def is_hidden(leaf: Leaf) -> bool:
    """Whether a parameter is a hidden matrix by its name and shape; it does not insist on names, as `role` does."""
    return role_of(leaf.name, leaf.shape) == "hidden"


@recipe(lr=2e-2, search=(1e-4, 1e0))
def muon_with_adamw(
    *, mu: Decay = 0.95, nesterov: bool = True, ns_steps: Count = 5, dtype: Literal["own", "bfloat16"] = "own",
    scale: Literal["original", "transposed", "match_rms_adamw", "none"] = "original", weight_decay: NonNegative = 0.0,
    adamw_share: Positive = 0.015, beta1: Decay = 0.9, beta2: Decay = 0.95, eps: Eps = outside(1e-10),
):  # fmt: skip
    """Muon with AdamW (Jordan et al. 2024, kellerjordan.github.io/posts/muon; AdamW: Loshchilov & Hutter 2019, arXiv 1711.05101).

    From muon and adamw: Muon for hidden matrices, AdamW for the rest.
    Hidden matrices have `muon`, and embeddings, the head, biases and gains AdamW, at the share adamw_share of the learning rate:
    3e-4 by default, as in the authors' code. A schedule so moves both. Embedding and head are known by their names, see `role`:
    hand over the model, or `model.named_parameters()`. Without names each matrix counts as hidden. The decay is decoupled.
    """
    hidden = muon(mu, nesterov, ns_steps=ns_steps, dtype=dtype, scale=scale)
    rest = chain(adam(beta1, beta2, eps), decay(weight_decay), scaled(adamw_share))
    return choose((is_hidden, chain(hidden, decay(weight_decay))), otherwise=rest)
