"""Amounts that are a number or a share."""

import pytest

from argosy.controllers.rollout import scaled


@pytest.mark.parametrize(
    ("amount", "whole", "down", "up"),
    [
        (3, 10, 3, 3),
        ("25%", 10, 2, 3),
        ("100%", 7, 7, 7),
        ("0%", 7, 0, 0),
        ("1%", 0, 0, 0),
        ("1%", 7, 0, 1),
    ],
)
def test_scaled(amount: int | str, whole: int, down: int, up: int) -> None:
    assert (scaled(amount, whole), scaled(amount, whole, up=True)) == (down, up)
