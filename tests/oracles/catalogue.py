"""Rule name -> oracle."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .acprop import acprop
from .adabound import adabound, amsbound
from .adadelta import adadelta
from .adafactor import adafactor
from .adagrad import adagrad
from .adam import adam, adamax, adamw, amsgrad, nadam, radam, sparse_adam
from .adasecant import adasecant
from .asgd import asgd
from .eve import eve
from .layerwise import fromage, lamb, lars, novograd
from .lbfgs import lbfgs
from .learned import learned
from .madgrad import madgrad
from .momentum import momentum, nesterov
from .muon import muon
from .optimistic import optimistic_gd
from .polyak import polyak_sgd
from .rmsprop import rmsprop, rmsprop_graves, smorms3
from .rprop import rprop
from .santa import santa_e, santa_sss
from .sgd import sgd

by_name: dict[str, Callable[..., Any]] = {
    oracle.__name__: oracle
    for oracle in (
        sgd, momentum, nesterov, adagrad, rmsprop, rmsprop_graves, smorms3, adadelta, adam, adamw, adamax, nadam,
        eve, santa_e, santa_sss, amsgrad, adabound, amsbound, adasecant, learned, radam, rprop,
        asgd, sparse_adam, adafactor, muon, lbfgs,
        lars, lamb, novograd, fromage, optimistic_gd, polyak_sgd, madgrad, acprop,
    )
}  # fmt: skip
