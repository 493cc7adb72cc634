"""Train a network in plain JAX with a chain of thalweg's rules as an optax transformation: clipping, decay, schedule-free Adam.

python examples/jax_plain.py

The whole training is one compiled program, a `lax.scan` over batches. `jax.vmap` runs five learning rates as one program too.
"""

import jax
import jax.numpy as jnp
import optax
from sklearn.datasets import load_digits

import thalweg as tw
import thalweg.jax as tj

images, digits = load_digits(return_X_y=True)
order = jax.random.permutation(jax.random.key(0), len(digits))
x, y = jnp.asarray(images, jnp.float32)[order] / 16, jnp.asarray(digits)[order]
train, test = (x[:1400], y[:1400]), (x[1400:], y[1400:])
EPOCHS, BATCH = 12, 64


def start(key):
    a, b = jax.random.split(key)
    return {
        "hidden": {"w": jax.random.normal(a, (64, 32)) / 8, "b": jnp.zeros(32)},
        "out": {"w": jax.random.normal(b, (32, 10)) / 32**0.5, "b": jnp.zeros(10)},
    }


def loss(params, x, y):
    hidden = jax.nn.relu(x @ params["hidden"]["w"] + params["hidden"]["b"])
    logits = hidden @ params["out"]["w"] + params["out"]["b"]
    return optax.softmax_cross_entropy_with_integer_labels(logits, y).mean(), (logits.argmax(-1) == y).mean()


def optimizer(rate):
    """A chain: clip, Adam, weight decay on the matrices, and schedule-free averaging, so that no schedule is needed."""
    return tj.optimizer(tw.chain(tw.clip(1.0), tw.adam(), tw.only(tw.is_matrix, tw.decay(0.05)), tw.schedule_free()), rate)


@jax.jit
def training(rate):
    """Train at this rate. Returns the training loss, and the test accuracy of the last iterate and of the shipped average."""
    tx, params = optimizer(rate), start(jax.random.key(1))
    state = tx.init(params)
    picks = jax.random.randint(jax.random.key(2), (EPOCHS * len(train[0]) // BATCH, BATCH), 0, len(train[0]))

    def step(carry, pick):
        params, state = carry
        (value, _), grads = jax.value_and_grad(loss, has_aux=True)(params, train[0][pick], train[1][pick])
        updates, state = tx.update(grads, state, params, value=value)
        return (optax.apply_updates(params, updates), state), value

    (params, state), curve = jax.lax.scan(step, (params, state), picks)
    return curve[-20:].mean(), loss(params, *test)[1], loss(tx.ship(params, state), *test)[1]


rates = jnp.array([1e-4, 1e-3, 1e-2, 1e-1, 1.0])
print("   rate  training loss  accuracy as it walks  as shipped")
for rate, *row in zip(rates, *jax.vmap(training)(rates), strict=True):
    print("{:7.4f} {:14.4f} {:21.3f} {:11.3f}".format(rate, *row))
