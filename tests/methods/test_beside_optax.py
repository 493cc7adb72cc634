"""Where optax has the same variant as a rule, both walk alike."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from support import run, stream

import thalweg as tw
from methods.frameworks import sixty_four_bits
from thalweg.dialects import variants


def rounded(t: Any) -> Any:
    """MADGRAD's rate in optax: eps is added to it, and its product with sqrt(t) is rounded to float32."""
    return float(np.float32(0.01 + 1e-6) * np.sqrt(np.float32(t))) / float(np.sqrt(t))


@pytest.mark.slow
def test_equal_to_optax_where_it_has_the_same_variant() -> None:
    optax = pytest.importorskip("optax")
    jax = pytest.importorskip("jax")
    params, gradients, losses = stream(steps=60)

    def risen_half_life(i: Any) -> Any:
        """Half-lives of beta1 = 0.9 and beta3 = 0.9999, over 40 steps; optax counts from 0."""
        first, last = (np.log(0.5) / np.log(b) for b in (0.9, 0.9999))
        return 0.5 ** (1 / (first + (last - first) * jax.numpy.minimum(1.0, (i + 1.0) / 40)))

    pairs = {
        "sgd": (tw.sgd(), optax.sgd(0.01)), "momentum": (tw.momentum(), optax.sgd(0.01, momentum=0.9)),
        "nesterov": (tw.nesterov(), optax.sgd(0.01, momentum=0.9, nesterov=True)), "adam": (tw.adam(), optax.adam(0.01)),
        "adamw": (tw.adamw(weight_decay=1e-4), optax.adamw(0.01)), "adamax": (tw.adamax(eps=1e-8), optax.adamax(0.01)),
        "rmsprop": (tw.rmsprop(eps=tw.inside(1e-8)), optax.rmsprop(0.01)),
        "rmsprop momentum": (tw.chain(tw.rmsprop(eps=tw.inside(1e-8)), tw.learning_rate(), tw.momentum()), optax.rmsprop(0.01, momentum=0.9)),
        "adadelta": (tw.adadelta(0.9), optax.adadelta(0.01)), "nadam": (tw.nadam(0.9, schedule=False, nu_factor=False), optax.nadam(0.01)),
        "amsgrad": (variants.amsgrad_of_corrected(eps=1e-8), optax.amsgrad(0.01)),
        "radam": (tw.radam(eps=1e-8, threshold=5.0), optax.radam(0.01)),
        "signsgd": (tw.signsgd(), optax.sign_sgd(0.01)), "signum": (tw.signum(), optax.signum(0.01)),
        "lion": (tw.chain(tw.lion(), tw.decay(1e-3)), optax.lion(0.01)), "adabelief": (tw.adabelief(), optax.adabelief(0.01)),
        "adopt": (tw.adopt(), optax.contrib.adopt(0.01)), "adopt plain": (tw.adopt(clipped=False), optax.contrib.adopt(0.01, use_clipping=False)),
        "ademamix": (tw.ademamix(), optax.contrib.ademamix(0.01)),
        "ademamix warming up": (tw.ademamix(T=40.0), optax.contrib.ademamix(0.01, b3=risen_half_life, alpha=lambda i: 5.0 * jax.numpy.minimum(1.0, (i + 1.0) / 40))),
        "adamaxw": (tw.adamaxw(eps=1e-8, weight_decay=1e-4), optax.adamaxw(0.01)),
        "nadamw": (tw.nadamw(0.9, schedule=False, nu_factor=False, weight_decay=1e-4), optax.nadamw(0.01)),
        "muon": (tw.choose((tw.is_matrix, tw.muon(momentum="corrected", eps=1e-8, scale="transposed", a=3.5, b=-4.75, c=2.0)),
                           otherwise=tw.nadam(0.9, schedule=False, nu_factor=False)), optax.contrib.muon(0.01, (3.5, -4.75, 2.0))),
        "lars": (tw.lars(weight_decay=0.0), optax.lars(0.01)),
        "lars decay": (tw.chain(tw.decay(0.1), tw.trust_ratio(), tw.learning_rate(), tw.momentum()),
                       optax.lars(0.01, 0.1, trust_coefficient=1.0)),
        "lamb": (tw.lamb(weight_decay=0.1), optax.lamb(0.01, weight_decay=0.1)),
        "novograd": (tw.novograd(0.9, 0.25, 1e-6, 0.1), optax.novograd(0.01, weight_decay=0.1)),
        "fromage": (tw.fromage(), optax.fromage(0.01)),
        "optimistic_gd": (tw.optimistic_gd(0.8, 0.3), optax.optimistic_gradient_descent(0.01, 0.8, 0.3)),
        "polyak_sgd": (tw.polyak_sgd(1.0, 0.3), optax.polyak_sgd(0.01, f_min=0.3, variant="sps+")),
        "madgrad": (tw.madgrad().at(lr=rounded), optax.contrib.madgrad(0.01)),
        "agc": (tw.chain(tw.choose((tw.is_matrix, tw.agc(0.3, 0.5, "column")), otherwise=tw.agc(0.3, 0.5, "tensor")), tw.sgd()),
                optax.chain(optax.adaptive_grad_clip(0.3, 0.5), optax.sgd(0.01))),
        "clip": (tw.chain(tw.clip(0.5), tw.sgd()), optax.chain(optax.clip_by_global_norm(0.5), optax.sgd(0.01))),
    }  # fmt: skip
    with sixty_four_bits():
        for name, (stage, tx) in pairs.items():
            path, _ = run(stage, params, gradients, lr=0.01, losses=losses)
            p = {k: jax.numpy.asarray(x) for k, x in params.items()}
            state = tx.init(p)
            for g, loss in zip(gradients, losses, strict=True):
                given = {"value": loss} if name == "polyak_sgd" else {}
                updates, state = tx.update({k: jax.numpy.asarray(x) for k, x in g.items()}, state, p, **given)
                p = optax.apply_updates(p, updates)
            for k in p:
                np.testing.assert_allclose(path[-1][k], p[k], rtol=2e-12, atol=2e-12, err_msg=name)
