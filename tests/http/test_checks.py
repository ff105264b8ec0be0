"""Health in the form of Kubernetes' servers: the list withholds why, the single check tells it."""

import pytest

from argosy.http.checks import Check, listed, single
from argosy.http.message import Response

PING = Check("ping", lambda: "")
DISK = Check("disk", lambda: "no space left")
BOTH = "[+]ping ok\n[-]disk failed: reason withheld\nhealthz check failed\n"


def text(response: Response) -> tuple[int, str]:
    assert isinstance(response.body, bytes)
    return response.status, response.body.decode()


@pytest.mark.parametrize(
    ("checks", "query", "answer"),
    [
        ((PING,), "", (200, "ok")),
        ((PING,), "verbose", (200, "[+]ping ok\nhealthz check passed\n")),
        ((PING, DISK), "", (500, BOTH)),
        ((PING, DISK), "exclude=disk", (200, "ok")),
        (
            (PING, DISK),
            "exclude=disk&verbose=1",
            (200, "[+]ping ok\n[+]disk excluded: ok\nhealthz check passed\n"),
        ),
        (
            (PING,),
            "exclude=b&exclude=a&verbose",
            (
                200,
                "[+]ping ok\nwarn: some health checks cannot be excluded: "
                'no matches for "a","b"\nhealthz check passed\n',
            ),
        ),
    ],
)
def test_a_list_says_which_checks_hold(
    checks: tuple[Check, ...], query: str, answer: tuple[int, str]
) -> None:
    assert text(listed(checks, "healthz", query)) == answer


def test_a_check_alone_says_why_it_fails() -> None:
    assert text(single(PING)) == (200, "ok")
    assert text(single(DISK)) == (500, "internal server error: no space left\n")


def test_whoever_counts_is_asked_for_each_check() -> None:
    asked: list[str] = []

    def holds(check: Check) -> bool:
        asked.append(check.name)
        return check.holds

    listed((PING, DISK), "readyz", "exclude=ping", holds)
    assert asked == ["disk"]
