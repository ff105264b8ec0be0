"""The classifier: two layers in NumPy, with Adam. All that it knows lies in one flat vector.

One vector makes the rest easy: ranks add gradients as one array, a checkpoint is three arrays
(weights and Adam's two moments), and the weights have one hash. Everything is float64.
"""

import hashlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .data import CLASSES, GREYEST, PIXELS, Digits

HIDDEN = 64
SHAPES = ((PIXELS, HIDDEN), (HIDDEN,), (HIDDEN, CLASSES), (CLASSES,))
SIZE = sum(int(np.prod(shape)) for shape in SHAPES)

Vector = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Adam:
    """Adam's constants (Kingma and Ba, 2015)."""

    rate: float = 5e-3
    decay_mean: float = 0.9
    decay_square: float = 0.999
    floor: float = 1e-8


@dataclass(frozen=True, slots=True)
class State:
    """A run after `step` steps: weights and Adam's moments, each a vector of `SIZE`."""

    step: int
    weights: Vector
    mean: Vector
    square: Vector


def initial_state(seed: int) -> State:
    """Random weights (He et al., 2015), zero biases: the same for the same seed."""
    rng = np.random.default_rng(seed)
    layers = [
        rng.standard_normal(shape) * np.sqrt(2 / shape[0]) if len(shape) == 2 else np.zeros(shape)
        for shape in SHAPES
    ]
    weights = np.concatenate([layer.ravel() for layer in layers])
    return State(0, weights, np.zeros(SIZE), np.zeros(SIZE))


def layers_of(weights: Vector) -> list[Vector]:
    """`weights` cut into the layers' matrices and biases, as views."""
    ends = np.cumsum([int(np.prod(shape)) for shape in SHAPES])[:-1]
    return [
        part.reshape(shape) for part, shape in zip(np.split(weights, ends), SHAPES, strict=True)
    ]


def loss_and_gradient(weights: Vector, batch: Digits) -> tuple[float, Vector]:
    """Cross-entropy over `batch` and its gradient, both summed, so that ranks can add theirs."""
    first, first_bias, second, second_bias = layers_of(weights)
    images = batch.images / GREYEST
    hidden = np.maximum(images @ first + first_bias, 0)
    scores = hidden @ second + second_bias
    scores -= scores.max(axis=1, keepdims=True)
    log_probabilities = scores - np.log(np.exp(scores).sum(axis=1, keepdims=True))
    rows = np.arange(len(batch))
    loss = -float(log_probabilities[rows, batch.labels].sum())
    slope = np.exp(log_probabilities)
    slope[rows, batch.labels] -= 1
    slope_hidden = (slope @ second.T) * (hidden > 0)
    parts = (images.T @ slope_hidden, slope_hidden.sum(0), hidden.T @ slope, slope.sum(0))
    return loss, np.concatenate([part.ravel() for part in parts])


def step_on(state: State, gradient: Vector, adam: Adam) -> State:
    """The state after one step of Adam along `gradient`, the mean over the batch."""
    step = state.step + 1
    mean = adam.decay_mean * state.mean + (1 - adam.decay_mean) * gradient
    square = adam.decay_square * state.square + (1 - adam.decay_square) * gradient**2
    unbiased_mean = mean / (1 - adam.decay_mean**step)
    unbiased_square = square / (1 - adam.decay_square**step)
    change = adam.rate * unbiased_mean / (np.sqrt(unbiased_square) + adam.floor)
    return State(step, state.weights - change, mean, square)


def accuracy(weights: Vector, digits: Digits) -> float:
    """The part of `digits` that the model names rightly, 0 to 1."""
    first, first_bias, second, second_bias = layers_of(weights)
    hidden = np.maximum(digits.images / GREYEST @ first + first_bias, 0)
    guesses = (hidden @ second + second_bias).argmax(axis=1)
    return float((guesses == digits.labels).mean())


def fingerprint(weights: Vector) -> str:
    """`sha256:…` over the weights' bytes, little-endian: equal only for bitwise equal weights."""
    return f"sha256:{hashlib.sha256(weights.astype('<f8').tobytes()).hexdigest()}"
