"""Questions to webhooks: whom they may be put to, and how long all of them may take."""

from typing import Any

import pytest

from argosy.api.resources.core import CONFIG_MAP
from argosy.apiserver.admission.rule import Attributes
from argosy.apiserver.admission.webhooks.calling import IN_ALL, Broken, Calls
from argosy.apiserver.admission.webhooks.hook import Hook, hooks
from argosy.apiserver.answers import Answers, Ask
from argosy.apiserver.authorization.authorizer import Decision
from argosy.apiserver.outbound import Outbound
from argosy.apiserver.request import Target, User
from argosy.base.errors import StatusError
from argosy.cluster.server import memory_store
from argosy.testing.clock import FakeClock

SENT = {"object": {"metadata": {"name": "a", "managedFields": [{"time": "1"}]}}}


def hook(**more: Any) -> Hook:
    one = {"name": "a.example.com", "admissionReviewVersions": ["v1"], **more}
    kind = "ValidatingWebhookConfiguration"
    [made] = hooks({"kind": kind, "metadata": {"name": "it"}, "webhooks": [one]})
    return made


def attributes(*, dry_run: bool = False) -> Attributes:
    served: Any = CONFIG_MAP
    return Attributes(
        operation="CREATE",
        target=Target(served, "default", "a"),
        user=User("me"),
        new={},
        old=None,
        look=lambda key: None,
        items=lambda prefix: [],
        authorize=lambda asked: Decision(True),
        afterwards=[],
        warnings=[],
        answers=Answers(),
        dry_run=dry_run,
    )


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def calls(clock: FakeClock) -> Calls:
    return Calls(Outbound(memory_store()), clock)


@pytest.mark.parametrize("effects", ["Some", "Unknown", None])
def test_a_dry_run_must_not_be_noticed(calls: Calls, effects: str | None) -> None:
    with pytest.raises(StatusError) as caught:
        calls.question(attributes(dry_run=True), hook(sideEffects=effects), "admit", SENT)
    text = 'admission webhook "a.example.com" does not support dry run'
    assert (caught.value.code, caught.value.message) == (400, text)


def test_who_speaks_no_known_version_is_not_asked(calls: Calls) -> None:
    silent = hook(admissionReviewVersions=["v1beta1"])
    broken = calls.question(attributes(), silent, "admit", SENT)
    assert isinstance(broken, Broken)
    assert broken.text("x") == (
        'failed calling webhook "x": could not create admission objects: webhook does not accept '
        "known AdmissionReview versions (v1)"
    )


async def test_all_together_have_a_minute(calls: Calls, clock: FakeClock) -> None:
    asked = attributes()
    assert isinstance(calls.question(asked, hook(), "admit", SENT), Ask)
    await clock.advance(IN_ALL - 1)
    assert isinstance(calls.question(asked, hook(), "admit", SENT), Ask)
    await clock.advance(1)
    with pytest.raises(StatusError, match="request did not complete") as caught:
        calls.question(asked, hook(), "admit", SENT)
    assert (caught.value.code, caught.value.reason) == (504, "Timeout")


def test_the_moment_of_an_attempt_makes_no_other_question(calls: Calls) -> None:
    later = {"object": {"metadata": {"name": "a", "managedFields": [{"time": "2"}]}}}
    other = {"object": {"metadata": {"name": "b", "managedFields": [{"time": "1"}]}}}
    keys = []
    for sent in (SENT, later, other):
        ask = calls.question(attributes(), hook(), "admit", sent)
        assert isinstance(ask, Ask)
        keys.append(ask.about)
    assert keys[0] == keys[1] != keys[2]
