"""Tests of health: what the checks say, and in which words."""

import pytest

from argosy.apiserver.health import REMEMBERED, Health, State, StoreHealth
from argosy.http.checks import Check
from argosy.http.message import Request, Response
from argosy.store.memory import MemoryStore
from argosy.testing.clock import FakeClock

FINE = State(bootstrapped=True, ready=True)


def health(state: State = FINE) -> Health:
    return Health(state, StoreHealth(MemoryStore(), FakeClock()))


def ask(asked: Health, path: str, query: str = "") -> Response:
    found = asked.find(Request("GET", path, query), path)
    assert found is not None
    return found


def text(response: Response) -> str:
    assert isinstance(response.body, bytes)
    return response.body.decode()


@pytest.mark.parametrize("path", ["/healthz", "/livez", "/readyz"])
def test_all_is_well(path: str) -> None:
    answer = ask(health(), path)
    assert (answer.status, text(answer)) == (200, "ok")
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"


def test_who_asks_for_more_hears_of_each_check() -> None:
    assert text(ask(health(), "/livez", "verbose")) == (
        "[+]ping ok\n[+]log ok\n[+]poststarthook/bootstrap-controller ok\nlivez check passed\n"
    )


@pytest.mark.parametrize(
    "state, failing",
    [
        (State(), {"poststarthook/bootstrap-controller", "poststarthook/start-node"}),
        (State(bootstrapped=True), {"poststarthook/start-node"}),
        (State(bootstrapped=True, ready=True, stopping=True), {"shutdown"}),
    ],
)
def test_readiness_names_what_is_missing(state: State, failing: set[str]) -> None:
    answer = ask(health(state), "/readyz")
    assert answer.status == 500
    lines = text(answer).splitlines()
    assert {line for line in lines if line.startswith("[-]")} == {
        f"[-]{name} failed: reason withheld" for name in failing
    }
    assert "[+]ping ok" in lines and lines[-1] == "readyz check failed"


def test_a_server_that_ends_is_alive() -> None:
    ending = health(State(bootstrapped=True, ready=True, stopping=True))
    assert ask(ending, "/livez").status == 200


def test_checks_can_be_left_out() -> None:
    starting = health(State(bootstrapped=True))
    query = "exclude=poststarthook/start-node&exclude=etcd&verbose"
    answer = ask(starting, "/readyz", query)
    assert answer.status == 200
    assert "[+]poststarthook/start-node excluded: ok\n" in text(answer)
    assert "[+]etcd excluded: ok\n" in text(answer)


def test_what_there_is_not_can_not_be_left_out() -> None:
    answer = ask(health(), "/livez", 'verbose&exclude=b&exclude=a"')
    assert 'warn: some health checks cannot be excluded: no matches for "a\\"","b"\n' in text(
        answer
    )
    assert answer.status == 200


def test_single_checks_say_why() -> None:
    starting = health(State(bootstrapped=True))
    assert text(ask(starting, "/livez/ping")) == "ok"
    answer = ask(starting, "/readyz/poststarthook/start-node")
    assert (answer.status, text(answer)) == (500, "internal server error: not finished\n")
    for path in starting.paths:
        assert starting.find(Request("GET", path), path) is not None
    for path in ("/livez/shutdown", "/livez/", "/healthz/nothing", "/health"):
        assert starting.find(Request("GET", path), path) is None


async def test_a_store_that_refuses_is_unwell_until_it_takes_a_write() -> None:
    store, clock = MemoryStore(), FakeClock()
    unwell = StoreHealth(store, clock)
    assert unwell.failure() == ""
    unwell.refused("no room")
    asked = Health(FINE, unwell)
    assert ask(asked, "/healthz").status == ask(asked, "/readyz").status == 500
    assert ask(asked, "/livez").status == 200  # a new process would find no more room
    assert text(ask(asked, "/readyz/etcd")) == "internal server error: no room\n"
    await store.write("/a", lambda _record, _revision: b"{}")
    assert ask(asked, "/readyz").status == 200


async def test_a_refusal_is_forgotten_when_nobody_writes() -> None:
    clock = FakeClock()
    unwell = StoreHealth(MemoryStore(), clock)
    unwell.refused("no room")
    await clock.advance(REMEMBERED - 1)
    assert unwell.failure() == "no room"
    await clock.advance(2)
    assert unwell.failure() == ""


def test_outcomes_are_counted() -> None:
    state = State(bootstrapped=True)
    asked = health(state)
    ask(asked, "/readyz")
    state.ready = True
    ask(asked, "/readyz")
    assert asked.outcomes["poststarthook/start-node", "readyz"] == [1, 1, 1]
    assert asked.outcomes["ping", "readyz"] == [0, 2, 1]


def test_keys_that_a_plugin_keeps_count_for_health_and_readiness() -> None:
    faults = ["kms-provider-0: it hangs"]
    state = State(bootstrapped=True, ready=True)
    asked = health(state)
    assert asked.find(Request("GET", "/readyz/kms-providers"), "/readyz/kms-providers") is None
    state.more = (Check("kms-providers", lambda: faults[0]),)
    assert [ask(asked, path).status for path in ("/livez", "/healthz", "/readyz")] == [
        200,
        500,
        500,
    ]
    for path in ("/healthz/kms-providers", "/readyz/kms-providers"):
        assert path in asked.paths
        assert text(ask(asked, path)) == "internal server error: kms-provider-0: it hangs\n"
    faults[0] = ""
    assert ask(asked, "/readyz").status == 200
