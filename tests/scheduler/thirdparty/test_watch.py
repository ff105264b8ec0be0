"""Whoever hangs is stopped, named, and left alone for a while."""

import signal
import threading
import time
from collections.abc import Callable

import pytest

from argosy.scheduler.faults import HungError, PluginError
from argosy.scheduler.framework import BusyError, UnschedulableError
from argosy.scheduler.thirdparty.watch import REST, Watch
from argosy.testing.clock import FakeClock

BUDGET = 0.05


def spin() -> None:
    while True:
        pass


def swallow_most() -> None:
    while True:
        try:
            spin()
        except Exception:
            continue


def swallow_once() -> None:
    try:
        spin()
    except BaseException:
        spin()


def doze() -> None:
    time.sleep(60)


def wait() -> None:
    threading.Event().wait()


@pytest.mark.parametrize("hang", [spin, swallow_most, swallow_once, doze, wait])
def test_what_hangs_is_stopped(hang: Callable[[], None]) -> None:
    watch = Watch(FakeClock(), budget=BUDGET)
    with pytest.raises(PluginError) as caught:
        watch.call("X", "filter", hang)
    assert str(caught.value) == "plugin X hung: its filter took longer than 0.05 s"
    assert isinstance(caught.value, HungError)
    assert signal.getitimer(signal.ITIMER_REAL)[0] == 0.0
    assert signal.getsignal(signal.SIGALRM) == signal.SIG_DFL


async def test_who_hung_is_not_asked_for_a_while_and_others_are() -> None:
    clock = FakeClock()
    watch = Watch(clock, budget=BUDGET)
    with pytest.raises(PluginError):
        watch.call("X", "filter", spin)
    with pytest.raises(PluginError, match="plugin X hung lately: it is not asked for 5 s") as told:
        watch.call("X", "score", lambda: 1)
    assert not isinstance(told.value, HungError)
    assert watch.call("Y", "score", lambda: 2) == 2
    await clock.advance(REST)
    assert watch.call("X", "score", lambda: 1) == 1


def test_who_is_in_time_is_not_stopped_later() -> None:
    watch = Watch(FakeClock(), budget=BUDGET)
    assert watch.call("X", "score", lambda: "done") == "done"
    end = time.monotonic() + 2 * BUDGET
    while time.monotonic() < end:
        pass


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (ValueError("no  such\nthing"), "plugin X failed: ValueError: no such thing"),
        (KeyError(), "plugin X failed: KeyError"),
        (SystemExit(3), "plugin X failed: SystemExit: 3"),
        (RecursionError("deep"), "plugin X failed: RecursionError: deep"),
    ],
)
def test_what_throws_is_named(error: BaseException, told: str) -> None:
    def throw() -> None:
        raise error

    with pytest.raises(PluginError) as caught:
        Watch(FakeClock()).call("X", "filter", throw)
    assert str(caught.value) == told


@pytest.mark.parametrize("error", [UnschedulableError("full"), BusyError("soon")])
def test_what_a_plugin_means_to_say_is_let_through(error: Exception) -> None:
    def throw() -> None:
        raise error

    with pytest.raises(type(error)) as caught:
        Watch(FakeClock()).call("X", "refuse", throw)
    assert caught.value is error


def test_in_another_thread_it_is_only_named() -> None:
    """Signals come to the main thread alone."""
    answers: list[object] = []

    def ask() -> None:
        watch = Watch(FakeClock(), budget=BUDGET)
        answers.append(watch.call("X", "score", lambda: 7))
        try:
            watch.call("X", "score", lambda: 1 // 0)
        except PluginError as error:
            answers.append(str(error))

    thread = threading.Thread(target=ask)
    thread.start()
    thread.join()
    assert answers == [
        7,
        "plugin X failed: ZeroDivisionError: integer division or modulo by zero",
    ]
