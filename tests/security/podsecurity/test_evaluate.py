"""A pod against a standard as a whole."""

import copy
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from argosy.security.podsecurity.evaluate import evaluate, in_detail, in_short
from argosy.security.podsecurity.levels import LEVELS, Standard
from argosy.security.podsecurity.table import NEWEST
from tests.security.podsecurity.pods import Json, contained, hardened, pod_secured, secured

LOW = pod_secured(sysctls=[{"name": "net.ipv4.tcp_notsent_lowat"}])
"""Allowed since 1.37."""


def test_latest_is_the_minor_that_is_served() -> None:
    assert evaluate(Standard("baseline"), {}, LOW) == ()
    assert evaluate(Standard("baseline"), {}, LOW, newest=36) != ()
    assert evaluate(Standard("baseline", 99), {}, LOW) == ()
    assert evaluate(Standard("baseline", 99), {}, LOW, newest=36) != ()
    assert evaluate(Standard("baseline", 36), {}, LOW) != ()
    assert evaluate(Standard("baseline"), {}, LOW, newest=NEWEST + 5) == ()


def test_all_that_is_wrong_is_told_in_order() -> None:
    spec = {"hostPID": True, "containers": [{"name": "a"}, {"name": "b"}]}
    found = evaluate(Standard("restricted"), {}, spec)

    assert in_short(found) == (
        "host namespaces, allowPrivilegeEscalation != false, unrestricted capabilities, "
        "runAsNonRoot != true, seccompProfile"
    )
    assert in_detail(found).startswith(
        'host namespaces (hostPID=true), allowPrivilegeEscalation != false (containers "a", "b" '
        "must set securityContext.allowPrivilegeEscalation=false), "
    )


def test_the_containers_of_all_sorts_are_judged_in_order() -> None:
    spec = {sort: [{"name": sort}] for sort in ("ephemeralContainers", "containers")}
    spec["initContainers"] = [{"name": "initContainers"}]
    found = evaluate(Standard("restricted", 8), {}, spec)

    assert found[0].detail == (
        'containers "initContainers", "containers", "ephemeralContainers" must set '
        "securityContext.allowPrivilegeEscalation=false"
    )


def test_an_annotation_is_quoted_as_go_does() -> None:
    annotations = {"container.apparmor.security.beta.kubernetes.io/a": 'a"\\\n\x01é\u200b'}
    found = evaluate(Standard("baseline"), {"annotations": annotations}, hardened())

    assert r'/a="a\"\\\n\x01é\u200b""' in found[0].detail


def test_a_pod_of_nothing_is_judged() -> None:
    nothing: list[Json] = [
        {},
        {"containers": None, "volumes": None, "securityContext": None},
        {"containers": [{"securityContext": None, "ports": None, "lifecycle": None}]},
        {"containers": [{}], "os": {}, "volumes": [{}]},
    ]
    for spec in nothing:
        for level in LEVELS:
            evaluate(Standard(level), {"annotations": None}, spec)


SPECS: tuple[Json, ...] = (
    hardened(),
    hardened(hostNetwork=True),
    hardened(hostUsers=False),
    contained(ports=[{"hostPort": 1}]),
    secured(privileged=True, capabilities={"add": ["SYS_ADMIN"]}),
    secured(procMount="Unmasked"),
    pod_secured(runAsNonRoot=False, seccompProfile={"type": "Unconfined"}),
    LOW,
)


def merged(specs: list[Json]) -> Json:
    """One pod that has what all of these have."""
    result: dict[str, Any] = {"containers": [], "securityContext": {}}
    for number, spec in enumerate([copy.deepcopy(spec) for spec in specs]):
        result["securityContext"] |= spec.pop("securityContext")
        for container in spec.pop("containers"):
            result["containers"].append({**container, "name": f"c{number}"})
        result |= spec
    return result


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(SPECS), min_size=1, max_size=4), st.integers(0, NEWEST))
def test_who_keeps_to_the_stricter_level_keeps_to_the_other(specs: list[Json], minor: int) -> None:
    spec = merged(specs)
    before = copy.deepcopy(spec)
    loose = evaluate(Standard("baseline", minor), {}, spec)
    tight = evaluate(Standard("restricted", minor), {}, spec)

    assert tight or not loose
    assert spec == before
