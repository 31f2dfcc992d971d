"""A classifier as users of PennyLane, JAX and Optax write it: angles, entangling layers, all rows at once, compiled."""

import jax
import numpy as np
import optax
import pennylane as qml

n = 6
samples = 40
steps = 30

jax.config.update("jax_enable_x64", True)
rng = np.random.default_rng(3)
data = jax.numpy.asarray(rng.uniform(0, np.pi, (samples, n)))
labels = jax.numpy.where(jax.numpy.cos(data[:, 0]) * jax.numpy.cos(data[:, 1]) > 0, 1.0, -1.0)

dev = qml.device("default.qubit", wires=n)


@qml.qnode(dev, interface="jax")
def model(weights, features):
    qml.AngleEmbedding(features, wires=range(n))
    qml.StronglyEntanglingLayers(weights, wires=range(n))
    return qml.expval(qml.Z(0))


def loss(params):
    predictions = model(params["weights"], data) + params["bias"]
    return jax.numpy.mean((predictions - labels) ** 2)


params = {"weights": jax.numpy.asarray(rng.uniform(0, 0.5, (2, n, 3))), "bias": jax.numpy.asarray(0.0)}
optimizer = optax.adam(0.05)
state = optimizer.init(params)


@jax.jit
def update(params, state):
    value, slopes = jax.value_and_grad(loss)(params)
    changes, state = optimizer.update(slopes, state)
    return optax.apply_updates(params, changes), state, value


losses = []
for _ in range(steps):
    params, state, value = update(params, state)
    losses.append(float(value))

answer = [losses[0], losses[-1]]
print("loss before and after:", answer)
