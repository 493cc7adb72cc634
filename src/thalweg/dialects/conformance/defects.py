"""Defects found in other libraries, each with a reproduction that needs that library alone."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Defect:
    """A defect: in which library and version, what is wrong and what would mend it, the code that shows it and what it prints."""

    library: str
    version: str
    name: str
    says: str
    code: str
    prints: str


DEFECTS = (
    Defect(
        "optax", "0.2.8", "adan",
        "The differences of gradients are weighted by 1 - b2, once in the squared term and once in the update. In the paper beta2 is "
        "1 minus optax's b2, so that its 1 - beta2 is b2: the weight is 0.08 where it is to be 0.92. Writing b2 in both places mends "
        "it; the moving averages are right.",
        """\
import jax.numpy as jnp, optax

adan = optax.adan(0.1, eps_root=0.0)
p, state = jnp.zeros(()), adan.init(jnp.zeros(()))
for g in (1.0, 2.0, -1.0):
    update, state = adan.update(jnp.asarray(g), state, p)
m = (0.98**2 * 0.02 * 1 + 0.98 * 0.02 * 2 - 0.02) / (1 - 0.98**3)
v = (0.92 * 0.08 * 1 - 0.08 * 3) / (1 - 0.92**3)
n = (0.99**2 * 0.01 * 1 + 0.99 * 0.01 * (2 + 0.92) ** 2 + 0.01 * (-1 - 0.92 * 3) ** 2) / (1 - 0.99**3)
print(f"optax {float(update):+.4f}, Adan {-0.1 * (m + 0.92 * v) / n**0.5:+.4f}")
""",
        "optax -0.0392, Adan +0.0014",
    ),
    Defect(
        "optax", "0.2.8", "rprop",
        "The update handed out is the one worked out at the call before: the first is 0, and under a constant gradient the steps are "
        "one behind. Handing out the new value of prev_updates mends it.",
        """\
import jax.numpy as jnp, optax

rprop = optax.rprop(0.1)
p, steps = jnp.zeros(()), []
state = rprop.init(p)
for _ in range(3):
    update, state = rprop.update(jnp.ones(()), state, p)
    steps.append(round(float(update), 4) + 0.0)
print("optax", steps, "Rprop [-0.1, -0.12, -0.144]")
""",
        "optax [0.0, -0.1, -0.12] Rprop [-0.1, -0.12, -0.144]",
    ),
    Defect(
        "keras", "3.15.1", "Nadam",
        "The schedule of the momentum is beta_1 (1 - 0.5 * 0.96^t). In Dozat's algorithm, torch and Keras 2 the exponent is 0.004 t: the "
        "momentum reaches half of its way after some 4,000 steps, and here after 17. Writing 0.96 ** (0.004 * t) mends it.",
        """\
import numpy as np, keras

p = keras.Variable(np.zeros(1))
nadam = keras.optimizers.Nadam(learning_rate=1.0, epsilon=1e-12)
nadam.build([p])
for g in (1.0, -2.0):
    nadam.apply([keras.ops.convert_to_tensor(np.full(1, g, "float32"))])
a, b, c = (0.9 * (1 - 0.5 * 0.96 ** (0.004 * t)) for t in (1, 2, 3))
second = (c * (0.09 - 0.2) / (1 - a * b * c) - 2 * (1 - b) / (1 - a * b)) / (0.004999 / 0.001999) ** 0.5
print(f"Keras {keras.ops.convert_to_numpy(p)[0]:.2f}, Nadam {-(0.1 * b / (1 - a * b) + 1) - second:.2f}")
""",
        "Keras -0.18, Nadam -0.15",
    ),
    Defect(
        "keras", "3.15.1", "ScheduleFreeAdamW",
        "On the PyTorch backend momentum_old = momentum.value is the variable's own tensor, which assign_sub then changes in place, so "
        "that x_old is recovered with the new momentum. JAX and TensorFlow, whose values do not change, give the paper's iterates. "
        "Working x_old out before the momentum is updated mends it.",
        """\
import os

os.environ["KERAS_BACKEND"] = "torch"
import numpy as np, keras

p = keras.Variable(np.zeros(1))
free = keras.optimizers.ScheduleFreeAdamW(learning_rate=1.0)
free.build([p])
for _ in range(2):
    free.apply([keras.ops.ones(1)])
print(f"Keras on torch {keras.ops.convert_to_numpy(p)[0]:.3f}, 0.1 z + 0.9 x = {0.1 * -2 + 0.9 * -1.5:.3f}")
""",
        "Keras on torch -1.500, 0.1 z + 0.9 x = -1.550",
    ),
    Defect(
        "pytorch_optimizer", "4.1.0", "Lamb",
        "The trust ratio gives the step the length of the parameter, and only then the step is divided by 1 - beta1^t: the first step is "
        "ten times as long as the paper allows. Version 3 of the paper has no bias correction, and earlier ones have it before the "
        "ratio. Leaving the division out, or dividing the moment by it, mends it.",
        """\
import torch
from pytorch_optimizer import Lamb

p = torch.nn.Parameter(torch.ones(4))
p.grad = torch.ones(4)
Lamb([p], lr=0.01).step()
print(f"|step| / |p| = {float((1 - p.detach()).norm() / 2):.3f}, lr = 0.010")
""",
        "|step| / |p| = 0.100, lr = 0.010",
    ),
    Defect(
        "chainer", "7.8.1", "NesterovAG",
        "p += mu^2 v - (1 + mu) lr g is Nesterov's step for the v before the update; v has been updated by then. Moving the two lines "
        "before the update of v mends it. The library is archived.",
        """\
import numpy as np, chainer

link = chainer.Link()
with link.init_scope():
    link.p = chainer.Parameter(np.zeros(1))
nesterov = chainer.optimizers.NesterovAG(lr=1.0, momentum=0.5)
nesterov.setup(link)
link.p.grad = np.ones(1)
nesterov.update()
print("Chainer", link.p.array[0], "Nesterov -1.5")
""",
        "Chainer -1.75 Nesterov -1.5",
    ),
    Defect(
        "pytorch_optimizer", "4.1.0", "BCOS",
        "The estimator of the second moment takes the average of the gradients as it was before this step. Here the average is "
        "updated in place first, and old_m is the same tensor, so that the estimator gets the new one. A clone of the old average "
        "mends it.",
        """\
import torch, pytorch_optimizer

p = torch.nn.Parameter(torch.zeros(1, dtype=torch.float64))
bcos = pytorch_optimizer.BCOS([p], lr=1.0, beta=0.5, simple_cond=True, weight_decay=0.0, eps=0.0)
for g in (1.0, 3.0):
    before = p.item()
    p.grad = torch.full_like(p, g)
    bcos.step()
old, new = 1.0, 0.5 * 1.0 + 0.5 * 3.0
paper = new / (0.75 * old**2 + 0.25 * 3.0**2) ** 0.5
print(f"pytorch_optimizer {before - p.item():.4f}, BCOS {paper:.4f}")
""",
        "pytorch_optimizer 0.8729, BCOS 1.1547",
    ),
    Defect(
        "pytorch_optimizer", "4.1.0", "DAdaptAdan",
        "The second moment averages the square of the gradient ahead. Here that is squared before it is handed to addcmul_ with itself, "
        "so that fourth powers are averaged. Leaving out the first squaring mends it.",
        """\
import torch, pytorch_optimizer

p = torch.nn.Parameter(torch.zeros(1))
adan = pytorch_optimizer.DAdaptAdan([p])
p.grad = torch.full_like(p, 2.0)
adan.step()
print(f"pytorch_optimizer {adan.state[p]['exp_avg_sq'].item():.2f}, Adan {0.01 * 2.0**2:.2f}")
""",
        "pytorch_optimizer 0.16, Adan 0.04",
    ),
    Defect(
        "pytorch_optimizer", "4.1.0", "SimplifiedAdEMAMix",
        "The update is divided by the root of the second moment's correction, which the authors' code multiplies by: the first step is "
        "1 / (1 - beta2) times as long, twenty times by default. Multiplying mends it.",
        """\
import torch, pytorch_optimizer

p = torch.nn.Parameter(torch.zeros(1))
mix = pytorch_optimizer.SimplifiedAdEMAMix([p], lr=1.0, betas=(0.0, 0.5))
p.grad = torch.ones(1)
mix.step()
print(f"pytorch_optimizer {p.item():.2f}, the gradient over its own size {-1.0:.2f}")
""",
        "pytorch_optimizer -2.00, the gradient over its own size -1.00",
    ),
)  # fmt: skip
