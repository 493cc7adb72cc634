"""Of pytorch_optimizer: what sees whole tensors or the whole model, by norms, factors and sums."""

from __future__ import annotations

from thalweg.dialects.method import Method, given
from thalweg.methods.matrices.adalite import adalite
from thalweg.methods.matrices.came import came
from thalweg.methods.rate_free.dadapted import dadapt_adagrad, dadapt_lion
from thalweg.methods.tensors.aida import aida

PLACE = "pytorch_optimizer/optimizer/"
SUMS = "the sums over the model are kept in float32"

METHODS = (
    Method("CAME", PLACE + "came.py",
           {"lr": 2e-4, "betas": (0.9, 0.999, 0.9999), "weight_decay": 0.0, "clip_threshold": 1.0, "eps1": 1e-30, "eps2": 1e-16},
           lambda o: came(*o.betas, o.eps1, o.eps2, o.clip_threshold, o.weight_decay),
           settings=(given(), given(lr=1e-3, weight_decay=0.1))),
    Method("DAdaptAdaGrad", PLACE + "dadapt.py", {"lr": 1.0, "d0": 1e-6, "eps": 0.0}, lambda o: dadapt_adagrad(o.d0, o.eps), remains=SUMS),
    Method("DAdaptLion", PLACE + "dadapt.py", {"lr": 1.0, "betas": (0.9, 0.999), "d0": 1e-6}, lambda o: dadapt_lion(*o.betas, o.d0),
           remains=SUMS),
    Method("Aida", PLACE + "aida.py", {"lr": 1e-3, "betas": (0.9, 0.999), "k": 2, "xi": 1e-20, "eps": 1e-8},
           lambda o: aida(*o.betas, o.eps, o.k, o.xi), remains="another epsilon is beside the root of v, and 1e-15 under it"),
    Method("Adalite", PLACE + "adalite.py",
           {"lr": 1e-3, "betas": (0.9, 0.999), "weight_decay": 0.01, "eps1": 1e-6, "eps2": 1e-10, "tau": 1.0},
           lambda o: adalite(*o.betas, o.eps1, o.eps2, o.tau, o.weight_decay), settings=(given(), given(betas=(0.5, 0.9), tau=0.3))),
)  # fmt: skip
