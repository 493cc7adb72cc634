"""Switches of rules in an earlier release, and the stages that replace them, for one more release."""

from __future__ import annotations

from typing import Any

from thalweg.core.stage import chain
from thalweg.dialects import variants
from thalweg.methods.descent.asgd import asgd
from thalweg.methods.descent.momentum import momentum
from thalweg.methods.moments.adan import adan
from thalweg.methods.moments.amsgrad import amsgrad
from thalweg.methods.moments.yogi import yogi
from thalweg.rule import Switches
from thalweg.stages.after import polyak_average
from thalweg.stages.learning_rate import fading_rate

HOME = "thalweg.dialects.variants"


def _amsgrad(*args: Any, sqrt_decay: bool = True, bias_correction: bool = False, maximum_of: str = "raw", **named: Any) -> Any:
    if sqrt_decay and not bias_correction:
        return amsgrad(*args, **named)
    corrected = variants.amsgrad_of_corrected if maximum_of == "corrected" else variants.corrected_amsgrad
    core = (corrected if bias_correction else variants.steady_amsgrad)(*args, **named)
    return chain(core, variants.root_decay()) if sqrt_decay else core


def _momentum(*args: Any, first: str = "damped", **named: Any) -> Any:
    return (variants.undamped_momentum if first == "undamped" else momentum)(*args, **named)


def _adan(*args: Any, bias_correction: bool = False, **named: Any) -> Any:
    return (variants.corrected_adan if bias_correction else adan)(*args, **named)


def _yogi(*args: Any, bias_correction: bool = False, **named: Any) -> Any:
    return (variants.corrected_yogi if bias_correction else yogi)(*args, **named)


def _asgd(*args: Any, ahead: bool = False, **named: Any) -> Any:
    return (variants.late_asgd if ahead else asgd)(*args, **named)


def _fading_rate(*args: Any, ahead: bool = False, **named: Any) -> Any:
    return (variants.late_fading_rate if ahead else fading_rate)(*args, **named)


def _polyak_average(*args: Any, ahead: bool = False, **named: Any) -> Any:
    return (variants.late_polyak_average if ahead else polyak_average)(*args, **named)


_CORRECTED = {"bias_correction": (False, True)}
_AHEAD = {"ahead": (False, True)}
_AMSGRAD = {"sqrt_decay": (True, False), "maximum_of": ("raw", "corrected"), **_CORRECTED}

SWITCHES = {
    amsgrad: Switches(_AMSGRAD, f"{HOME}.corrected_amsgrad(), amsgrad_of_corrected() or steady_amsgrad()", _amsgrad),
    adan: Switches(_CORRECTED, f"{HOME}.corrected_adan()", _adan),
    yogi: Switches(_CORRECTED, f"{HOME}.corrected_yogi()", _yogi),
    momentum: Switches({"first": ("damped", "undamped")}, f"{HOME}.undamped_momentum()", _momentum),
    asgd: Switches(_AHEAD, f"{HOME}.late_asgd()", _asgd),
    fading_rate: Switches(_AHEAD, f"{HOME}.late_fading_rate()", _fading_rate),
    polyak_average: Switches(_AHEAD, f"{HOME}.late_polyak_average()", _polyak_average),
}
"""By rule: its former switches with their choices, the replacement, and the stage that they meant."""

for rule, switches in SWITCHES.items():
    rule.switches.append(switches)
