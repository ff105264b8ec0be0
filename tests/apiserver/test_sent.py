"""Repeated keys of what is written: refused, warned of or ignored, in kube-apiserver's words."""

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
