"""Ways around the Pod Security Standards, and the refusal that each one gets."""

import json
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass, field

import pytest
import pytest_asyncio

from argosy.security.podsecurity.levels import PREFIX
from tests.apiserver.kit import APPLY, MERGE, STRATEGIC, YAML, Api, Json, path, serving
from tests.security.podsecurity.pods import contained, hardened, pod_secured, secured


@pytest_asyncio.fixture
async def api() -> AsyncGenerator[Api, None]:
    async with serving() as running:
        yield running


MASTER: Json = {"name": "x", "image": "x", "securityContext": {"privileged": True}}
RESTRICTED = {"enforce": "restricted"}
BASELINE = {"enforce": "baseline"}


@dataclass(frozen=True, kw_only=True)
class Attack:
    """A pod that a namespace with these labels must refuse, with these words in the answer."""

    spec: Json
    labels: Mapping[str, str] = field(default_factory=lambda: RESTRICTED)
    annotations: Mapping[str, str] = field(default_factory=dict)
    status: int = 403
    words: str


PODS: Mapping[str, Attack] = {
    "a privileged container among those that begin": Attack(
        spec=hardened(initContainers=[MASTER]), words='privileged (container "x" must not'
    ),
    "a privileged sidecar": Attack(
        spec=hardened(initContainers=[{**MASTER, "restartPolicy": "Always"}]),
        words='privileged (container "x" must not',
    ),
    "a second container without what the first one promises": Attack(
        spec=hardened(containers=[*hardened()["containers"], {"name": "x", "image": "x"}]),
        words='container "x" must set securityContext.allowPrivilegeEscalation=false',
    ),
    "a container that takes back what the pod promises": Attack(
        spec=secured(runAsNonRoot=False),
        words='container "main" must not set securityContext.runAsNonRoot=false',
    ),
    "user 0 in spite of runAsNonRoot": Attack(
        spec=secured(runAsNonRoot=True, runAsUser=0), words="runAsUser=0"
    ),
    "a capability by its name in C": Attack(
        spec=secured(capabilities={"drop": ["ALL"], "add": ["CAP_SYS_PTRACE"]}),
        words='must not include "CAP_SYS_PTRACE"',
    ),
    "all capabilities in small letters": Attack(
        spec=secured(capabilities={"drop": ["ALL"], "add": ["all"]}),
        labels=BASELINE,
        words='must not include "all"',
    ),
    "all but one capability dropped": Attack(
        spec=secured(capabilities={"drop": ["NET_RAW"]}),
        words='must set securityContext.capabilities.drop=["ALL"]',
    ),
    "a Windows pod that is none": Attack(
        spec={**secured(privileged=True), "os": {"name": "windows"}},
        status=422,
        words="cannot be set for a windows pod",
    ),
    "Windows in capitals": Attack(
        spec={**secured(capabilities=None), "os": {"name": "Windows"}},
        status=422,
        words="spec.os: Unsupported value",
    ),
    "a user namespace with the node's processes": Attack(
        spec=hardened(hostUsers=False, hostPID=True), words="spec.HostPID: Forbidden", status=422
    ),
    "a user namespace before it relaxed anything": Attack(
        spec={**pod_secured(runAsNonRoot=None), "hostUsers": False},
        labels={**RESTRICTED, "enforce-version": "v1.34"},
        words="runAsNonRoot != true",
    ),
    "all of /proc, in a user namespace": Attack(
        spec={**secured(procMount="Unmasked"), "hostUsers": False}, words="procMount"
    ),
    "a folder of the node beside a harmless volume": Attack(
        spec=hardened(volumes=[{"name": "data", "emptyDir": {}, "hostPath": {"path": "/"}}]),
        labels=BASELINE,
        status=422,
        words="may not specify more than 1 volume type",
    ),
    "a folder of the node for reading": Attack(
        spec=hardened(
            volumes=[
                {"name": "data", "emptyDir": {}},
                {"name": "root", "hostPath": {"path": "/", "type": "Directory"}},
            ]
        ),
        labels=BASELINE,
        words='hostPath volumes (volume "root")',
    ),
    "a kernel parameter with slashes": Attack(
        spec=pod_secured(sysctls=[{"name": "kernel/msgmax", "value": "1"}]),
        labels=BASELINE,
        words="forbidden sysctls (kernel/msgmax)",
    ),
    "seccomp off by the pod": Attack(
        spec=pod_secured(seccompProfile={"type": "Unconfined"}), words="seccompProfile"
    ),
    "AppArmor off by an annotation": Attack(
        spec=hardened(),
        annotations={"container.apparmor.security.beta.kubernetes.io/main": "unconfined"},
        labels=BASELINE,
        words="forbidden AppArmor profile",
    ),
    "a port of the node": Attack(
        spec=contained(ports=[{"containerPort": 22, "hostPort": 22}]),
        labels=BASELINE,
        words='hostPort (container "main" uses hostPort 22)',
    ),
    "a probe of the cloud's metadata": Attack(
        spec=contained(
            livenessProbe={"httpGet": {"host": "169.254.169.254", "path": "/", "port": 80}}
        ),
        labels=BASELINE,
        words='probe or lifecycle host "169.254.169.254"',
    ),
    "a hook on the node itself": Attack(
        spec=contained(
            lifecycle={"postStart": {"httpGet": {"host": "127.0.0.1", "path": "/", "port": 80}}}
        ),
        labels=BASELINE,
        words='probe or lifecycle host "127.0.0.1"',
    ),
    "an SELinux type that may do all": Attack(
        spec=pod_secured(seLinuxOptions={"type": "spc_t"}), labels=BASELINE, words='type "spc_t"'
    ),
    "a version before there were checks": Attack(
        spec=hardened(hostNetwork=True, hostIPC=True),
        labels={**RESTRICTED, "enforce-version": "v1.0"},
        words='violates PodSecurity "restricted:v1.0": host namespaces',
    ),
    "a version that never will be": Attack(
        spec=hardened(hostPID=True),
        labels={**BASELINE, "enforce-version": "v1.999999999999999"},
        words="host namespaces (hostPID=true)",
    ),
    "a warning in place of a refusal": Attack(
        spec=hardened(hostPID=True),
        labels={**BASELINE, "warn": "privileged", "audit": "privileged"},
        words="host namespaces (hostPID=true)",
    ),
}


async def room(api: Api, labels: Mapping[str, str]) -> int:
    marked = {PREFIX + mode: value for mode, value in labels.items()}
    obj = {"metadata": {"name": "shop", "labels": marked}}
    return (await api.ask("POST", path("Namespace"), obj)).status


@pytest.mark.parametrize("attack", PODS.values(), ids=PODS)
async def test_the_pod_is_refused(api: Api, attack: Attack) -> None:
    assert await room(api, attack.labels) == 201
    meta = {"name": "evil", "annotations": dict(attack.annotations)}
    answer = await api.ask(
        "POST", path("Pod", namespace="shop"), {"metadata": meta, "spec": attack.spec}
    )

    assert answer.status == attack.status, answer.body
    assert attack.words in answer.message
    assert (await api.get(path("Pod", "evil", namespace="shop"))).status == 404


LABELS: Mapping[str, dict[str, str]] = {
    "a level with a slip of the pen": {"enforce": "resticted"},
    "a level in capitals": {"enforce": "Restricted"},
    "an empty level": {"enforce": ""},
    "a version without v": {"enforce": "restricted", "enforce-version": "1.30"},
    "a version with digits of another script": {"enforce-version": "v1.٣"},
    "a version too large for any number": {"enforce-version": "v1." + "9" * 40},
    "a version with a zero before it": {"enforce-version": "v1.01"},
    "an empty version": {"warn-version": ""},
}


@pytest.mark.parametrize("labels", LABELS.values(), ids=LABELS)
async def test_labels_that_would_protect_nobody_are_refused(
    api: Api, labels: dict[str, str]
) -> None:
    assert await room(api, labels) == 422


EVIL: Json = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "evil", "namespace": "shop"},
    "spec": hardened(hostPID=True),
}


@pytest.mark.parametrize("way", ["generateName", "dry run", "apply", "yaml", "twice"])
async def test_no_way_of_writing_goes_around(api: Api, way: str) -> None:
    await room(api, BASELINE)
    pods = path("Pod", namespace="shop")
    if way == "generateName":
        answer = await api.ask("POST", pods, {**EVIL, "metadata": {"generateName": "evil-"}})
    elif way == "dry run":
        answer = await api.ask("POST", pods, EVIL, dryRun="All")
    elif way == "apply":
        answer = await api.ask(
            "PATCH", f"{pods}/evil", EVIL, kind=APPLY, fieldManager="me", force="true"
        )
    elif way == "yaml":
        answer = await api.ask("POST", pods, json.dumps(EVIL).encode(), kind=YAML)
    else:
        text = json.dumps(EVIL).replace('"hostPID": true', '"hostPID": false, "hostPID": true')
        answer = await api.ask("POST", pods, text.encode())

    assert answer.status == 403, answer.body
    assert "host namespaces (hostPID=true)" in answer.message


async def test_a_container_for_debugging_is_no_way_in(api: Api) -> None:
    await room(api, RESTRICTED)
    fine = {"metadata": {"name": "web"}, "spec": hardened()}
    assert (await api.ask("POST", path("Pod", namespace="shop"), fine)).status == 201
    where = path("Pod", "web", "ephemeralcontainers", namespace="shop")
    for kind in (STRATEGIC, MERGE):
        answer = await api.ask(
            "PATCH", where, {"spec": {"ephemeralContainers": [MASTER]}}, kind=kind
        )
        assert answer.status == 403
        assert 'privileged (container "x" must not' in answer.message


async def test_a_pod_from_before_gets_no_new_image(api: Api) -> None:
    await room(api, {})
    assert (await api.ask("POST", path("Pod", namespace="shop"), EVIL)).status == 201
    labels = {"metadata": {"labels": {f"{PREFIX}enforce": "baseline"}}}
    await api.ask("PATCH", path("Namespace", "shop"), labels, kind=MERGE)
    image = {"spec": {"containers": [{"name": "main", "image": "evil"}]}}
    answer = await api.ask("PATCH", path("Pod", "evil", namespace="shop"), image, kind=STRATEGIC)

    assert answer.status == 403
    assert "host namespaces (hostPID=true)" in answer.message


async def test_a_pod_of_a_thousand_containers_gets_a_short_warning(api: Api) -> None:
    await room(api, {"warn": "restricted"})
    many = [{"name": f"c{number}", "image": "x"} for number in range(1000)]
    pod = {"metadata": {"name": "web"}, "spec": {"containers": many}}
    answer = await api.ask("POST", path("Pod", namespace="shop"), pod)

    assert answer.status == 201
    assert len(answer.headers["warning"]) < 8192
