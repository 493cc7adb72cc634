"""Train a small CNN with Flax linen and optax on scikit-learn's digits."""

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax.training import train_state
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split


class CNN(nn.Module):
    @nn.compact
    def __call__(self, x, train: bool):
        x = nn.Conv(8, (3, 3))(x)
        x = nn.BatchNorm(use_running_average=not train, momentum=0.9)(x)
        x = nn.relu(x)
        x = nn.avg_pool(x, (2, 2), strides=(2, 2))
        x = x.reshape((x.shape[0], -1))
        x = nn.Dense(32)(x)
        x = nn.relu(x)
        return nn.Dense(10)(x)


class TrainState(train_state.TrainState):
    batch_stats: dict


def load():
    x, y = load_digits(return_X_y=True)
    x = (x / 16).astype(np.float32).reshape(-1, 8, 8, 1)
    x_train, x_rest, y_train, y_rest = train_test_split(x, y, test_size=0.4, random_state=0)
    x_val, x_test, y_val, y_test = train_test_split(x_rest, y_rest, test_size=0.5, random_state=0)
    return (x_train, y_train), (x_val, y_val), (x_test, y_test)


@jax.jit
def train_step(state, x, y):
    def loss_fn(params):
        logits, updates = state.apply_fn(
            {"params": params, "batch_stats": state.batch_stats}, x, train=True, mutable=["batch_stats"]
        )
        return optax.softmax_cross_entropy_with_integer_labels(logits, y).mean(), updates

    (loss, updates), grads = jax.value_and_grad(loss_fn, has_aux=True)(state.params)
    return state.apply_gradients(grads=grads, batch_stats=updates["batch_stats"]), loss


@jax.jit
def predict(state, x):
    return state.apply_fn({"params": state.params, "batch_stats": state.batch_stats}, x, train=False).argmax(-1)


def accuracy(state, part):
    return float((predict(state, part[0]) == part[1]).mean())


def main(seed=0, epochs=3, batch=64):
    train, val, test = load()
    rng = np.random.default_rng(seed)
    model = CNN()
    variables = model.init(jax.random.PRNGKey(seed), jnp.ones((1, 8, 8, 1)), train=False)
    steps = epochs * (len(train[1]) // batch)
    schedule = optax.warmup_cosine_decay_schedule(0.0, 3e-3, 5, steps)
    tx = optax.chain(optax.clip_by_global_norm(1.0), optax.adamw(schedule, weight_decay=1e-4))
    state = TrainState.create(apply_fn=model.apply, params=variables["params"], tx=tx, batch_stats=variables["batch_stats"])
    for epoch in range(epochs):
        order = rng.permutation(len(train[1]))
        for i in range(0, len(order) - batch + 1, batch):
            pick = order[i : i + batch]
            state, loss = train_step(state, train[0][pick], train[1][pick])
        print(f"epoch {epoch}: loss {loss:.3f}, validation accuracy {accuracy(state, val):.3f}")
    print(f"test accuracy {accuracy(state, test):.3f}")


if __name__ == "__main__":
    main()
