"""Revisions: which one a template is, which number it gets, and what its hash tells apart."""

from typing import Any

import msgspec
import pytest

from argosy.api.meta import owned
from argosy.api.revisions import ControllerRevision
from argosy.api.statefulsets import StatefulSet
from argosy.controllers.revisions import (
    by_number,
    data_of,
    decide,
    hash_of,
    history,
    template_of,
)
from argosy.testing.clock import FakeClock
from argosy.testing.cluster import cluster

Json = dict[str, Any]


def template(image: str) -> Json:
    return {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"image": image}]}}


def revision(name: str, number: int, image: str, created: str = "") -> ControllerRevision:
    body = {
        "metadata": {"name": name, "creationTimestamp": created or None},
        "data": data_of(template(image)),
        "revision": number,
    }
    return msgspec.convert(body, ControllerRevision)


@pytest.mark.parametrize(
    ("known", "wanted", "found", "number"),
    [
        ([], "one", None, 1),
        ([("a", 1, "one")], "one", "a", 1),
        ([("a", 1, "one")], "two", None, 2),
        ([("a", 1, "one"), ("b", 2, "two")], "one", "a", 3),
        ([("a", 1, "one"), ("b", 2, "two")], "two", "b", 2),
        ([("a", 1, "one"), ("b", 1, "two")], "one", "a", 2),  # whoever numbered them: it is newest
        ([("a", 1, "one"), ("b", 4, "two"), ("c", 7, "one")], "one", "c", 7),
    ],
)
def test_decide(known: list[Any], wanted: str, found: str | None, number: int) -> None:
    decision = decide([revision(*item) for item in known], template(wanted))
    name = decision.found.metadata.name if decision.found else None
    assert (name, decision.number) == (found, number)


def test_a_revision_from_before_a_default_is_the_same() -> None:
    kept = {"spec": {"containers": [{"name": "c", "image": "one"}]}}
    old = msgspec.structs.replace(revision("a", 1, "one"), data=data_of(kept))
    full = template_of(old)
    full["spec"] = {**full["spec"], "restartPolicy": "Always"}
    assert decide([old], full).found is None
    from_defaults = {
        "restartPolicy": "Always",
        "dnsPolicy": "ClusterFirst",
        "schedulerName": "default-scheduler",
        "terminationGracePeriodSeconds": 30,
        "securityContext": {},
    }
    container = {
        **kept["spec"]["containers"][0],
        "terminationMessagePath": "/dev/termination-log",
        "terminationMessagePolicy": "File",
        "imagePullPolicy": "Always",
        "resources": {},
    }
    now = {"spec": {**from_defaults, "containers": [container]}}
    assert decide([old], now).found is old
    assert kept == {"spec": {"containers": [{"name": "c", "image": "one"}]}}


def test_what_is_kept_comes_back() -> None:
    kept = revision("a", 1, "one")
    assert template_of(kept) == template("one")
    assert kept.data["spec"]["template"]["$patch"] == "replace"


def test_hashes_differ_by_content_and_collision_and_spell_nothing() -> None:
    data = data_of(template("one"))
    turned = {"spec": {"template": dict(reversed(data["spec"]["template"].items()))}}
    assert hash_of(data, 0) == hash_of(turned, 0)
    hashes = {hash_of(data, 0), hash_of(data, 1), hash_of(data_of(template("two")), 0)}
    assert len(hashes) == 3
    assert not set("".join(hashes)) & set("aeiou013")


def test_the_order_is_by_number_then_age_then_name() -> None:
    made = [
        revision("c", 1, "x", "2026-01-01T00:00:02Z"),
        revision("b", 1, "x", "2026-01-01T00:00:01Z"),
        revision("a", 2, "x", "2026-01-01T00:00:00Z"),
    ]
    assert [item.metadata.name for item in by_number(made)] == ["b", "c", "a"]


async def test_names_that_are_taken() -> None:
    async with cluster(clock=FakeClock()) as running:
        spec: Json = {"selector": {"matchLabels": {"a": "b"}}, "template": template("one")}
        for container in spec["template"]["spec"]["containers"]:
            container["name"] = "c"
        meta = {"name": "web", "namespace": "default"}
        await running.client.create(StatefulSet.resource, {"metadata": meta, "spec": spec})
        owner = await running.client.get(StatefulSet, "web", "default")
        wanted = owner.spec.template
        for collisions, data in ((0, data_of(template("other"))), (1, data_of(wanted))):
            name = f"web-{hash_of(data_of(wanted), collisions)}"
            body = {"data": data, "revision": 1}
            named = {"name": name, "namespace": "default", "ownerReferences": [owned(owner)]}
            await running.client.create(ControllerRevision.resource, {"metadata": named, **body})
        # The cache never learns of them: it does not run.
        past = history(running.manager, running.client, "hash")
        found = await past.current(owner, [], wanted, 0)
        assert found.collisions == 1 and found.revision.data == data_of(wanted)
        assert found.revision.metadata.name == f"web-{hash_of(data_of(wanted), 1)}"
