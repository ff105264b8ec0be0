"""Nothing begins in a namespace that is not there, or is going."""

from typing import Any

import pytest

from argosy.api.core import Namespace
from tests.apiserver.kit import BODIES, MERGE, RESOURCES, Api, body, path

NAMESPACED = [kind for kind in BODIES if RESOURCES[kind].namespaced]


@pytest.mark.parametrize("kind", NAMESPACED)
async def test_a_missing_namespace_takes_no_objects(api: Api, kind: str) -> None:
    answer = await api.ask("POST", path(kind, namespace="nowhere"), body(kind))

    assert (answer.status, answer.message) == (404, 'namespaces "nowhere" not found')
    assert answer.body["details"] == {"name": "nowhere", "kind": "namespaces"}


async def test_a_new_namespace_takes_objects_at_once(api: Api) -> None:
    await api.create("Namespace", {"metadata": {"name": "new"}})
    answer = await api.ask("POST", path("ConfigMap", namespace="new"), body("ConfigMap"))

    assert answer.status == 201


async def going(api: Api) -> None:
    """Make the default namespace one that is being deleted, by the store's back door."""
    objects: Any = api.cluster.plane.server._objects
    key = Namespace.resource.key(name="default")
    record = objects.store.get(key)
    doomed = record.value.replace(
        b'"metadata":{', b'"metadata":{"deletionTimestamp":"2026-01-01T00:00:00Z",', 1
    )
    await objects.store.write(key, lambda *_: doomed)


async def test_a_namespace_that_is_going_takes_no_new_objects(api: Api) -> None:
    await api.create("ConfigMap", body("ConfigMap", "old"))
    await going(api)

    answer = await api.ask("POST", path("ConfigMap"), body("ConfigMap"))
    assert (answer.status, answer.body["reason"]) == (403, "Forbidden")
    assert answer.message == (
        'configmaps "it" is forbidden: unable to create new content in namespace default '
        "because it is being terminated"
    )
    assert answer.body["details"] == {
        "name": "it",
        "kind": "configmaps",
        "causes": [
            {
                "reason": "NamespaceTerminating",
                "message": "namespace default is being terminated",
                "field": "metadata.namespace",
            }
        ],
    }


async def test_what_is_in_it_may_still_change_and_go(api: Api) -> None:
    await api.create("ConfigMap")
    await going(api)
    where = path("ConfigMap", "it")

    assert (await api.ask("PATCH", where, {"data": {"a": "b"}}, kind=MERGE)).status == 200
    assert (await api.ask("DELETE", where)).status == 200


async def test_what_has_no_namespace_needs_none(api: Api) -> None:
    await going(api)

    assert (await api.ask("POST", path("Node"), body("Node"))).status == 201
