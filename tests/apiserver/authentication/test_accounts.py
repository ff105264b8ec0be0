"""Tokens of service accounts: good for as long as all that they name is there."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from argosy.apiserver.authentication import accounts
from argosy.apiserver.authentication.accounts import ServiceAccountTokens, split_username
from argosy.apiserver.authentication.tokens import AUDIENCES, Identity, TokenError, token_hash
from argosy.base.clock import timestamp
from argosy.store.interface import Record
from argosy.testing.clock import FakeClock
from tests.apiserver.authentication.kit import NOW, START, claims, keys, token

Json = dict[str, Any]
ACCOUNT = "//serviceaccounts/default/default"
POD, SECRET, NODE = "//pods/default/web", "//secrets/default/s", "//nodes/n"
BOUND = {"name": "web", "uid": "u-2"}


@dataclass
class World:
    """A few objects, and the reader of tokens that sees them."""

    objects: dict[str, Json] = field(default_factory=lambda: {ACCOUNT: {"uid": "u-1"}})
    clock: FakeClock = field(default_factory=lambda: FakeClock(START))

    def __post_init__(self) -> None:
        self.reader = ServiceAccountTokens(keys(), self.look, self.clock)

    def look(self, key: str) -> Record | None:
        meta = self.objects.get(key)
        value = msgspec.json.encode({"metadata": meta, "spec": {}})
        return None if meta is None else Record(key, value, 1)

    def read(self, text: str, audiences: tuple[str, ...] = AUDIENCES) -> Identity | None:
        return self.reader.identify(text, token_hash(text), audiences)

    def refusal(self, text: str, audiences: tuple[str, ...] = AUDIENCES) -> str:
        with pytest.raises(TokenError) as caught:
            self.read(text, audiences)
        return str(caught.value)


def test_a_token_is_its_account() -> None:
    identity = World().read(token())
    assert identity is not None
    assert identity.audiences == AUDIENCES
    user = identity.user
    assert (user.name, user.uid) == ("system:serviceaccount:default:default", "u-1")
    assert user.groups == (
        "system:serviceaccounts",
        "system:serviceaccounts:default",
        "system:authenticated",
    )
    assert user.extra == {"authentication.kubernetes.io/credential-id": ("JTI=j-1",)}


def test_a_pods_token_tells_of_pod_and_node() -> None:
    world = World()
    world.objects[POD] = {"uid": "u-2"}
    bound = {"pod": BOUND, "node": {"name": "n", "uid": "u-3"}}
    identity = world.read(token(claims(kubernetes=bound)))  # whose node is gone: no matter
    assert identity is not None
    prefix = "authentication.kubernetes.io/"
    assert identity.user.extra == {
        f"{prefix}credential-id": ("JTI=j-1",),
        f"{prefix}node-name": ("n",),
        f"{prefix}node-uid": ("u-3",),
        f"{prefix}pod-name": ("web",),
        f"{prefix}pod-uid": ("u-2",),
    }


@pytest.mark.parametrize(
    ("seconds", "reason"),
    [
        (0, ""),
        (3600 + 60, ""),
        (3600 + 61, "service account token has expired"),
        (-60, ""),
        (-61, "service account token is not valid yet"),
    ],
)
def test_a_token_has_its_time(seconds: int, reason: str) -> None:
    world = World(clock=FakeClock(START + timedelta(seconds=seconds)))
    if reason:
        assert world.refusal(token()) == reason
    else:
        assert world.read(token()) is not None


def test_a_token_from_the_future_is_refused() -> None:
    said = claims(iat=NOW + 3600)
    assert World().refusal(token(said)) == "service account token is issued in the future"


async def test_a_token_that_was_good_ends_with_its_time() -> None:
    world = World()
    assert world.read(token()) is not None
    await world.clock.advance(3700)
    assert world.refusal(token()) == "service account token has expired"


@pytest.mark.parametrize(
    ("kubernetes", "key"),
    [
        ({"pod": BOUND}, POD),
        ({"secret": {"name": "s", "uid": "u-2"}}, SECRET),
        ({"node": {"name": "n", "uid": "u-2"}}, NODE),
    ],
)
async def test_a_token_ends_with_what_it_is_bound_to(kubernetes: Json, key: str) -> None:
    world = World()
    text = token(claims(kubernetes=kubernetes))
    gone = "service account token has been invalidated"
    assert world.refusal(text) == gone

    world.objects[key] = {"uid": "u-2"}
    assert world.read(text) is not None

    world.objects[key] = {"uid": "u-9"}
    kind = next(iter(kubernetes))
    assert world.refusal(text) == (
        f"{kind} UID (u-9) does not match service account {kind} ref claim (u-2)"
    )
    world.objects[key] = {"uid": "u-2", "deletionTimestamp": timestamp(START)}
    assert world.read(text) is not None  # it is only just on its way out
    await world.clock.advance(61)
    assert world.refusal(text) == gone


async def test_a_token_ends_with_its_account() -> None:
    world = World()
    assert world.read(token()) is not None
    world.objects[ACCOUNT] = {"uid": "u-1", "deletionTimestamp": timestamp(START)}
    assert world.read(token()) is not None
    await world.clock.advance(61)
    assert world.refusal(token()) == "service account default/default has been deleted"
    world.objects[ACCOUNT] = {"uid": "u-9"}
    assert world.refusal(token()) == "service account UID (u-9) does not match claim (u-1)"
    del world.objects[ACCOUNT]
    assert world.refusal(token()) == 'serviceaccounts "default" not found'


def test_a_token_is_for_its_audiences() -> None:
    world = World()
    text = token(claims(aud=["vault", "other"]))
    assert world.refusal(text) == (
        'token audiences ["vault" "other"] is invalid for the target audiences '
        '["https://kubernetes.default.svc.cluster.local"]'
    )
    identity = world.read(text, ("other", "third"))
    assert identity is not None and identity.audiences == ("other",)


@pytest.mark.parametrize(
    "said",
    [
        {},
        claims(iss="https://elsewhere"),
        claims(aud=[]),
        claims(aud="x"),
        claims(exp="soon"),
        claims(jti=None),
        claims(kubernetes={"serviceaccount": None}),
        {key: value for key, value in claims().items() if key != "kubernetes.io"},
        {key: value for key, value in claims().items() if key != "exp"},
    ],
)
def test_other_claims_are_refused_though_signed(said: Json) -> None:
    assert World().refusal(token(said))


def test_a_signature_is_checked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    texts = [token(claims(jti=str(number))) for number in range(3)]
    checked: list[str] = []
    verified = keys().verified

    def counting(text: str) -> bytes:
        checked.append(text)
        return verified(text)

    monkeypatch.setattr(keys(), "verified", counting)
    monkeypatch.setattr(accounts, "REMEMBERED", 2)
    for text in (*texts[:2], *texts[:2]):
        world.read(text)
    assert checked == texts[:2]
    world.read(texts[2])
    world.read(texts[0])  # which had to make room
    assert checked == [*texts, texts[0]]


@settings(max_examples=80)
@given(st.text(max_size=40) | st.text("._-ABCabc019=", max_size=200))
def test_any_text_is_refused_or_none_of_these(text: str) -> None:
    try:
        assert World().read(text) is None
    except TokenError:
        assert text.count(".") == 2


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("system:serviceaccount:a:b", ("a", "b")),
        ("system:serviceaccount:a", None),
        ("system:serviceaccount::b", None),
        ("system:serviceaccount:a:b:c", None),
        ("system:serviceaccounts:a:b", None),
        ("a:b", None),
    ],
)
def test_a_username_tells_its_account(name: str, found: tuple[str, str] | None) -> None:
    assert split_username(name) == found
