"""What a client sends: the object's identity, unknown fields, bodies that can't be read."""

from typing import Any

import pytest

from tests.apiserver.kit import JSON, MERGE, YAML, Api, body, path

Json = dict[str, Any]

MAP = path("ConfigMap", "it")
MAPS = path("ConfigMap")
NAMESPACE_DIFFERS = (
    "the namespace of the provided object does not match the namespace sent on the request"
)


def named(**meta: Any) -> Json:
    return {**body("ConfigMap"), "metadata": {"name": "it", **meta}}


# what the object says of itself


@pytest.mark.parametrize(
    ("said", "message"),
    [
        (
            {"apiVersion": "v2"},
            "the API version in the data (v2) does not match the expected API version (v1)",
        ),
        (
            {"kind": "Pod"},
            "the kind in the data (Pod) does not match the expected kind (ConfigMap)",
        ),
        ({"kind": 5}, "the kind in the data (5) does not match the expected kind (ConfigMap)"),
        ({"metadata": {"name": "it", "namespace": "other"}}, NAMESPACE_DIFFERS),
        ({"metadata": []}, "metadata must be an object"),
        ({"metadata": "it"}, "metadata must be an object"),
    ],
)
async def test_an_object_must_be_what_the_path_says(api: Api, said: Json, message: str) -> None:
    await api.create("ConfigMap")
    sent = {**body("ConfigMap"), **said}

    created = await api.ask("POST", MAPS, sent)
    merged = await api.ask("PATCH", MAP, said, kind=MERGE)

    assert (created.status, created.message) == (400, message)
    assert (merged.status, merged.message) == (400, message)


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
async def test_a_write_must_not_rename(api: Api, method: str) -> None:
    await api.create("ConfigMap")
    answer = await api.ask(method, MAP, named(name="that"), kind=JSON if method == "PUT" else MERGE)

    assert answer.status == 400
    assert answer.message == (
        "the name of the object (that) does not match the name on the URL (it)"
    )


@pytest.mark.parametrize(
    "said", [{"apiVersion": None, "kind": None}, {"apiVersion": "", "kind": ""}]
)
async def test_an_object_may_leave_out_what_the_path_says(api: Api, said: Json) -> None:
    created = await api.create("ConfigMap", {**body("ConfigMap"), **said})

    assert (created.body["apiVersion"], created.body["kind"]) == ("v1", "ConfigMap")


# unknown fields

MISSPELT = {"metadata": {"name": "it", "lables": {}}, "data": {"a": "b"}, "colour": {"dark": 1}}


async def test_unknown_fields_are_warned_of_and_dropped(api: Api) -> None:
    created = await api.create("ConfigMap", MISSPELT)

    assert created.headers["warning"] == (
        r'299 - "unknown field \"metadata.lables\"", 299 - "unknown field \"colour\""'
    )
    assert "colour" not in created.body
    assert "lables" not in created.meta
    assert created.body["data"] == {"a": "b"}


async def test_unknown_fields_may_be_ignored(api: Api) -> None:
    created = await api.create("ConfigMap", MISSPELT, fieldValidation="Ignore")

    assert "warning" not in created.headers
    assert "colour" not in created.body


@pytest.mark.parametrize(("method", "kind"), [("POST", JSON), ("PUT", JSON), ("PATCH", MERGE)])
async def test_unknown_fields_may_be_an_error(api: Api, method: str, kind: str) -> None:
    if method != "POST":
        await api.create("ConfigMap")
    where = MAPS if method == "POST" else MAP
    answer = await api.ask(method, where, MISSPELT, kind=kind, fieldValidation="Strict")

    assert answer.status == 400
    assert answer.message == (
        'ConfigMap in version "v1" cannot be handled as a ConfigMap: strict decoding error: '
        'unknown field "metadata.lables", unknown field "colour"'
    )


async def test_unknown_fields_are_found_at_any_depth(api: Api) -> None:
    pod = body("Pod")
    pod["spec"]["containers"][0]["imgae"] = "x"
    strict = await api.ask("POST", path("Pod"), pod, fieldValidation="Strict")

    assert 'unknown field "spec.containers[0].imgae"' in strict.message


async def test_fields_validation_has_three_values(api: Api) -> None:
    answer = await api.ask("POST", MAPS, body("ConfigMap"), fieldValidation="Loose")

    assert answer.status == 422
    ((field, text),) = answer.causes
    assert field == "fieldValidation"
    assert 'Unsupported value: "Loose"' in text
    assert all(f'"{name}"' in text for name in ("Ignore", "Strict", "Warn"))


# the body


@pytest.mark.parametrize(
    ("sent", "kind"),
    [
        (b"", JSON),
        (b"null", JSON),
        (b"[]", JSON),
        (b'"text"', JSON),
        (b"7", JSON),
        (b"{", JSON),
        (b"{}{}", JSON),
        (b"{'a': 1}", JSON),
        (b'{"metadata": {"name": "it"}, "data": {"a": NaN}}', JSON),
        (b'{"metadata": {"name": "it"}, "data": {"a": "\xff"}}', JSON),
        (b'{"metadata": {"name": "it"}, "data": {"a": "\\ud800"}}', JSON),
        (b'{"metadata": {"name": "it", "generation": ' + b"9" * 5000 + b"}}", JSON),
        (b'{"metadata": {"name": "it", "generation": 1e999}}', JSON),
        (b'{"a":' * 100_000, JSON),
        (b'{"a":' * 5000 + b"1" + b"}" * 5000, JSON),
        (b"", YAML),
        (b"- a", YAML),
        (b"text", YAML),
        (b"a: [", YAML),
        (b"\xff\xfe", YAML),
        (b"a: \x01", YAML),
        (b"? [a]\n: b", YAML),
        (b"metadata: {name: it}\ndata: {a: .nan}", YAML),
        (b"metadata: {name: it}\ndata: {a: !!binary aGk=}", YAML),
        (b"metadata: {name: it}\ndata: !!set {a, b}", YAML),
        (b"metadata: {name: it}\ndata: !!python/object:os.system {}", YAML),
        (b"a: &x [1]\nb: [*x, *x]", YAML),
        (b"a: 1\n---\nb: 2", YAML),
        (b"a: " + b"[" * 3000 + b"]" * 3000, YAML),
    ],
)
async def test_bodies_that_cannot_be_read(api: Api, sent: bytes, kind: str) -> None:
    answer = await api.ask("POST", MAPS, sent, kind=kind)

    assert (answer.status, answer.body["reason"]) == (400, "BadRequest")


async def test_numbers_beyond_all_bounds_are_refused_by_name(api: Api) -> None:
    sent = b'{"metadata": {"name": "it", "generation": ' + b"9" * 40 + b"}}"
    answer = await api.ask("POST", MAPS, sent)

    assert answer.status == 422
    assert {field for field, _ in answer.causes} == {"metadata.generation"}


async def test_yaml_is_read_as_kubernetes_reads_it(api: Api) -> None:
    sent = b"""
metadata: {name: it, annotations: {"1": 2026-11-21, on: "no"}}
data:
  2: "two"
  true: "yes & *no"
  script: |
    a && echo *.txt
"""
    answer = await api.ask("POST", MAPS, sent, kind=YAML)

    assert answer.status == 201, answer.body
    assert answer.body["data"] == {
        "2": "two",
        "true": "yes & *no",
        "script": "a && echo *.txt\n",
    }
    assert answer.meta["annotations"] == {"1": "2026-11-21", "true": "no"}


async def test_json_is_yaml_too(api: Api) -> None:
    assert (await api.ask("POST", MAPS, body("ConfigMap"), kind=YAML)).status == 201


async def test_parameters_of_the_type_do_not_matter(api: Api) -> None:
    kind = "Application/JSON; charset=utf-8"

    assert (await api.ask("POST", MAPS, body("ConfigMap"), kind=kind)).status == 201
