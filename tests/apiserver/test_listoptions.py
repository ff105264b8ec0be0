"""Options that contradict each other, in kube-apiserver's words."""

from collections.abc import Mapping

import pytest

from argosy.apiserver.listoptions import check_list, check_watch
from argosy.base.errors import StatusError

MATCH = "resourceVersionMatch"
INITIAL = "sendInitialEvents"


def told(error: StatusError) -> str:
    assert (error.code, error.reason) == (422, "Invalid")
    prefix = 'ListOptions.meta.k8s.io "" is invalid: '
    assert error.message.startswith(prefix)
    return error.message.removeprefix(prefix)


@pytest.mark.parametrize(
    "query",
    [
        {},
        {MATCH: ""},
        {MATCH: "Exact", "resourceVersion": "5"},
        {MATCH: "NotOlderThan", "resourceVersion": "0", "limit": "5"},
    ],
)
def test_lists_that_may_be(query: Mapping[str, str]) -> None:
    check_list(query)


@pytest.mark.parametrize(
    ("query", "text"),
    [
        (
            {MATCH: "Exact"},
            f"{MATCH}: Forbidden: {MATCH} is forbidden unless resourceVersion is provided",
        ),
        (
            {MATCH: "Exact", "resourceVersion": "0"},
            f'{MATCH}: Forbidden: {MATCH} "exact" is forbidden for resourceVersion "0"',
        ),
        (
            {MATCH: "Nearly", "resourceVersion": "1"},
            f'{MATCH}: Unsupported value: "Nearly": supported values: "Exact", "NotOlderThan", ""',
        ),
        (
            {MATCH: "Exact", "resourceVersion": "1", "continue": "x"},
            f"{MATCH}: Forbidden: {MATCH} is forbidden when continue is provided",
        ),
        ({INITIAL: "true"}, f"{INITIAL}: Forbidden: {INITIAL} is forbidden for list"),
        (
            {MATCH: "Exact", INITIAL: "false"},
            f"[{MATCH}: Forbidden: {MATCH} is forbidden unless resourceVersion is provided, "
            f"{INITIAL}: Forbidden: {INITIAL} is forbidden for list]",
        ),
    ],
)
def test_lists_that_may_not(query: Mapping[str, str], text: str) -> None:
    with pytest.raises(StatusError) as caught:
        check_list(query)
    assert told(caught.value) == text


@pytest.mark.parametrize(
    "query",
    [{}, {INITIAL: "true", MATCH: "NotOlderThan"}, {INITIAL: "false", MATCH: "NotOlderThan"}],
)
def test_watches_that_may_be(query: Mapping[str, str]) -> None:
    check_watch(query)


@pytest.mark.parametrize(
    ("query", "text"),
    [
        (
            {INITIAL: "true"},
            f"{MATCH}: Forbidden: {INITIAL} requires setting {MATCH} to NotOlderThan",
        ),
        (
            {MATCH: "NotOlderThan"},
            f"{MATCH}: Forbidden: {MATCH} is forbidden for watch unless {INITIAL} is provided",
        ),
        (
            {INITIAL: "true", MATCH: "Exact"},
            f"[{MATCH}: Forbidden: {INITIAL} requires setting {MATCH} to NotOlderThan, "
            f'{MATCH}: Unsupported value: "Exact": supported values: "NotOlderThan"]',
        ),
        (
            {INITIAL: "true", MATCH: "NotOlderThan", "continue": "x"},
            f"{MATCH}: Forbidden: {MATCH} is forbidden when continue is provided",
        ),
    ],
)
def test_watches_that_may_not(query: Mapping[str, str], text: str) -> None:
    with pytest.raises(StatusError) as caught:
        check_watch(query)
    assert told(caught.value) == text
