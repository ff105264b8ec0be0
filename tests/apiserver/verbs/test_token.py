"""`serviceaccounts/NAME/token`, asked of a server and shown to it."""

from datetime import timedelta
from typing import Any

import jwt
import msgspec
import pytest

from argosy.apiserver.authentication.accounts import Claims
from argosy.base.clock import parse_timestamp
from argosy.testing.clock import FakeClock
from tests.apiserver.kit import JSON, Answer, Api, body, path, serving

Json = dict[str, Any]
ACCOUNT = "/api/v1/namespaces/default/serviceaccounts/default"
WHERE = f"{ACCOUNT}/token"
WHOAMI = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
ISSUER = "https://kubernetes.default.svc.cluster.local"
INVALID = 'TokenRequest.authentication.k8s.io "" is invalid: spec.expirationSeconds: Invalid value'


def said(answer: Answer) -> Json:
    assert answer.status == 201, answer.body
    found: Json = jwt.decode(answer.body["status"]["token"], options={"verify_signature": False})
    return found


async def shown(api: Api, token: str, method: str = "POST", where: str = WHOAMI) -> Answer:
    headers = {"authorization": f"Bearer {token}"}
    return await api.ask(method, where, {} if method == "POST" else b"", headers=headers)


async def test_an_account_gets_a_token_and_is_known_by_it(api: Api) -> None:
    uid = (await api.get(ACCOUNT)).meta["uid"]
    answer = await api.ask("POST", WHERE, {})

    assert answer.body["apiVersion"] == "authentication.k8s.io/v1"
    assert answer.body["kind"] == "TokenRequest"
    meta = answer.meta
    assert (meta["name"], meta["namespace"], meta["uid"]) == ("default", "default", uid)
    spec, status = answer.body["spec"], answer.body["status"]
    assert (spec["audiences"], spec["expirationSeconds"]) == ([ISSUER], 3600)
    lasts = parse_timestamp(status["expirationTimestamp"])
    assert lasts - parse_timestamp(meta["creationTimestamp"]) == timedelta(hours=1)

    claims = said(answer)
    assert claims["exp"] - claims["iat"] == 3600
    assert claims["nbf"] == claims["iat"]
    assert (claims["iss"], claims["aud"]) == (ISSUER, [ISSUER])
    assert claims["sub"] == "system:serviceaccount:default:default"
    assert claims["kubernetes.io"] == {
        "namespace": "default",
        "serviceaccount": {"name": "default", "uid": uid},
    }
    me = (await shown(api, status["token"])).body["status"]["userInfo"]
    assert (me["username"], me["uid"]) == (claims["sub"], uid)
    assert me["extra"] == {"authentication.kubernetes.io/credential-id": [f"JTI={claims['jti']}"]}
    assert (await shown(api, status["token"], "GET", "/api/v1/pods")).status == 403


async def test_each_token_is_another(api: Api) -> None:
    one, other = [said(await api.ask("POST", WHERE, {}))["jti"] for _ in range(2)]
    assert one != other


async def test_a_token_ends_at_its_time_and_with_its_account() -> None:
    clock = FakeClock()
    async with serving(clock=clock) as api:
        spec = {"expirationSeconds": 600}
        token = (await api.ask("POST", WHERE, {"spec": spec})).body["status"]["token"]
        assert (await shown(api, token)).status == 201
        await clock.advance(661)
        assert (await shown(api, token)).status == 401

        token = (await api.ask("POST", WHERE, {})).body["status"]["token"]
        await api.ask("DELETE", ACCOUNT)
        assert (await shown(api, token)).status == 401
        again = {"metadata": {"name": "default"}}
        await api.ask("POST", "/api/v1/namespaces/default/serviceaccounts", again)
        assert (await shown(api, token)).status == 401  # its name came back, not the account


async def test_a_token_for_others_is_not_for_this_server(api: Api) -> None:
    spec = {"audiences": ["vault"]}
    answer = await api.ask("POST", WHERE, {"spec": spec})
    assert said(answer)["aud"] == ["vault"]
    assert (await shown(api, answer.body["status"]["token"])).status == 401


@pytest.mark.parametrize(
    ("seconds", "message"),
    [
        (599, f"{INVALID}: 599: may not specify a duration less than 10 minutes"),
        (0, f"{INVALID}: 0: may not specify a duration less than 10 minutes"),
        (-(2**63), f"{INVALID}: {-(2**63)}: may not specify a duration less than 10 minutes"),
        (2**32 + 1, f"{INVALID}: {2**32 + 1}: may not specify a duration larger than 2^32 seconds"),
        (2**63 - 1, f"{INVALID}: {2**63 - 1}: may not specify a duration larger than 2^32 seconds"),
    ],
)
async def test_a_token_lasts_neither_too_short_nor_too_long(
    api: Api, seconds: int, message: str
) -> None:
    answer = await api.ask("POST", WHERE, {"spec": {"expirationSeconds": seconds}})
    assert (answer.status, answer.message) == (422, message)


async def test_the_longest_token_has_a_time(api: Api) -> None:
    answer = await api.ask("POST", WHERE, {"spec": {"expirationSeconds": 2**32}})
    assert said(answer)["exp"] - said(answer)["iat"] == 2**32


async def a_pod(api: Api, **spec: Any) -> Json:
    pod = body("Pod", "web")
    pod["spec"] = {**pod["spec"], "serviceAccountName": "default", **spec}
    return (await api.create("Pod", pod)).meta


async def test_a_token_is_bound_to_a_pod_and_tells_its_node(api: Api) -> None:
    node = (await api.create("Node", body("Node", "n"))).meta
    pod = await a_pod(api, nodeName="n")
    reference = {"kind": "Pod", "apiVersion": "v1", "name": "web", "uid": pod["uid"]}
    answer = await api.ask("POST", WHERE, {"spec": {"boundObjectRef": reference}})

    bound = said(answer)["kubernetes.io"]
    assert bound["pod"] == {"name": "web", "uid": pod["uid"]}
    assert bound["node"] == {"name": "n", "uid": node["uid"]}
    token = answer.body["status"]["token"]
    extra = (await shown(api, token)).body["status"]["userInfo"]["extra"]
    assert extra["authentication.kubernetes.io/pod-name"] == ["web"]
    await api.ask("DELETE", path("Pod", "web"), {"gracePeriodSeconds": 0})
    assert (await shown(api, token)).status == 401


async def test_a_kubelets_token_lasts_a_year_and_says_when_to_renew_it(api: Api) -> None:
    await a_pod(api, nodeName="gone")
    spec: Json = {
        "boundObjectRef": {"kind": "Pod", "apiVersion": "v1", "name": "web"},
        "expirationSeconds": 3607,
    }
    answer = await api.ask("POST", WHERE, {"spec": spec})
    claims = said(answer)
    assert claims["exp"] - claims["iat"] == 365 * 24 * 3600
    read = msgspec.convert(claims, Claims)
    assert read.kubernetes.warnafter == read.iat + 3607
    assert claims["kubernetes.io"]["node"] == {"name": "gone"}
    assert answer.body["spec"]["expirationSeconds"] == 3607

    for other in ({"audiences": ["vault"]}, {"expirationSeconds": 3608}):
        claims = said(await api.ask("POST", WHERE, {"spec": {**spec, **other}}))
        assert claims["exp"] - claims["iat"] < 4000
        assert "warnafter" not in claims["kubernetes.io"]


async def test_a_token_is_bound_to_a_secret_or_a_node(api: Api) -> None:
    await api.create("Node", body("Node", "n"))
    secrets = "/api/v1/namespaces/default/secrets"
    await api.ask("POST", secrets, {"metadata": {"name": "s"}})
    for kind, name in (("Secret", "s"), ("Node", "n")):
        reference = {"kind": kind, "apiVersion": "v1", "name": name}
        answer = await api.ask("POST", WHERE, {"spec": {"boundObjectRef": reference}})
        assert said(answer)["kubernetes.io"][kind.lower()]["name"] == name
        assert (await shown(api, answer.body["status"]["token"])).status == 201
    await api.ask("DELETE", f"{secrets}/s")
    assert (await shown(api, answer.body["status"]["token"])).status == 201


@pytest.mark.parametrize(
    ("reference", "status", "message"),
    [
        ({"kind": "Pod", "apiVersion": "v1", "name": "no"}, 404, 'pods "no" not found'),
        ({"kind": "Node", "apiVersion": "v1", "name": "no"}, 404, 'nodes "no" not found'),
        (
            {"kind": "ConfigMap", "apiVersion": "v1", "name": "no"},
            400,
            "cannot bind token to object of type /v1, Kind=ConfigMap",
        ),
        (
            {"kind": "Pod", "apiVersion": "apps/v1", "name": "no"},
            400,
            "cannot bind token to object of type apps/v1, Kind=Pod",
        ),
        (
            {"kind": "Job", "apiVersion": "a/b/c"},
            400,
            "cannot bind token to object of type /, Kind=Job",
        ),
        ({}, 400, "cannot bind token to object of type /, Kind="),
        ({"kind": "Pod", "apiVersion": "v1"}, 400, "resource name may not be empty"),
        (
            {"kind": "Pod", "apiVersion": "v1", "name": "web", "uid": "u"},
            409,
            'Operation cannot be fulfilled on Pod "web": the UID in the bound object reference '
            "(u) does not match the UID in record. The object might have been deleted and then "
            "recreated",
        ),
    ],
)
async def test_what_a_token_is_bound_to_is_there(
    api: Api, reference: Json, status: int, message: str
) -> None:
    await a_pod(api)
    answer = await api.ask("POST", WHERE, {"spec": {"boundObjectRef": reference}})
    assert (answer.status, answer.message) == (status, message)


async def test_a_pod_of_another_account_binds_no_token(api: Api) -> None:
    accounts = "/api/v1/namespaces/default/serviceaccounts"
    assert (await api.ask("POST", accounts, {"metadata": {"name": "other"}})).status == 201
    await a_pod(api, serviceAccountName="other")
    reference = {"kind": "Pod", "apiVersion": "v1", "name": "web"}
    answer = await api.ask("POST", WHERE, {"spec": {"boundObjectRef": reference}})
    assert (answer.status, answer.message) == (
        400,
        'cannot bind token for serviceaccount "default" to pod running with different '
        "serviceaccount name.",
    )


async def test_the_request_may_name_its_account_but_no_other(api: Api) -> None:
    uid = (await api.get(ACCOUNT)).meta["uid"]
    right = {"metadata": {"name": "default", "namespace": "default", "uid": uid}}
    assert (await api.ask("POST", WHERE, right)).status == 201
    wrong = await api.ask("POST", WHERE, {"metadata": {"name": "other"}})
    assert (wrong.status, wrong.message) == (
        422,
        'TokenRequest.authentication.k8s.io "default" is invalid: metadata.name: '
        'Invalid value: "other": must match the service account name if specified',
    )
    wrong = await api.ask("POST", WHERE, {"metadata": {"namespace": "other"}})
    assert wrong.status == 400
    wrong = await api.ask("POST", WHERE, {"metadata": {"uid": "u"}})
    assert (wrong.status, wrong.message) == (
        409,
        'Operation cannot be fulfilled on TokenRequest.authentication.k8s.io "default": '
        "the UID in the token request (u) does not match the UID of the service account "
        f"({uid})",
    )


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"", 400),
        (b"[]", 400),
        ({"kind": "Pod"}, 400),
        ({"spec": []}, 422),
        ({"spec": {"audiences": "a"}}, 422),
        ({"spec": {"audiences": [1]}}, 422),
        ({"spec": {"expirationSeconds": "600"}}, 422),
        ({"spec": {"boundObjectRef": "pod"}}, 422),
        ({"spec": {"boundObjectRef": {"name": {}}}}, 422),
        ({"metadata": [], "spec": {}}, 400),
    ],
)
async def test_nonsense_is_refused(api: Api, sent: Any, status: int) -> None:
    assert (await api.ask("POST", WHERE, sent)).status == status


async def test_options_count(api: Api) -> None:
    assert (await api.ask("POST", WHERE, {}, dryRun="All")).status == 201
    assert (await api.ask("POST", WHERE, {}, dryRun="Some")).status == 422
    odd = {"spec": {"lasting": 1}}
    warned = await api.ask("POST", WHERE, odd)
    assert 'unknown field \\"spec.lasting\\"' in warned.headers["warning"]
    assert (await api.ask("POST", WHERE, odd, fieldValidation="Strict")).status == 400
    assert (await api.ask("GET", WHERE)).status == 405
    missing = await api.ask("POST", WHERE.replace("/default/token", "/no/token"), {})
    assert (missing.status, missing.message) == (404, 'serviceaccounts "no" not found')


async def test_bad_tokens_are_nobodys(api: Api) -> None:
    good = (await api.ask("POST", WHERE, {})).body["status"]["token"]
    head, payload, signature = good.split(".")
    for token in (
        f"{head}.{payload}.",
        f"{head}.{payload}.{signature[:-8]}AAAAAAAA",
        f"eyJhbGciOiJub25lIn0.{payload}.",
        f"{good}.{signature}",
        f"{good} {good}",
        "x" * 100_000,
        "." * 100_000,
        f"{head}.{'A' * 60_000}.{signature}",
        "\u00ff.\u00ff.\u00ff",
    ):
        answer = await shown(api, token, "GET", "/api")
        assert (answer.status, answer.message) == (401, "Unauthorized"), token[:40]
    headers = {"authorization": f"bearer {good}", "content-type": JSON}
    assert (await api.ask("GET", "/api", headers=headers)).status == 200
