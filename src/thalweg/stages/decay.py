"""Weight decay."""

from thalweg.form.hyper import NonNegative, Positive
from thalweg.ops import off
from thalweg.rule import rule


@rule
def decay(g, p, rate, *, weight_decay: NonNegative = 0.01):
    """Weight decay (coupled: L2, Krogh & Hertz 1991; decoupled: Loshchilov & Hutter 2019, arXiv 1711.05101).

    Its place decides: `chain(decay(wd), adam())` is coupled, `chain(adam(), decay(wd))` decoupled (and multiplied by the
    learning rate), `chain(decay(wd), adagrad(accumulate="raw"))` acts in the numerator only.
    `only(is_matrix, decay(wd))` exempts biases.
    """
    return g if off(weight_decay) else g + rate * weight_decay * p


@rule
def independent_decay(g, p, *, weight_decay: NonNegative = 1e-4):
    """Weight decay that no learning rate multiplies (Wortsman et al. 2023, arXiv 2309.14322, independent weight decay).

    After a stage that applies the rate, as in `chain(adam(), learning_rate(), independent_decay())`, a step subtracts this
    share of the parameter. Elsewhere the learning rate multiplies it, as everything that leaves the chain.
    """
    return g if off(weight_decay) else g + weight_decay * p


@rule(step=True)
def corrected_decay(g, p, lr, *, weight_decay: NonNegative = 0.05, max_lr: Positive = 1e-3):
    """Corrected weight decay (Defazio 2025, arXiv 2506.02285, algorithm 1): multiplied by lr^2 / max_lr.

    For layers before a normalization: the decay then keeps the ratio of gradient and weights while the rate falls.
    It applies the learning rate itself, to what arrives too. max_lr is the largest rate of the schedule.
    """
    return lr * (g + lr / max_lr * weight_decay * p)
