"""Train an Equinox network with Eve, a rule that asks for the loss: `update(..., value=loss)`.

python examples/jax_equinox.py
"""

import equinox as eqx
import jax
import jax.numpy as jnp
import optax
from sklearn.datasets import load_digits

import thalweg.jax as tj

images, digits = load_digits(return_X_y=True)
order = jax.random.permutation(jax.random.key(0), len(digits))
x, y = jnp.asarray(images, jnp.float32)[order] / 16, jnp.asarray(digits)[order]

model = eqx.nn.MLP(64, 10, width_size=32, depth=1, key=jax.random.key(1))
tx = optax.chain(optax.clip_by_global_norm(1.0), tj.eve(optax.linear_schedule(1e-2, 1e-3, 120)))  # chain passes value= on
state = tx.init(eqx.filter(model, eqx.is_inexact_array))


def loss_of(model, x, y):
    return optax.softmax_cross_entropy_with_integer_labels(jax.vmap(model)(x), y).mean()


@eqx.filter_jit(donate="all-except-first")
def step(batch, model, state):
    loss, grads = eqx.filter_value_and_grad(loss_of)(model, *batch)
    updates, state = tx.update(grads, state, eqx.filter(model, eqx.is_inexact_array), value=loss)
    return eqx.apply_updates(model, updates), state, loss


print("epoch  loss    test accuracy")
for epoch in range(1, 7):
    for k in range(0, 1400, 70):
        model, state, loss = step((x[k : k + 70], y[k : k + 70]), model, state)
    accuracy = (jax.vmap(model)(x[1400:]).argmax(-1) == y[1400:]).mean()
    print(f"{epoch:5}  {loss:.4f}  {accuracy:.3f}")
