"""Repeated keys of what is written: refused, warned of or ignored, in kube-apiserver's words."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from tests.apiserver.kit import APPLY, JSON, MERGE, STRATEGIC, YAML, Answer, Api, path

MAPS = path("ConfigMap")
MAP = path("ConfigMap", "it")
JSON_PATCH = "application/json-patch+json"
TWICE = b'{"metadata":{"name":"it"},"data":{"a":"1","a":"2"}}'
LINES = b"metadata:\n  name: it\ndata:\n  a: '1'\n  a: '2'\n"
APPLIED = b"apiVersion: v1\nkind: ConfigMap\n" + LINES
REFUSED = 'ConfigMap in version "v1" cannot be handled as a ConfigMap: strict decoding error: '


async def send(
    api: Api, method: str, where: str, sent: bytes, kind: str, validation: str = "", **more: str
) -> Answer:
    query = {"fieldValidation": validation} if validation else {}
    return await api.ask(method, where, sent, headers={"content-type": kind}, **query, **more)


def warned(answer: Answer) -> str:
    return answer.headers.get("warning", "")


@pytest.mark.parametrize(
    ("sent", "kind", "told"),
    [
        (TWICE, JSON, 'duplicate field "data.a"'),
        (LINES, YAML, 'line 5: key "a" already set in map'),
        (TWICE, YAML, 'line 1: key "a" already set in map'),
    ],
)
async def test_objects_with_a_key_twice(api: Api, sent: bytes, kind: str, told: str) -> None:
    refused = await send(api, "POST", MAPS, sent, kind, "Strict")
    what = f"yaml: unmarshal errors:\n  {told}" if kind == YAML else told
    assert (refused.status, refused.message) == (400, REFUSED + what)

    ignored = await send(api, "POST", MAPS, sent, kind, "Ignore")
    assert (ignored.status, warned(ignored), ignored.body["data"]) == (201, "", {"a": "2"})

    quoted = told.replace('"', '\\"')
    for validation in ("", "Warn"):
        answer = await send(api, "PUT", MAP, sent, kind, validation)
        assert (answer.status, warned(answer)) == (200, f'299 - "{quoted}"')


async def test_unknown_fields_are_told_with_them(api: Api) -> None:
    sent = b'{"metadata":{"name":"it"},"data":{"a":"1","a":"2"},"dta":{}}'
    refused = await send(api, "POST", MAPS, sent, JSON, "Strict")

    assert refused.message == REFUSED + 'duplicate field "data.a", unknown field "dta"'


@pytest.mark.parametrize(
    ("kind", "sent", "told"),
    [
        (MERGE, b'{"data":{"b":"1","b":"2"}}', 'duplicate field "data.b"'),
        (STRATEGIC, b'{"data":{"b":"1","b":"2"}}', 'duplicate field "data.b"'),
        (
            JSON_PATCH,
            b'[{"op":"add","path":"/data/b","path":"/data/b","value":"2"}]',
            'json patch duplicate field "[0].path"',
        ),
        (
            JSON_PATCH,
            b'[{"op":"add","path":"/data/b","value":"2","valu":1}]',
            'json patch unknown field "[0].valu"',
        ),
    ],
)
async def test_patches_with_a_key_twice(api: Api, kind: str, sent: bytes, told: str) -> None:
    await api.create("ConfigMap")
    refused = await send(api, "PATCH", MAP, sent, kind, "Strict")
    assert (refused.status, refused.body["reason"]) == (422, "Invalid")
    assert refused.message.startswith(' "" is invalid: patch: Invalid value: ')
    assert refused.message.endswith(f": strict decoding error: {told}")

    answer = await send(api, "PATCH", MAP, sent, kind)
    quoted = told.replace('"', '\\"')
    assert (answer.status, warned(answer)) == (200, f'299 - "{quoted}"')
    assert answer.body["data"]["b"] == "2"
    assert not warned(await send(api, "PATCH", MAP, sent, kind, "Ignore"))


async def test_apply_with_a_key_twice(api: Api) -> None:
    refused = await send(api, "PATCH", MAP, APPLIED, APPLY, "Strict", fieldManager="me")
    assert refused.status == 400
    assert refused.message == (
        "error strict decoding YAML: error converting YAML to JSON: yaml: unmarshal errors:\n"
        '  line 7: key "a" already set in map'
    )
    answer = await send(api, "PATCH", MAP, APPLIED, APPLY, fieldManager="me")
    assert answer.status == 201
    assert warned(answer) == r'299 - "line 7: key \"a\" already set in map"'


async def test_a_warning_is_given_once_and_not_without_end(api: Api) -> None:
    many: dict[str, Any] = {f"unknown{i}" + "x" * 100: 1 for i in range(1000)}
    answer = await api.ask("POST", MAPS, {"metadata": {"name": "it"}, **many})

    assert answer.status == 201
    header = warned(answer)
    assert len(header) < 8192
    assert header.count("299 - ") == len(set(header.split(", "))) > 10


@pytest.mark.parametrize("kind", [JSON, YAML])
@pytest.mark.parametrize("sent", [b"\x1f\x8b\x08\x00", b"\x1f\x8b" * 1000, b""])
async def test_a_body_in_some_coding_is_not_read(api: Api, kind: str, sent: bytes) -> None:
    # As upstream, which knows no coding of bodies: nothing is ever unpacked.
    headers = {"content-encoding": "gzip", "content-type": kind}
    answer = await api.ask("POST", MAPS, sent, headers=headers)

    assert answer.status == 400


async def test_hostile_depth_with_a_key_twice(api: Api) -> None:
    sent = b'{"a":' * 900 + b'{"b":1,"b":1}' + b"}" * 900
    answer = await send(api, "POST", MAPS, sent, JSON, "Strict")

    assert answer.status in (400, 422)


@pytest.mark.parametrize(
    ("where", "kind", "sent", "told"),
    [
        (
            path("Pod", "it", "binding"),
            "Binding",
            b'{"metadata":{"name":"it"},"target":{"name":"a","name":"b"}}',
            "target.name",
        ),
        (
            "/api/v1/namespaces/default/bindings",
            "Binding",
            b'{"metadata":{"name":"it"},"target":{"name":"a","name":"b"}}',
            "target.name",
        ),
        (
            path("Pod", "it", "eviction"),
            "Eviction",
            b'{"metadata":{"name":"it"},"deleteOptions":{},"deleteOptions":{}}',
            "deleteOptions",
        ),
        (
            "/api/v1/namespaces/default/serviceaccounts/default/token",
            "TokenRequest",
            b'{"spec":{"audiences":["a"],"audiences":["b"]}}',
            "spec.audiences",
        ),
        (
            "/apis/authorization.k8s.io/v1/subjectaccessreviews",
            "SubjectAccessReview",
            b'{"spec":{"user":"a","user":"b","resourceAttributes":{"verb":"get"}}}',
            "spec.user",
        ),
        (
            "/apis/authentication.k8s.io/v1/tokenreviews",
            "TokenReview",
            b'{"spec":{"token":"a","token":"b"}}',
            "spec.token",
        ),
    ],
)
async def test_what_is_asked_and_never_stored_is_held_to_it_too(
    api: Api, where: str, kind: str, sent: bytes, told: str
) -> None:
    pod = {"metadata": {"name": "it"}, "spec": {"containers": [{"name": "a", "image": "b"}]}}
    assert (await api.create("Pod", pod)).status == 201

    refused = await send(api, "POST", where, sent, JSON, "Strict")
    head = f'{kind} in version "v1" cannot be handled as a {kind}: strict decoding error'
    assert (refused.status, refused.message) == (400, f'{head}: duplicate field "{told}"')

    ignored = await send(api, "POST", where, sent, JSON, "Ignore", dryRun="All")
    assert (ignored.status, warned(ignored)) == (201, "")

    answer = await send(api, "POST", where, sent, JSON, dryRun="All")
    assert answer.status == 201
    assert warned(answer) == f'299 - "duplicate field \\"{told}\\""'


async def test_options_of_a_delete_know_no_validation(api: Api) -> None:
    await api.create("ConfigMap", {"metadata": {"name": "it"}})
    sent = b'{"dryRun":[],"dryRun":["All"]}'
    answer = await send(api, "DELETE", MAP, sent, JSON, "Strict")
    assert (answer.status, warned(answer)) == (200, "")
    assert (await api.get(MAP)).status == 200  # the last counts


LONG = b"".join(b"  k%d: value\n" % number for number in range(2000))


async def test_long_yaml_is_read_beside_the_loop_as_short_is(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads, to_thread = list[str](), asyncio.to_thread

    async def counted(function: Callable[..., Any], *args: Any) -> Any:
        threads.append(function.__qualname__.partition(".")[0])
        return await to_thread(function, *args)

    monkeypatch.setattr(asyncio, "to_thread", counted)
    assert (await send(api, "POST", MAPS, LINES, YAML)).status == 201
    assert threads == []

    answer = await send(api, "PUT", MAP, LINES + LONG, YAML)
    assert (answer.status, warned(answer)) == (
        200,
        '299 - "line 5: key \\"a\\" already set in map"',
    )
    assert answer.body["data"] == {"a": "2", **{f"k{number}": "value" for number in range(2000)}}
    refused = await send(api, "PUT", MAP, LINES + LONG, YAML, "Strict")
    assert (refused.status, refused.message.startswith(REFUSED)) == (400, True)
    wrong = await send(api, "PUT", MAP, LINES + LONG + b"  - [", YAML)
    assert (wrong.status, "not valid YAML" in wrong.message) == (400, True)
    options = b"gracePeriodSeconds: 0\n#" + b"x" * 20_000
    assert (await send(api, "DELETE", MAP, options, YAML)).status == 200
    assert threads == ["_read_yaml"] * 4


async def test_a_long_json_patch_is_applied_beside_the_loop(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads, to_thread = list[str](), asyncio.to_thread

    async def counted(function: Callable[..., Any], *args: Any) -> Any:
        threads.append(function.__qualname__.partition(".")[0])
        return await to_thread(function, *args)

    monkeypatch.setattr(asyncio, "to_thread", counted)
    assert (await send(api, "POST", MAPS, LINES, YAML)).status == 201
    added = [{"op": "add", "path": f"/data/k{number}", "value": "v"} for number in range(1001)]
    answer = await api.ask("PATCH", MAP, added, kind=JSON_PATCH)
    assert (answer.status, len(answer.body["data"])) == (200, 1002)
    failing = [*added, {"op": "test", "path": "/data/a", "value": "1"}]
    assert (await api.ask("PATCH", MAP, failing, kind=JSON_PATCH)).status == 422
    assert threads == ["_long_json_patch"] * 2
    assert (await api.ask("PATCH", MAP, added[:9], kind=JSON_PATCH)).status == 200
    assert len(threads) == 2
    deep = [{"op": "test", "path": "/data" + "/a" * 50_000, "value": "1"}]
    assert (await api.ask("PATCH", MAP, deep, kind=JSON_PATCH)).status == 422
    assert threads == ["_long_json_patch"] * 3


async def test_long_json_is_looked_through_for_keys_beside_the_loop(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads, to_thread = list[str](), asyncio.to_thread

    async def counted(function: Callable[..., Any], *args: Any) -> Any:
        threads.append(function.__qualname__)
        return await to_thread(function, *args)

    monkeypatch.setattr(asyncio, "to_thread", counted)
    twice = b'{"metadata":{"name":"it"},"data":{"a":"1","a":"2","b":"%s"}}'
    short, long = twice % b"x", twice % (b"x" * 70_000)
    assert (await send(api, "POST", MAPS, short, JSON)).status == 201
    assert threads == []
    answer = await send(api, "PUT", MAP, long, JSON)
    assert (answer.status, warned(answer)) == (200, '299 - "duplicate field \\"data.a\\""')
    refused = await send(api, "PUT", MAP, long, JSON, "Strict")
    assert (refused.status, 'duplicate field "data.a"' in refused.message) == (400, True)
    assert (await send(api, "PUT", MAP, long.replace(b'"a":"1",', b""), JSON)).status == 200
    assert threads == ["repeated_keys"] * 2
