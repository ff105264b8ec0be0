"""What a namespace's labels choose, and what is said where they are wrong."""

import pytest

from argosy.security.podsecurity.levels import (
    LEVELS,
    PREFIX,
    Policy,
    Standard,
    chosen,
    read_level,
    read_version,
    stricter,
)

NONE = Standard()
BASELINE = Standard("baseline")
RESTRICTED = Standard("restricted")
LEVEL_WORDS = "must be one of privileged, baseline, restricted"
VERSION_WORDS = 'must be "latest" or "v1.x"'


@pytest.mark.parametrize(
    ("labels", "policy"),
    [
        ({}, Policy()),
        ({"enforce": "baseline"}, Policy(BASELINE, NONE, BASELINE)),
        (
            {"enforce": "restricted", "enforce-version": "v1.24"},
            Policy(Standard("restricted", 24), NONE, Standard("restricted", 24)),
        ),
        (
            {"enforce": "restricted", "enforce-version": "v1.24", "warn-version": "v1.30"},
            Policy(Standard("restricted", 24), NONE, Standard("restricted", 30)),
        ),
        (
            {"enforce": "restricted", "warn": "baseline", "audit": "restricted"},
            Policy(RESTRICTED, RESTRICTED, BASELINE),
        ),
        ({"enforce": "baseline", "warn": "privileged"}, Policy(BASELINE, NONE, NONE)),
        ({"warn": "restricted", "warn-version": "latest"}, Policy(NONE, NONE, RESTRICTED)),
        ({"enforce-version": "v1.0"}, Policy(Standard("privileged", 0), NONE, NONE)),
    ],
)
def test_labels_choose(labels: dict[str, str], policy: Policy) -> None:
    found = chosen({PREFIX + name: value for name, value in labels.items()}, Policy())

    assert (found.policy, found.errors) == (policy, ())


@pytest.mark.parametrize(
    ("labels", "policy", "words"),
    [
        ({"enforce": "Baseline"}, Policy(RESTRICTED, NONE, NONE), LEVEL_WORDS),
        ({"audit": "none"}, Policy(), LEVEL_WORDS),
        ({"warn": ""}, Policy(), LEVEL_WORDS),
        ({"enforce": "baseline", "warn": "x"}, Policy(BASELINE, NONE, NONE), LEVEL_WORDS),
        ({"enforce-version": "1.24"}, Policy(), VERSION_WORDS),
        ({"audit-version": "v1.024"}, Policy(), VERSION_WORDS),
        ({"warn-version": "v2.0"}, Policy(), VERSION_WORDS),
    ],
)
def test_wrong_labels_are_told_and_never_let_more_in(
    labels: dict[str, str], policy: Policy, words: str
) -> None:
    found = chosen({PREFIX + name: value for name, value in labels.items()}, Policy())

    assert found.policy == policy
    (error,) = found.errors
    wrong = list(labels)[-1]
    assert str(error) == (
        f'metadata.labels[{PREFIX}{wrong}]: Invalid value: "{labels[wrong]}": {words}'
    )


def test_all_that_is_wrong_is_told() -> None:
    labels = {
        f"{PREFIX}{mode}{part}": "?"
        for mode in ("enforce", "audit", "warn")
        for part in ("", "-version")
    }

    assert [error.field for error in chosen(labels, Policy()).errors] == [
        f"metadata.labels[{label}]" for label in labels
    ]


def test_defaults_hold_where_labels_are_silent() -> None:
    defaults = Policy(BASELINE, RESTRICTED, RESTRICTED)
    found = chosen({f"{PREFIX}enforce": "restricted"}, defaults).policy

    assert chosen({}, defaults).policy == defaults
    assert found == Policy(RESTRICTED, RESTRICTED, RESTRICTED)
    assert chosen({f"{PREFIX}enforce": "privileged"}, defaults).policy.warn == RESTRICTED


@pytest.mark.parametrize("text", ["v1.0\n", "v1.٣", "v1.", "v1.-1", "v1." + "9" * 5000, "", "V1.2"])
def test_what_is_no_version(text: str) -> None:
    with pytest.raises(ValueError, match=VERSION_WORDS):
        read_version(text)


def test_versions_and_levels_are_shown_as_they_are_read() -> None:
    assert str(Standard("baseline", read_version("v1.7"))) == "baseline:v1.7"
    assert str(Standard(read_level("restricted"), read_version("latest"))) == "restricted:latest"


def test_levels_rise() -> None:
    for number, level in enumerate(LEVELS):
        assert [stricter(level, other) for other in LEVELS] == [number > at for at in range(3)]
