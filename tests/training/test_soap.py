"""SOAP on problems whose answers are known."""

import json

import numpy as np
import pytest
import tensorflow as tf

from tf_imgcomp.training.optimization import OptimizationConfig, optimizer_settings
from tf_imgcomp.training.soap import Soap

SIDE = Soap().side_min


def rotation(seed):
    return np.linalg.qr(np.random.default_rng(seed).normal(size=(SIDE, SIDE)))[0]


def matrix_problem(variable):
    """A quadratic in a turned basis whose curvatures span two decades."""
    left, right = (tf.constant(rotation(s), tf.float32) for s in (1, 2))
    curvature = tf.constant(np.logspace(0, -1, SIDE), tf.float32)
    turned = tf.matmul(left, tf.matmul(variable, right))
    return tf.reduce_sum(curvature[:, None] * curvature * turned**2)


def descend(optimizer, shape, loss, steps):
    variable = tf.Variable(tf.random.stateless_normal(shape, [3, 4]))
    optimizer.build([variable])

    @tf.function
    def step():
        with tf.GradientTape() as tape:
            value = loss(variable)
        gradient = tape.gradient(value, variable)
        optimizer.apply_gradients([(gradient, variable)])
        return value

    return [float(step()) for _ in range(steps)], variable


def test_a_turned_quadratic_falls_faster_than_with_adam():
    def last(optimizer):
        rate = tf.keras.optimizers.schedules.CosineDecay(0.03, 300)
        losses, _ = descend(optimizer(rate), (SIDE, SIDE), matrix_problem, 300)
        return losses[-1]

    assert last(Soap) < 0.1 * last(tf.keras.optimizers.Adam)


@pytest.mark.parametrize("shape", [(5,), (SIDE - 1, SIDE), (3, SIDE, SIDE - 1)])
def test_small_variables_get_adam(shape):
    def loss(variable):
        return tf.reduce_sum(tf.abs(variable) ** 1.5)

    ours, mine = descend(Soap(1e-2, beta_1=0.9, beta_2=0.99), shape, loss, 20)
    adam = tf.keras.optimizers.Adam(1e-2, beta_1=0.9, beta_2=0.99, epsilon=1e-8)
    theirs, other = descend(adam, shape, loss, 20)
    np.testing.assert_allclose(ours, theirs, rtol=1e-4)
    np.testing.assert_allclose(mine, other, rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("shape", [(SIDE, 2 * SIDE), (3, 3, SIDE, SIDE)])
def test_bases_stay_orthonormal_and_moments_turn_with_them(shape):
    optimizer = Soap(1e-2, refresh_every=3)
    losses, _ = descend(optimizer, shape, lambda v: tf.reduce_sum(v**4), 60)
    assert losses[-1] < losses[0]
    bases = [v.numpy() for v in optimizer.variables if "basis" in v.name]
    assert [len(basis) for basis in bases] == list(shape[-2:])
    for basis in bases:
        assert not np.array_equal(basis, np.eye(len(basis)))
        np.testing.assert_allclose(basis @ basis.T, np.eye(len(basis)), atol=1e-4)


def test_a_record_has_its_own_defaults_too():
    settings = optimizer_settings(OptimizationConfig(10, optimizer="soap"))
    assert "learning_rate" not in settings  # Another field of the record.
    settings = json.loads(json.dumps(settings))
    again = Soap.from_config({**settings, "learning_rate": 1e-3})
    expected = Soap(use_ema=True, ema_momentum=0.999, jit_compile=False).get_config()
    assert again.get_config() == {**expected, "name": again.name}
    assert (settings["refresh_every"], settings["side_max"]) == (10, 512)


def test_it_has_the_average_of_weights_and_a_config():
    optimizer = Soap(1e-2, use_ema=True, ema_momentum=0.5)
    _, variable = descend(optimizer, (SIDE, SIDE), matrix_problem, 5)
    last = variable.numpy()
    optimizer.finalize_variable_values([variable])
    assert not np.array_equal(last, variable.numpy())
    again = Soap.from_config(optimizer.get_config())
    assert again.get_config() == optimizer.get_config()
