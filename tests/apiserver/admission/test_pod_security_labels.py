"""Labels of namespaces: wrong ones, stricter ones, and ones that mean nothing."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from argosy.apiserver.admission import pod_security_labels
from argosy.apiserver.admission.pod_security import PodSecurity
from argosy.apiserver.admission.rule import Attributes
from argosy.apiserver.authorization.authorizer import Decision
from argosy.apiserver.request import Target, User
from argosy.base.errors import StatusError
from argosy.security.podsecurity.exemptions import Exemptions
from argosy.security.podsecurity.levels import PREFIX, Policy, Standard
from argosy.store.interface import Record
from tests.apiserver.kit import MERGE, Answer, Api, Json, path
from tests.security.podsecurity.pods import hardened


def marked(**labels: str | None) -> dict[str, str | None]:
    return {PREFIX + mode.replace("_", "-"): value for mode, value in labels.items()}


async def relabelled(api: Api, **labels: str | None) -> Answer:
    patch = {"metadata": {"labels": marked(**labels)}}
    return await api.ask("PATCH", path("Namespace", "shop"), patch, kind=MERGE)


async def made(api: Api, **labels: str) -> Answer:
    obj = {"metadata": {"name": "shop", "labels": marked(**labels)}}
    return await api.ask("POST", path("Namespace"), obj)


async def filled(api: Api, *names: str, **spec: Any) -> None:
    for name in names:
        pod = {"metadata": {"name": name}, "spec": hardened(**spec)}
        answer = await api.ask("POST", path("Pod", namespace="shop"), pod)
        assert answer.status == 201, answer.body


def warned(answer: Answer) -> str:
    return answer.headers.get("warning", "").replace('\\"', '"')


async def test_a_namespace_with_wrong_labels_is_not_made(api: Api) -> None:
    answer = await made(api, enforce="strict", warn_version="1.30")

    assert answer.status == 422
    assert answer.causes == {
        (
            "metadata.labels[pod-security.kubernetes.io/enforce]",
            'Invalid value: "strict": must be one of privileged, baseline, restricted',
        ),
        (
            "metadata.labels[pod-security.kubernetes.io/warn-version]",
            'Invalid value: "1.30": must be "latest" or "v1.x"',
        ),
    }
    assert answer.message.startswith('Namespace "shop" is invalid: [metadata.labels[pod-')


async def test_labels_may_not_become_wrong(api: Api) -> None:
    await made(api, enforce="baseline")

    assert (await relabelled(api, enforce="Baseline")).status == 422
    assert (await relabelled(api, enforce="restricted")).status == 200


async def test_a_stricter_level_tells_of_the_pods_that_are_there(api: Api) -> None:
    await made(api)
    await filled(api, "b", "a", hostPID=True)
    await filled(api, "c")
    answer = await relabelled(api, enforce="baseline", enforce_version="v1.30")

    assert answer.status == 200
    assert warned(answer) == (
        '299 - "existing pods in namespace "shop" violate the new PodSecurity enforce level '
        '"baseline:v1.30"", 299 - "a (and 1 other pod): host namespaces"'
    )
    assert (await api.get(path("Pod", "a", namespace="shop"))).status == 200


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ({"enforce": "baseline"}, {"enforce": "baseline"}, False),
        ({"enforce": "restricted"}, {"enforce": "baseline"}, False),
        ({"enforce": "baseline"}, {"enforce": "privileged"}, False),
        ({}, {"warn": "restricted", "audit": "restricted"}, False),
        ({"enforce": "baseline"}, {"enforce": "restricted"}, True),
        ({"enforce": "restricted"}, {"enforce_version": "v1.30"}, True),
        ({"enforce": "restricted"}, {"enforce": "baseline", "enforce_version": "v1.9"}, True),
    ],
)
async def test_only_what_may_refuse_more_is_told(
    api: Api, before: dict[str, str], after: dict[str, str], told: bool
) -> None:
    await made(api)
    await filled(api, "a", hostPID=True)
    await relabelled(api, **before)
    answer = await relabelled(api, **after)

    assert answer.status == 200
    assert bool(warned(answer)) is told


async def test_other_changes_of_a_namespace_say_nothing(api: Api) -> None:
    await made(api)
    await filled(api, "a", hostPID=True)
    await relabelled(api, enforce="baseline")
    patch = {"metadata": {"annotations": {"a": "b"}}}
    answer = await api.ask("PATCH", path("Namespace", "shop"), patch, kind=MERGE)

    assert (answer.status, warned(answer)) == (200, "")


async def test_no_more_is_read_than_its_bound(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    await made(api)
    await filled(api, "a", "b", "c", hostPID=True)
    stored = await api.get(path("Pod", "a", namespace="shop"))
    monkeypatch.setattr(pod_security_labels, "MOST_BYTES", 2 * len(str(stored.body)))
    answer = await relabelled(api, enforce="baseline")

    assert "only checked against the first 2 of 3 existing pods" in warned(answer)
    assert "a (and 1 other pod): host namespaces" in warned(answer)


# The rule by itself: with defaults and exemptions of its own.


def update(
    api: Api, new: Mapping[str, str | None], old: Mapping[str, str | None] | None, pod: Json
) -> Attributes:
    """A change of the labels of `shop`, where there is one pod."""
    served = api.cluster.plane.server._catalog.find("", "v1", "namespaces")
    stored = Record("", json.dumps(pod).encode(), 1)
    return Attributes(
        operation="CREATE" if old is None else "UPDATE",
        target=Target(served, "", "shop"),
        user=User("me"),
        new={"metadata": {"name": "shop", "labels": new}},
        old=None if old is None else {"metadata": {"name": "shop", "labels": old}},
        look=lambda key: None,
        items=lambda prefix: [stored] * (prefix == "//pods/shop/"),
        authorize=lambda attributes: Decision(True),
        afterwards=[],
        warnings=[],
    )


POD: Json = {
    "metadata": {"name": "a"},
    "spec": {"hostPID": True, "runtimeClassName": "vm", "containers": []},
}
SHOP = Exemptions(namespaces=frozenset({"shop"}))


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        ({}, ""),
        ({"enforce": "privileged"}, ""),
        ({"enforce": "baseline"}, "enforce=baseline:latest"),
        (
            {"enforce": "restricted", "enforce_version": "v1.2", "warn": "baseline"},
            "enforce=restricted:v1.2, warn=baseline:latest",
        ),
    ],
)
@pytest.mark.parametrize("old", [None, {}])
async def test_labels_of_an_exempt_namespace_mean_nothing(
    api: Api, labels: dict[str, str], said: str, old: dict[str, str | None] | None
) -> None:
    attributes = update(api, marked(**labels), old, POD)
    PodSecurity(exempt=SHOP)(attributes)

    assert attributes.warnings == [
        f'namespace "shop" is exempt from Pod Security, and the policy ({said}) will be ignored'
    ] * bool(said)


async def test_what_is_so_by_default_is_no_news(api: Api) -> None:
    standard = Standard("baseline")
    rule = PodSecurity(Policy(standard, standard, standard), SHOP)
    attributes = update(api, marked(enforce="baseline"), None, POD)
    rule(attributes)

    assert attributes.warnings == []


async def test_pods_of_an_exempt_runtime_class_are_not_told_of(api: Api) -> None:
    for exempt, told in ((Exemptions(), 2), (Exemptions(runtime_classes=frozenset({"vm"})), 0)):
        attributes = update(api, marked(enforce="baseline"), {}, POD)
        PodSecurity(exempt=exempt)(attributes)
        assert len(attributes.warnings) == told


async def test_labels_that_were_wrong_may_stay_so_but_not_become_wronger(api: Api) -> None:
    wrong = marked(enforce="none")
    PodSecurity()(update(api, wrong, wrong, POD))

    with pytest.raises(StatusError, match="must be one of"):
        PodSecurity()(update(api, marked(enforce="never"), wrong, POD))
    with pytest.raises(StatusError, match="must be one of"):
        PodSecurity()(update(api, wrong, {}, POD))
