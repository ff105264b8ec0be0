"""What rules and selectors are about."""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
import pytest

from argosy.api.builtin import load
from argosy.api.kinds import RESOURCES
from argosy.api.resource import Resource
from argosy.apiserver.admission.policy.matching import Matcher
from argosy.apiserver.admission.rule import Attributes, Operation
from argosy.apiserver.authorization.authorizer import Decision
from argosy.apiserver.catalog import Served
from argosy.apiserver.request import Target, User
from argosy.base.errors import StatusError
from argosy.store.interface import Record

Json = dict[str, Any]

DEFINITIONS = load()
TABLE: Mapping[tuple[str, str, str], Resource] = {
    (one.group, one.version, one.plural): one for one in RESOURCES
}
CREW = Resource(group="sea.dev", version="v1", kind="Crew", plural="crews")
ANYWHERE: Json = {}


def request(
    path: str = "/v1/pods",
    operation: Operation = "CREATE",
    *,
    namespace: str = "shop",
    name: str = "web",
    labels: Json | None = None,
    old: Json | None = None,
    stored: Mapping[str, Json] | None = None,
) -> Attributes:
    """A request to `group/version/plural`, or to `…/subresource`."""
    group, version, plural, *below = path.split("/")
    resource = TABLE.get((group, version, plural)) or CREW
    kept = {
        "//namespaces/shop": {"metadata": {"name": "shop", "labels": {"env": "prod"}}},
        **(stored or {}),
    }

    def look(key: str) -> Record | None:
        return Record(key, msgspec.json.encode(kept[key]), 1) if key in kept else None

    new = {"metadata": {"name": name, "labels": labels or {}}}
    where = namespace if resource.namespaced else ""
    served = Served(resource, resource, DEFINITIONS)
    return Attributes(
        operation=operation,
        target=Target(served, where, name, "/".join(below)),
        user=User("jane"),
        new={} if operation == "DELETE" else new,
        old=old,
        look=look,
        items=lambda _: [],
        authorize=lambda _: Decision(False),
        afterwards=[],
        warnings=[],
    )


def rule(resources: str = "*", **more: Any) -> Json:
    return {
        "apiGroups": ["*"],
        "apiVersions": ["*"],
        "operations": ["*"],
        "resources": resources.split(),
        **more,
    }


def matcher(*rules: Json, policy: str = "Exact", **more: Any) -> Matcher:
    chosen = {"namespace_selector": ANYWHERE, "object_selector": ANYWHERE, **more}
    return Matcher.of(rules, match_policy=policy, **chosen)


@pytest.mark.parametrize(
    ("named", "asked", "matches"),
    [
        ("*", "/v1/pods", True),
        ("*", "/v1/pods/log", False),
        ("*/*", "/v1/pods/log", True),
        ("*/*", "/v1/pods", True),
        ("pods/*", "/v1/pods", True),
        ("pods/*", "/v1/pods/exec", True),
        ("pods/*", "/v1/services", False),
        ("*/scale", "apps/v1/deployments/scale", True),
        ("*/scale", "apps/v1/deployments", False),
        ("pods/log", "/v1/pods/log", True),
        ("services pods", "/v1/pods", True),
        ("services/proxy", "/v1/services/proxy/a/b", True),
        ("pods", "/v1/pods/status", False),
    ],
)
def test_resources_and_subresources(named: str, asked: str, matches: bool) -> None:
    assert matcher(rule(named)).matches(request(asked)) is matches


@pytest.mark.parametrize(
    ("more", "asked", "matches"),
    [
        ({"operations": ["UPDATE", "DELETE"]}, request(), False),
        ({"operations": ["UPDATE", "DELETE"]}, request(operation="DELETE"), True),
        ({"apiGroups": ["apps"]}, request(), False),
        ({"apiGroups": [""]}, request(), True),
        ({"apiVersions": ["v2"]}, request(), False),
        ({"scope": "Namespaced"}, request(), True),
        ({"scope": "Cluster"}, request(), False),
        ({"scope": "Cluster"}, request("/v1/nodes"), True),
        ({"scope": "Cluster"}, request("/v1/namespaces", name="shop"), True),
        ({"scope": "Namespaced"}, request("/v1/namespaces", name="shop"), False),
        ({"resourceNames": ["web"]}, request(), True),
        ({"resourceNames": ["db"]}, request(), False),
        ({"resourceNames": ["db"]}, request(name=""), False),
    ],
)
def test_other_parts_of_rules(more: Json, asked: Attributes, matches: bool) -> None:
    assert matcher(rule(**more)).matches(asked) is matches


def test_no_rules_are_about_nothing_but_resources_without_rules_about_all() -> None:
    assert not matcher().matches(request())
    assert Matcher.of_resources({}).matches(request())
    excluding = {"excludeResourceRules": [rule("pods", resourceNames=["web"])]}
    assert not Matcher.of_resources(excluding).matches(request())
    assert Matcher.of_resources(excluding).matches(request(name="db"))


@pytest.mark.parametrize("kind", ["validatingadmissionpolicies", "mutatingwebhookconfigurations"])
def test_the_configuration_of_admission_is_exempt(kind: str) -> None:
    asked = request(f"admissionregistration.k8s.io/v1/{kind}")
    assert not matcher(rule("*/*")).matches(asked)
    assert matcher(rule("*/*")).never(asked)


@pytest.mark.parametrize("policy", ["Exact", "Equivalent"])
def test_other_versions_of_built_in_kinds(policy: str) -> None:
    named = rule("events", apiGroups=["events.k8s.io"], apiVersions=["v1"])
    found = matcher(named, policy=policy).matched(request("/v1/events"))

    assert (found is not None) is (policy == "Equivalent")
    assert found is None or found.api_version == "events.k8s.io/v1"


def definition(*versions: str) -> Mapping[str, Json]:
    key = "/apiextensions.k8s.io/customresourcedefinitions/crews.sea.dev"
    served = [{"name": name, "served": name != "v0"} for name in versions]
    return {key: {"metadata": {"name": "crews.sea.dev"}, "spec": {"versions": served}}}


@pytest.mark.parametrize(("version", "matches"), [("v1", True), ("v2", True), ("v0", False)])
def test_other_versions_of_kinds_that_users_define(version: str, matches: bool) -> None:
    about = matcher(rule("crews", apiVersions=[version]), policy="Equivalent")
    asked = request("sea.dev/v1/crews", stored=definition("v0", "v1", "v2"))

    assert about.matches(asked) is matches
    assert not about.never(asked)  # another definition may come


@pytest.mark.parametrize(
    ("path", "labels", "matches"),
    [
        ("/v1/pods", {}, True),
        ("/v1/nodes", {}, True),  # what is in no namespace is not exempted
        ("/v1/namespaces", {"env": "test"}, False),
        ("/v1/namespaces", {"env": "prod"}, True),
    ],
)
def test_namespaces_are_selected_by_their_labels(path: str, labels: Json, matches: bool) -> None:
    about = matcher(rule("*"), namespace_selector={"matchLabels": {"env": "prod"}})
    assert about.matches(request(path, name="shop", labels=labels)) is matches


def test_a_namespace_that_goes_is_selected_by_what_is_stored() -> None:
    about = matcher(rule("*"), namespace_selector={"matchLabels": {"env": "prod"}})
    assert about.matches(request("/v1/namespaces", "DELETE", name="shop"))
    with pytest.raises(StatusError) as refused:
        about.matches(request(namespace="nowhere"))
    assert (refused.value.code, str(refused.value)) == (404, 'namespaces "nowhere" not found')
    assert not matcher(rule("services"), namespace_selector={"matchLabels": {"a": "b"}}).matches(
        request(namespace="nowhere")
    )


def objects() -> Iterator[tuple[Json, Json | None, bool]]:
    red, blue = {"team": "red"}, {"metadata": {"labels": {"team": "blue"}}}
    yield red, None, True
    yield {}, {"metadata": {"labels": red}}, True
    yield {}, blue, False


@pytest.mark.parametrize(("labels", "old", "matches"), list(objects()))
def test_objects_are_selected_as_they_are_or_were(
    labels: Json, old: Json | None, matches: bool
) -> None:
    about = matcher(rule("pods"), object_selector={"matchLabels": {"team": "red"}})
    assert about.matches(request(labels=labels, old=old)) is matches


def test_what_has_no_labels_is_not_selected_by_their_absence() -> None:
    absent = {"matchExpressions": [{"key": "team", "operator": "DoesNotExist"}]}
    about = matcher(rule("pods"), object_selector=absent)
    assert about.matches(request())
    assert not about.matches(request(operation="DELETE"))


def test_a_selector_that_cannot_be_read_is_an_error_only_where_rules_match() -> None:
    wrong = {"matchExpressions": [{"key": "team", "operator": "Like"}]}
    about = matcher(rule("pods"), object_selector=wrong)
    assert not about.matches(request("/v1/services"))
    with pytest.raises(StatusError):
        about.matches(request())
