"""AdaLomo: Adafactor's step at a given rate."""

from thalweg.form.hyper import NonNegative, Positive
from thalweg.methods.matrices.adafactor import Exponent, Within, adafactor
from thalweg.ops import inside
from thalweg.rule import recipe


@recipe(lr=1e-3, search=(1e-4, 1e0))
def adalomo(
    *, beta2_decay: Exponent = -0.8, eps1: Within = inside(1e-30), eps2: NonNegative = 1e-3, d: Positive = 1.0,
    weight_decay: NonNegative = 0.0,
):  # fmt: skip
    """AdaLomo (Lv, Yan, Guo, Lv & Qiu 2023, arXiv 2310.10195, algorithm 1), as in the authors' code: Adafactor's step.

    From adafactor: the rate is given, `adafactor(relative_step=False)`, and tensors can be updated one by one.
    That each is, while the gradients of those before it are still to be computed, changes memory and no number. In the authors'
    code the parameter's size multiplies the decay, too.
    """
    return adafactor(beta2_decay, eps1, eps2, d, weight_decay, relative_step=False)
