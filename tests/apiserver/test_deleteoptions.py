"""Delete options: where they come from, and what is said of those that are wrong."""

from typing import Any

import pytest

from argosy.api.core import ConfigMap
from argosy.apiserver.catalog import Served
from argosy.apiserver.deleteoptions import DeleteOptions, read_options
from argosy.apiserver.request import Call, Target, User
from argosy.base.errors import StatusError
from argosy.http.message import Request
from argosy.testing.cluster import cluster
from tests.apiserver.kit import Api, path

Json = dict[str, Any]
MAP = path("ConfigMap", "it")
SCHEME = "k8s.io/apimachinery/pkg/apis/meta/internalversion/scheme/register.go:27"


async def refused(api: Api, body: Any = b"", **query: str) -> tuple[int, str]:
    """The answer to a delete that must not happen."""
    answer = await api.ask("DELETE", MAP, body, headers=None, **query)
    assert (await api.get(MAP)).status == 200
    return answer.status, answer.message


def wrong(field: str, word: str, kind: str) -> str:
    return (
        f"json: cannot unmarshal {word} into Go struct field DeleteOptions.{field} of type {kind}"
    )


MISTYPED: list[tuple[Json, str]] = [
    ({"preconditions": []}, wrong("preconditions", "array", "v1.Preconditions")),
    ({"preconditions": {"uid": 1}}, wrong("preconditions.uid", "number 1", "types.UID")),
    (
        {"preconditions": {"resourceVersion": {}}},
        wrong("preconditions.resourceVersion", "object", "string"),
    ),
    ({"gracePeriodSeconds": "soon"}, wrong("gracePeriodSeconds", "string", "int64")),
    ({"gracePeriodSeconds": True}, wrong("gracePeriodSeconds", "bool", "int64")),
    ({"gracePeriodSeconds": 1.5}, wrong("gracePeriodSeconds", "number 1.5", "int64")),
    ({"propagationPolicy": 1}, wrong("propagationPolicy", "number 1", "v1.DeletionPropagation")),
    ({"orphanDependents": "true"}, wrong("orphanDependents", "string", "bool")),
    ({"dryRun": "All"}, wrong("dryRun", "string", "[]string")),
    ({"dryRun": [1]}, wrong("dryRun", "number 1", "string")),
    (
        {"kind": "Pod", "apiVersion": "v1"},
        f'no kind "Pod" is registered for version "v1" in scheme "{SCHEME}"',
    ),
    (
        {"kind": "Pod"},
        f'no kind "Pod" is registered for version "v1" in scheme "{SCHEME}"',
    ),
    (
        {"kind": "DeleteOptions", "apiVersion": "a/b/c"},
        "unexpected GroupVersion string: a/b/c",
    ),
    (
        {"kind": 7},
        "couldn't get version/kind; json parse error: json: cannot unmarshal number 7 into Go "
        "struct field TypeMeta.kind of type string",
    ),
]


@pytest.mark.parametrize(("options", "message"), MISTYPED)
async def test_a_body_of_the_wrong_form(api: Api, options: Json, message: str) -> None:
    await api.create("ConfigMap")
    assert await refused(api, options) == (400, message)


WRONG: list[tuple[Json, str]] = [
    (
        {"propagationPolicy": "Sideways"},
        'propagationPolicy: Unsupported value: "Sideways": supported values: "Foreground", '
        '"Background", "Orphan", "nil"',
    ),
    (
        {"propagationPolicy": "Orphan", "orphanDependents": True},
        'propagationPolicy: Invalid value: "Orphan": orphanDependents and deletionPropagation '
        "cannot be both set",
    ),
    ({"dryRun": ["Some"]}, 'dryRun: Unsupported value: ["Some"]: supported values: "All"'),
]


@pytest.mark.parametrize(("options", "message"), WRONG)
async def test_values_that_break_the_rules(api: Api, options: Json, message: str) -> None:
    await api.create("ConfigMap")
    expected = (422, f'DeleteOptions.meta.k8s.io "" is invalid: {message}')
    assert await refused(api, options) == expected


async def test_all_that_is_wrong_is_told_at_once(api: Api) -> None:
    await api.create("ConfigMap")
    options = {"propagationPolicy": "x", "orphanDependents": False, "dryRun": ["y"]}
    status, message = await refused(api, options)
    assert status == 422
    assert message.count("propagationPolicy: ") == 2
    assert "dryRun: " in message


QUERIES = [
    ({"propagationPolicy": "Sideways"}, 422, 'Unsupported value: "Sideways"'),
    ({"propagationPolicy": ""}, 422, 'Unsupported value: ""'),
    ({"propagationPolicy": "Orphan", "orphanDependents": "0"}, 422, "cannot be both set"),
    ({"gracePeriodSeconds": "soon"}, 400, 'strconv.ParseInt: parsing "soon": invalid syntax'),
    ({"gracePeriodSeconds": ""}, 400, 'strconv.ParseInt: parsing "": invalid syntax'),
    ({"gracePeriodSeconds": "1_0"}, 400, 'strconv.ParseInt: parsing "1_0": invalid syntax'),
    (
        {"gracePeriodSeconds": "9223372036854775808"},
        400,
        'strconv.ParseInt: parsing "9223372036854775808": value out of range',
    ),
    ({"gracePeriodSeconds": "9" * 9000}, 400, "value out of range"),
    ({"dryRun": "Some"}, 422, "dryRun: Unsupported value"),
    ({"uid": "other"}, 409, "the UID in the precondition (other) does not match"),
    ({"resourceVersion": "1"}, 409, "the ResourceVersion in the precondition (1) does not match"),
]


@pytest.mark.parametrize(("query", "status", "part"), QUERIES)
async def test_a_query_that_is_wrong(
    api: Api, query: dict[str, str], status: int, part: str
) -> None:
    await api.create("ConfigMap")
    code, message = await refused(api, **query)
    assert code == status
    assert part in message
    assert len(message) < 500


VERSIONS = ["v1", "meta.k8s.io/v1", "apps/v1", "example.com/v7", None]


@pytest.mark.parametrize("version", VERSIONS)
async def test_options_of_any_version(api: Api, version: str | None) -> None:
    await api.create("ConfigMap")
    options = {"apiVersion": version, "kind": "DeleteOptions", "color": "red"}
    assert (await api.ask("DELETE", MAP, options)).status == 200
    assert (await api.get(MAP)).status == 404


async def read(body: bytes, query: dict[str, str], *, one: bool = True) -> DeleteOptions:
    async with cluster() as running:
        catalog = running.plane.server._catalog
        served: Served = catalog.find("", "v1", ConfigMap.resource.plural)
        request = Request("DELETE", "/", "", {"content-type": "application/json"}, body)
        return read_options(Call(request, User("me"), Target(served), query), one=one)


READ: list[tuple[bytes, dict[str, str], DeleteOptions]] = [
    (b"", {}, DeleteOptions()),
    (b"{}", {}, DeleteOptions()),
    (b'{"gracePeriodSeconds": 5}', {}, DeleteOptions(grace=5)),
    (b'{"gracePeriodSeconds": -5}', {}, DeleteOptions(grace=1)),
    (b"", {"gracePeriodSeconds": "-5"}, DeleteOptions(grace=1)),
    (b"", {"gracePeriodSeconds": "+7"}, DeleteOptions(grace=7)),
    (b"", {"orphanDependents": "true"}, DeleteOptions(orphan=True)),
    (b"", {"orphanDependents": "0"}, DeleteOptions(orphan=False)),
    (b"", {"propagationPolicy": "Orphan"}, DeleteOptions(policy="Orphan")),
    (b"", {"uid": "u", "resourceVersion": "3"}, DeleteOptions(uid="u", revision="3")),
    (
        b'{"preconditions": {"uid": "u", "resourceVersion": null}}',
        {},
        DeleteOptions(uid="u"),
    ),
    (b"", {"dryRun": "All"}, DeleteOptions(dry_run=True)),
    (b'{"dryRun": ["All", "All"]}', {}, DeleteOptions(dry_run=True)),
    # A body is all there is, but what is asked for as a dry run in the query is one.
    (b"{}", {"gracePeriodSeconds": "x", "propagationPolicy": "x"}, DeleteOptions()),
    (b"{}", {"dryRun": "All"}, DeleteOptions(dry_run=True)),
]


@pytest.mark.parametrize(("body", "query", "expected"), READ)
async def test_what_is_understood(
    body: bytes, query: dict[str, str], expected: DeleteOptions
) -> None:
    assert await read(body, query) == expected


async def test_the_revision_of_a_collection_is_the_lists() -> None:
    assert await read(b"", {"resourceVersion": "0"}, one=False) == DeleteOptions()


async def test_what_is_not_an_object_is_refused() -> None:
    with pytest.raises(StatusError) as caught:
        await read(b"[]", {})
    assert caught.value.code == 400
