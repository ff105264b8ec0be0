"""Pods in namespaces that ask something of them, and workloads that would make such pods."""

import dataclasses
import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from argosy.api.kinds import PREFERRED
from argosy.apiserver.admission import pod_security
from argosy.apiserver.admission.pod_security import PodSecurity
from argosy.apiserver.admission.rule import Attributes
from argosy.apiserver.audit import notes
from argosy.apiserver.authorization.authorizer import Decision
from argosy.apiserver.request import Target, User
from argosy.base.errors import StatusError
from argosy.http.message import Request
from argosy.security.podsecurity.exemptions import Exemptions
from argosy.security.podsecurity.levels import PREFIX, Policy, Standard
from argosy.store.interface import Record
from tests.apiserver.kit import MERGE, STRATEGIC, Answer, Api, Json, path
from tests.security.podsecurity.pods import hardened

SHARED: Json = hardened(hostPID=True)
WORDS = '"baseline:latest": host namespaces (hostPID=true)'
TEMPLATE: Json = {"metadata": {"labels": {"app": "web"}}, "spec": SHARED}
SELECTED: Json = {"selector": {"matchLabels": {"app": "web"}}, "template": TEMPLATE}
BATCH: Json = {**TEMPLATE, "spec": {**SHARED, "restartPolicy": "Never"}}
WORKLOADS: Mapping[str, Json] = {
    "apps/v1/DaemonSet": {"spec": SELECTED},
    "apps/v1/Deployment": {"spec": SELECTED},
    "apps/v1/ReplicaSet": {"spec": SELECTED},
    "apps/v1/StatefulSet": {"spec": {**SELECTED, "serviceName": "web"}},
    "batch/v1/CronJob": {
        "spec": {"schedule": "* * * * *", "jobTemplate": {"spec": {"template": BATCH}}}
    },
    "batch/v1/Job": {"spec": {"template": BATCH}},
    "v1/PodTemplate": {"template": TEMPLATE},
    "v1/ReplicationController": {"spec": {"selector": {"app": "web"}, "template": TEMPLATE}},
}


def place(kind: str, namespace: str = "shop") -> str:
    """Where objects of a kind, such as `apps/v1/Deployment`, are."""
    version, _, name = kind.rpartition("/")
    root = "api" if version == "v1" else "apis"
    return f"/{root}/{version}/namespaces/{namespace}/{name.lower()}s"


async def namespace(api: Api, name: str = "shop", **labels: str) -> None:
    marked = {PREFIX + mode.replace("_", "-"): value for mode, value in labels.items()}
    await api.create("Namespace", {"metadata": {"name": name, "labels": marked}})


async def created(api: Api, spec: Json, **meta: Any) -> Answer:
    obj = {"metadata": {"name": "web", **meta}, "spec": spec}
    return await api.ask("POST", path("Pod", namespace="shop"), obj)


def warned(answer: Answer) -> str:
    return answer.headers.get("warning", "").replace('\\"', '"')


async def test_what_breaks_the_enforced_level_is_refused(api: Api) -> None:
    await namespace(api, enforce="baseline")
    answer = await created(api, SHARED)

    assert (answer.status, answer.body["reason"]) == (403, "Forbidden")
    assert answer.message == f'pods "web" is forbidden: violates PodSecurity {WORDS}'
    assert answer.body["details"] == {"name": "web", "kind": "pods"}
    assert "warning" not in answer.headers
    assert (await created(api, hardened())).status == 201


async def test_without_labels_all_is_allowed(api: Api) -> None:
    await namespace(api)
    answer = await created(api, SHARED)

    assert (answer.status, warned(answer)) == (201, "")


async def test_a_version_pins_what_is_asked(api: Api) -> None:
    await namespace(api, enforce="restricted", enforce_version="v1.7")
    silent = hardened()
    del silent["containers"][0]["securityContext"]

    assert (await created(api, silent)).status == 201
    answer = await created(api, SHARED)
    assert 'violates PodSecurity "restricted:v1.7": host namespaces (' in answer.message


async def test_warnings_are_told_and_the_pod_is_made(api: Api) -> None:
    await namespace(api, warn="baseline")
    answer = await created(api, SHARED)

    assert answer.status == 201
    assert f"would violate PodSecurity {WORDS}" in warned(answer)


async def test_a_warning_of_another_version_is_one_of_its_own(api: Api) -> None:
    await namespace(api, enforce="baseline", warn="restricted", warn_version="v1.20")
    spec = hardened(securityContext={"runAsNonRoot": True})
    answer = await created(api, spec)

    assert answer.status == 201
    assert 'would violate PodSecurity "restricted:v1.20": seccompProfile (' in warned(answer)


@pytest.mark.parametrize("kind", WORKLOADS)
async def test_workloads_are_warned_about_and_made(api: Api, kind: str) -> None:
    await namespace(api, enforce="baseline")
    obj = {"metadata": {"name": "web"}, **WORKLOADS[kind]}
    answer = await api.ask("POST", place(kind), obj)

    assert answer.status == 201, answer.body
    assert f"would violate PodSecurity {WORDS}" in warned(answer)
    again = await api.ask(
        "PATCH", f"{place(kind)}/web", {"metadata": {"labels": {"a": "b"}}}, kind=MERGE
    )
    assert (again.status, bool(warned(again))) == (200, True)


async def test_nothing_is_said_of_workloads_where_nothing_warns(api: Api) -> None:
    await namespace(api, enforce="baseline", warn="privileged")
    for kind, body in WORKLOADS.items():
        answer = await api.ask("POST", place(kind), {"metadata": {"name": "web"}, **body})
        assert (answer.status, warned(answer)) == (201, ""), kind


async def test_a_controller_without_a_template_is_let_in(api: Api) -> None:
    await namespace(api, enforce="baseline")
    kind = "v1/ReplicationController"
    answer = await api.ask("POST", place(kind), {"metadata": {"name": "web"}, "spec": {}})

    assert answer.status in (201, 422)
    assert "would violate" not in warned(answer)


async def test_only_significant_changes_of_a_pod_are_judged(api: Api) -> None:
    await namespace(api)
    await created(api, SHARED)
    labels = {"metadata": {"labels": {f"{PREFIX}enforce": "baseline"}}}
    await api.ask("PATCH", path("Namespace", "shop"), labels, kind=MERGE)
    pod = path("Pod", "web", namespace="shop")
    image = {"spec": {"containers": [{"name": "main", "image": "python:3.13"}]}}

    for harmless in ({"metadata": {"labels": {"a": "b"}}}, {"spec": {"activeDeadlineSeconds": 9}}):
        answer = await api.ask("PATCH", pod, harmless, kind=MERGE)
        assert (answer.status, warned(answer)) == (200, ""), answer.body
    status = {"status": {"phase": "Running"}}
    assert (await api.ask("PATCH", f"{pod}/status", status, kind=MERGE)).status == 200
    answer = await api.ask("PATCH", pod, image, kind=STRATEGIC)
    assert answer.message == f'pods "web" is forbidden: violates PodSecurity {WORDS}'


async def test_containers_for_debugging_are_judged(api: Api) -> None:
    await namespace(api, enforce="baseline")
    await created(api, hardened())
    debug: Json = {"name": "debug", "image": "busybox", "securityContext": {"privileged": True}}
    where = path("Pod", "web", "ephemeralcontainers", namespace="shop")
    answer = await api.ask(
        "PATCH", where, {"spec": {"ephemeralContainers": [debug]}}, kind=STRATEGIC
    )
    assert answer.status == 403
    assert answer.message.endswith(
        'privileged (container "debug" must not set securityContext.privileged=true)'
    )
    del debug["securityContext"]
    fine = await api.ask("PATCH", where, {"spec": {"ephemeralContainers": [debug]}}, kind=STRATEGIC)
    assert fine.status == 200


async def test_new_labels_hold_at_once(api: Api) -> None:
    await namespace(api, enforce="baseline")
    assert (await created(api, SHARED)).status == 403
    labels = {"metadata": {"labels": {f"{PREFIX}enforce": None}}}
    await api.ask("PATCH", path("Namespace", "shop"), labels, kind=MERGE)
    assert (await created(api, SHARED)).status == 201


# The rule by itself: with defaults and exemptions of its own, and an audit log that listens.


class Log:
    """A trail of the audit log."""

    request = Request("GET", "/")
    panic = ""
    sent = ""
    constraint = ""

    def __init__(self) -> None:
        self.said: dict[str, str] = {}

    def enter(self, user: User) -> None: ...

    def act(self, user: User) -> None: ...

    def annotate(self, key: str, value: str) -> None:
        self.said.setdefault(key.removeprefix(PREFIX), value)


@pytest.fixture
def log() -> Iterator[Log]:
    log = Log()
    token = notes.CURRENT.set(log)
    yield log
    notes.CURRENT.reset(token)


def asked(api: Api, kind: str, new: Json, *, there: bool = True, **labels: str) -> Attributes:
    """A request of `me` in the namespace `shop` with these labels."""
    resource = PREFERRED[kind]
    served = api.cluster.plane.server._catalog.find(
        resource.group, resource.version, resource.plural
    )
    marked = {PREFIX + mode.replace("_", "-"): value for mode, value in labels.items()}
    value = json.dumps({"metadata": {"name": "shop", "labels": marked}}).encode()
    return Attributes(
        operation="CREATE",
        target=Target(served, "shop"),
        user=User("me"),
        new=new,
        old=None,
        look=lambda key: Record(key, value, 1) if there else None,
        items=lambda prefix: [],
        authorize=lambda attributes: Decision(True),
        afterwards=[],
        warnings=[],
    )


def pod(**spec: Any) -> Json:
    return {"metadata": {"name": "web"}, "spec": {**SHARED, **spec}}


def outcome(rule: PodSecurity, attributes: Attributes) -> str:
    """The refusal, or the warnings, of a rule."""
    try:
        rule(attributes)
    except StatusError as error:
        return error.message
    return "".join(attributes.warnings)


BASELINE = Standard("baseline")


async def test_defaults_hold_in_namespaces_without_labels(api: Api) -> None:
    rule = PodSecurity(defaults=Policy(enforce=BASELINE))

    assert "violates PodSecurity" in outcome(rule, asked(api, "Pod", pod()))
    assert (
        outcome(rule, asked(api, "Pod", pod(), enforce="privileged")) != ""
    )  # revision 1 is known
    assert outcome(PodSecurity(rule.defaults), asked(api, "Pod", pod(), enforce="privileged")) == ""


@pytest.mark.parametrize(
    ("exempt", "reason"),
    [
        (Exemptions(users=frozenset({"me"})), "user"),
        (Exemptions(namespaces=frozenset({"shop"}), users=frozenset({"me"})), "namespace"),
        (Exemptions(runtime_classes=frozenset({"vm"})), "runtimeClass"),
    ],
)
async def test_who_is_exempt_is_not_judged(
    api: Api, log: Log, exempt: Exemptions, reason: str
) -> None:
    rule = PodSecurity(exempt=exempt)
    new = pod(runtimeClassName="vm")

    assert outcome(rule, asked(api, "Pod", new, enforce="baseline")) == ""
    assert outcome(rule, asked(api, "PodTemplate", {"template": new}, enforce="baseline")) == ""
    assert log.said == {"exempt": reason}


async def test_others_than_the_exempt_are_judged(api: Api) -> None:
    some = Exemptions(frozenset({"you"}), frozenset({"kube-system"}), frozenset({"vm"}))

    assert outcome(PodSecurity(exempt=some), asked(api, "Pod", pod(), enforce="baseline")) != ""


async def test_the_audit_log_is_told(api: Api, log: Log) -> None:
    rule = PodSecurity()
    assert outcome(rule, asked(api, "Pod", pod(), audit="baseline")) == ""

    assert log.said == {
        "enforce-policy": "privileged:latest",
        "audit-violations": f"would violate PodSecurity {WORDS}",
    }


async def test_the_audit_log_is_told_of_workloads(api: Api, log: Log) -> None:
    template = {"template": pod()}
    assert outcome(PodSecurity(), asked(api, "PodTemplate", template, audit="baseline")) == ""

    assert log.said == {"audit-violations": f"would violate PodSecurity {WORDS}"}


async def test_the_audit_log_is_told_that_all_is_allowed(api: Api, log: Log) -> None:
    assert outcome(PodSecurity(), asked(api, "Pod", pod())) == ""
    assert log.said == {"enforce-policy": "privileged:latest"}


async def test_labels_that_got_in_wrong_are_strict_and_told(api: Api, log: Log) -> None:
    found = outcome(PodSecurity(), asked(api, "Pod", pod(), enforce="none", audit_version="1"))

    assert found.startswith('pods "web" is forbidden: violates PodSecurity "restricted:latest": ')
    assert log.said["enforce-policy"] == "restricted:latest"
    assert log.said["error"].startswith(
        "Failed to parse policy: [metadata.labels[pod-security.kubernetes.io/enforce]: Invalid"
    )


async def test_a_pod_of_no_namespace_is_refused(api: Api) -> None:
    found = outcome(PodSecurity(), asked(api, "Pod", pod(), there=False))
    assert found == 'namespaces "shop" not found'
    gone = asked(api, "PodTemplate", {"template": pod()}, there=False)
    assert outcome(PodSecurity(), gone) == ""


async def test_a_version_after_the_served_one_is_that_one(api: Api) -> None:
    sysctls = [{"name": "net.ipv4.tcp_notsent_lowat"}]  # since 1.37
    new = {"metadata": {"name": "web"}, "spec": hardened(securityContext={"sysctls": sysctls})}
    for emulated, verdict in (("1.37", ""), ("1.36", "forbidden sysctls")):
        attributes = asked(api, "Pod", new, enforce="baseline")
        served = attributes.target.served
        assert served.gates is not None
        gates = dataclasses.replace(served.gates, minor=emulated)
        older = dataclasses.replace(served, gates=gates)
        attributes.target = dataclasses.replace(attributes.target, served=older)
        found = outcome(PodSecurity(), attributes)
        assert verdict in found and bool(found) == bool(verdict)


async def test_the_labels_of_few_namespaces_are_remembered(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pod_security, "MOST_NAMESPACES", 2)
    rule = PodSecurity()
    for name in ("a", "b", "c", "a"):
        attributes = asked(api, "Pod", pod(), enforce="baseline")
        attributes.target = dataclasses.replace(attributes.target, namespace=name)
        assert "violates" in outcome(rule, attributes)
        assert len(rule._known) <= 2
