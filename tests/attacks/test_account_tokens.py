"""Attempts with tokens of service accounts that are forged, stale, or somebody else's: all are 401.

Each begins with a token that is good, so that what is refused is the attack and nothing else.
"""

import base64
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

import msgspec
import pytest
import pytest_asyncio

from argosy.apiserver.authentication.keys import Keys
from argosy.testing.clock import FakeClock
from tests.apiserver.kit import Api, Json, serving
from tests.attacks.authorization_kit import CORE

ACCOUNTS, SECRETS = f"{CORE}/serviceaccounts", f"{CORE}/secrets"
WHOAMI = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
REVIEWS = "/apis/authentication.k8s.io/v1/tokenreviews"
LEGACY = "kubernetes.io/service-account-token"
START = datetime(2026, 11, 21, 12, tzinfo=UTC)


@dataclass
class Scene:
    """A server, and `bot`, whose tokens are asked for."""

    api: Api
    clock: FakeClock

    async def made(self, path: str, body: Json) -> Json:
        answer = await self.api.ask("POST", path, body)
        assert answer.status == 201, answer.body
        found: Json = answer.body
        return found

    async def token(self, **spec: object) -> str:
        body = {"spec": spec}
        return str((await self.made(f"{ACCOUNTS}/bot/token", body))["status"]["token"])

    async def status(self, token: str) -> int:
        """Of the answer to whoever shows it."""
        headers = {"authorization": f"Bearer {token}"}
        return (await self.api.ask("POST", WHOAMI, {}, headers=headers)).status

    async def gone(self, path: str) -> None:
        assert (await self.api.ask("DELETE", path)).status in (200, 202)


@pytest_asyncio.fixture
async def scene() -> AsyncGenerator[Scene, None]:
    clock = FakeClock(START)
    async with serving(clock=clock) as api:
        found = Scene(api, clock)
        await found.made(ACCOUNTS, {"metadata": {"name": "bot"}})
        yield found


def encoded(part: Json) -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode(part)).decode().rstrip("=")


def decoded(part: str) -> Json:
    found: Json = msgspec.json.decode(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return found


def forged(token: str, claims: Mapping[str, object], **head: object) -> str:
    """The same signature over something else."""
    before, payload, signature = token.split(".")
    said = encoded({**decoded(payload), **claims})
    return f"{encoded({**decoded(before), **head})}.{said}.{signature}"


async def same_account_again(scene: Scene) -> str:
    token = await scene.token()
    assert await scene.status(token) == 201
    await scene.gone(f"{ACCOUNTS}/bot")
    await scene.made(ACCOUNTS, {"metadata": {"name": "bot"}})
    return token


async def account_gone(scene: Scene) -> str:
    token = await scene.token()
    assert await scene.status(token) == 201
    await scene.gone(f"{ACCOUNTS}/bot")
    return token


async def secret_gone(scene: Scene) -> str:
    secret = await scene.made(SECRETS, {"metadata": {"name": "s"}})
    bound = {"kind": "Secret", "apiVersion": "v1", "name": "s", "uid": secret["metadata"]["uid"]}
    token = await scene.token(boundObjectRef=bound)
    assert await scene.status(token) == 201
    await scene.gone(f"{SECRETS}/s")
    return token


async def same_secret_again(scene: Scene) -> str:
    token = await secret_gone(scene)
    await scene.made(SECRETS, {"metadata": {"name": "s"}})
    return token


async def expired(scene: Scene) -> str:
    token = await scene.token(expirationSeconds=600)
    assert await scene.status(token) == 201
    await scene.clock.advance(600 + 61)
    return token


async def other_audience(scene: Scene) -> str:
    return await scene.token(audiences=["vault"])


async def no_algorithm(scene: Scene) -> str:
    token = forged(await scene.token(), {}, alg="none")
    return f"{token.rpartition('.')[0]}."


async def other_namespace(scene: Scene) -> str:
    token = await scene.token()
    named = decoded(token.split(".")[1])["kubernetes.io"]
    return forged(token, {"kubernetes.io": {**named, "namespace": "kube-system"}})


async def longer(scene: Scene) -> str:
    return forged(await scene.token(), {"exp": 2**40})


async def other_key(scene: Scene) -> str:
    keys = Keys()
    keys.make()
    payload = decoded((await scene.token()).split(".")[1])
    return keys.sign(msgspec.json.encode(payload))


async def with_spaces(scene: Scene) -> str:
    return (await scene.token()).replace(".", " .", 1)


async def twice(scene: Scene) -> str:
    token = await scene.token()
    return f"{token}, Bearer {token}"


async def longer_signature(scene: Scene) -> str:
    return f"{await scene.token()}AAAA"


async def no_secrets(scene: Scene) -> str:
    """A legacy token, made by hand: it is good for as long as its secret holds it."""
    return encoded({"alg": "RS256"}) + "." + encoded({"iss": "kubernetes/serviceaccount"}) + ".x"


ATTACKS: Mapping[str, Callable[[Scene], Awaitable[str]]] = {
    "the account is gone": account_gone,
    "the account is another of the same name": same_account_again,
    "what it is bound to is gone": secret_gone,
    "what it is bound to is another of the same name": same_secret_again,
    "its time is over": expired,
    "it is for somebody else": other_audience,
    "it is signed by no algorithm": no_algorithm,
    "it says another namespace": other_namespace,
    "it says that it lasts for ever": longer,
    "it is signed by another cluster": other_key,
    "there is a space in it": with_spaces,
    "it is shown twice in one header": twice,
    "its signature has more bytes": longer_signature,
    "it is one of old, of no secret": no_secrets,
}


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
async def test_it_is_nobodys(scene: Scene, attack: Callable[[Scene], Awaitable[str]]) -> None:
    assert await scene.status(await attack(scene)) == 401


async def test_a_review_tells_who_is_meant_only(scene: Scene) -> None:
    """A service that is shown another's token must not take it."""
    token = await scene.token(audiences=["vault"])
    for audiences, good in ((["vault"], True), (["bank"], False), ([], False)):
        body = {"spec": {"token": token, "audiences": audiences}}
        status = (await scene.made(REVIEWS, body))["status"]
        assert status.get("authenticated", False) is good


@pytest.mark.parametrize(
    ("spec", "status", "refusal"),
    [
        ({"expirationSeconds": 60}, 422, "may not specify a duration less than 10 minutes"),
        ({"expirationSeconds": 2**33}, 422, "may not specify a duration larger than 2^32 seconds"),
        (
            {"boundObjectRef": {"kind": "Namespace", "apiVersion": "v1", "name": "default"}},
            400,
            "cannot bind token to object of type /v1, Kind=Namespace",
        ),
        (
            {"boundObjectRef": {"kind": "Secret", "apiVersion": "v1", "name": "none"}},
            404,
            'secrets "none" not found',
        ),
    ],
    ids=["too short", "for ever", "to a namespace", "to what is not there"],
)
async def test_no_token_is_had_on_such_terms(
    scene: Scene, spec: Json, status: int, refusal: str
) -> None:
    answer = await scene.api.ask("POST", f"{ACCOUNTS}/bot/token", {"spec": spec})
    assert answer.status == status, answer.body
    assert refusal in answer.message
