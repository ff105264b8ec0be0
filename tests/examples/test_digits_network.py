"""The classifier learns, its gradient is the gradient, and its ONNX form says the same."""

import json
from pathlib import Path

import numpy as np
import onnxruntime
import pytest

from examples.digits.data import Digits, load_split
from examples.digits.export import to_onnx
from examples.digits.group import Group
from examples.digits.network import (
    SIZE,
    accuracy,
    fingerprint,
    initial_state,
    loss_and_gradient,
)
from examples.digits.train import Options, train


def _few() -> Digits:
    digits = load_split().training
    return Digits(digits.images[:20], digits.labels[:20])


def test_the_split_is_complete_and_disjoint() -> None:
    split = load_split()
    assert (len(split.training), len(split.held_out)) == (1438, 359)
    assert set(np.unique(split.held_out.labels)) == set(range(10))
    assert (split.training.images.min(), split.training.images.max()) == (0, 16)


def test_the_gradient_is_the_slope_of_the_loss() -> None:
    weights = initial_state(5).weights
    _, gradient = loss_and_gradient(weights, _few())
    for index in (100, 2000, 4100, 4200, SIZE - 1):
        nudge = np.zeros(SIZE)
        nudge[index] = 1e-6
        above, below = (loss_and_gradient(weights + sign * nudge, _few())[0] for sign in (1, -1))
        assert gradient[index] == pytest.approx((above - below) / 2e-6, rel=1e-4, abs=1e-6)


def test_shares_of_a_batch_add_up() -> None:
    weights, batch = initial_state(5).weights, _few()
    whole = loss_and_gradient(weights, batch)
    shares = [
        loss_and_gradient(weights, Digits(batch.images[rank::3], batch.labels[rank::3]))
        for rank in range(3)
    ]
    assert sum(loss for loss, _ in shares) == pytest.approx(whole[0])
    assert np.allclose(np.sum([gradient for _, gradient in shares], axis=0), whole[1])


def test_one_changed_bit_changes_the_fingerprint() -> None:
    weights = initial_state(0).weights
    other = weights.copy()
    other[7] = np.nextafter(other[7], 9)
    assert fingerprint(weights) == fingerprint(initial_state(0).weights) != fingerprint(other)


def _options(folder: Path, steps: int) -> Options:
    return Options(
        steps=steps,
        seed=0,
        checkpoints=folder,
        checkpoint_every=100,
        report_every=100,
        step_seconds=0,
        output=folder / "model.onnx",
    )


def test_a_finished_run_only_exports_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = tmp_path / "model.onnx"
    train(_options(tmp_path, 3), Group(0, 1, {}))
    content = model.read_bytes()
    model.unlink()
    capsys.readouterr()
    train(_options(tmp_path, 3), Group(0, 1, {}))
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(event["event"], event["step"]) for event in events] == [("start", 3), ("done", 3)]
    assert model.read_bytes() == content


def test_the_model_says_what_the_network_says() -> None:
    weights, batch = initial_state(3).weights, load_split().held_out
    session = onnxruntime.InferenceSession(to_onnx(weights), providers=["CPUExecutionProvider"])
    label, probabilities = session.run(None, {"images": batch.images.astype(np.float32)})
    assert label.dtype == np.int64
    assert probabilities.shape == (359, 10)
    assert np.allclose(probabilities.sum(axis=1), 1, atol=1e-5)
    assert (label == batch.labels).mean() == accuracy(weights, batch)
