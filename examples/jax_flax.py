"""Train a Flax NNX network with `nnx.Optimizer`: Muon for the matrices, AdamW for the rest, each with its own learning rate.

python examples/jax_flax.py
"""

import jax
import jax.numpy as jnp
import optax
from flax import nnx
from sklearn.datasets import load_digits

import thalweg as tw
import thalweg.jax as tj


class Network(nnx.Module):
    def __init__(self, rngs):
        self.hidden, self.out = nnx.Linear(64, 32, rngs=rngs), nnx.Linear(32, 10, rngs=rngs)

    def __call__(self, x):
        return self.out(nnx.relu(self.hidden(x)))


images, digits = load_digits(return_X_y=True)
order = jax.random.permutation(jax.random.key(0), len(digits))
x, y = jnp.asarray(images, jnp.float32)[order] / 16, jnp.asarray(digits)[order]

EPOCHS, BATCH = 6, 70
steps = EPOCHS * (1400 // BATCH)
muon = tw.muon().at(lr=lambda t: 0.02 * (1 - (t - 1) / steps))  # a rule's own schedule counts from t = 1
tx = tj.optimizer(tw.choose((tw.is_matrix, muon), otherwise=tw.adamw()), optax.cosine_decay_schedule(3e-3, steps))

model = Network(nnx.Rngs(0))
optimizer = nnx.Optimizer(model, tx, wrt=nnx.Param)


def loss_of(model, x, y):
    return optax.softmax_cross_entropy_with_integer_labels(model(x), y).mean()


@nnx.jit
def step(model, optimizer, x, y):
    loss, grads = nnx.value_and_grad(loss_of)(model, x, y)
    optimizer.update(model, grads)
    return loss


print("epoch  loss    test accuracy")
for epoch in range(1, EPOCHS + 1):
    for k in range(0, 1400, BATCH):
        loss = step(model, optimizer, x[k : k + BATCH], y[k : k + BATCH])
    accuracy = (model(x[1400:]).argmax(-1) == y[1400:]).mean()
    print(f"{epoch:5}  {loss:.4f}  {accuracy:.3f}")
