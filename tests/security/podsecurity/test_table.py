"""Every check, at its level, as of every version: what passes, what fails, and in which words."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest

from argosy.security.podsecurity.evaluate import evaluate, in_detail
from argosy.security.podsecurity.levels import Level, Standard
from argosy.security.podsecurity.restricted import FORBIDDEN_VOLUMES, VOLUMES
from argosy.security.podsecurity.table import BASELINE, NEWEST, RESTRICTED, demands
from tests.security.podsecurity.pods import Json, contained, hardened, pod_secured, secured

LEVELS: tuple[Level, Level] = ("baseline", "restricted")
MINORS = range(NEWEST + 1)
Steps = Mapping[int, str]
"""From that minor on, the check that fails; '' for none."""
FINE: Steps = {0: ""}


@dataclass(frozen=True, kw_only=True)
class Case:
    """A pod, what it fails of baseline and of restricted, and the newest version's words."""

    spec: Json
    fails: tuple[Steps, Steps] = (FINE, FINE)
    annotations: Mapping[str, str] = field(default_factory=dict)
    words: str = ""

    @property
    def metadata(self) -> Json:
        return {"annotations": dict(self.annotations)}


def both(check: str, since: int = 0) -> tuple[Steps, Steps]:
    """The steps of a check that both levels make from a minor on."""
    steps = {0: "", since: check}
    return steps, steps


def strict(check: str, since: int = 0, *, until: int = 99) -> tuple[Steps, Steps]:
    """The steps of a check of the restricted level."""
    return FINE, {0: "", since: check, until: ""}


EPHEMERAL: Json = {"name": "debug", "image": "busybox"}
HANDLER: Json = {"tcpSocket": {"host": "10.0.0.1", "port": 80}}
SECCOMP: tuple[Steps, Steps] = (
    {0: "", 19: "seccompProfile_baseline"},
    {0: "", 19: "seccompProfile_restricted"},
)
CAPABILITY: tuple[Steps, Steps] = (
    {0: "capabilities_baseline"},
    {0: "capabilities_baseline", 22: "capabilities_restricted"},
)
CASES: Mapping[str, Case] = {
    "hardened": Case(spec=hardened()),
    # baseline
    "AppArmor by annotation": Case(
        spec=hardened(),
        annotations={"container.apparmor.security.beta.kubernetes.io/main": "unconfined"},
        fails=both("appArmorProfile"),
        words="forbidden AppArmor profile (annotation must not set AppArmor profile type to "
        '"container.apparmor.security.beta.kubernetes.io/main="unconfined"")',
    ),
    "AppArmor by annotation, fine": Case(
        spec=hardened(),
        annotations={
            "container.apparmor.security.beta.kubernetes.io/a": "runtime/default",
            "container.apparmor.security.beta.kubernetes.io/b": "localhost/mine",
            "container.apparmor.security.beta.kubernetes.io/c": "",
        },
    ),
    "AppArmor of pod and container": Case(
        spec={
            **secured(appArmorProfile={"type": "Unconfined"}),
            "securityContext": {
                **hardened()["securityContext"],
                "appArmorProfile": {"type": "Other"},
            },
        },
        fails=both("appArmorProfile"),
        words='forbidden AppArmor profiles (pod and container "main" must not set AppArmor '
        'profile type to "Other", "Unconfined")',
    ),
    "AppArmor, fine": Case(
        spec=secured(appArmorProfile={"type": "Localhost", "localhostProfile": "a"})
    ),
    "a capability": Case(
        spec=secured(capabilities={"drop": ["ALL"], "add": ["SYS_TIME", "NET_RAW"]}),
        fails=CAPABILITY,
        words='unrestricted capabilities (container "main" must not include "NET_RAW", '
        '"SYS_TIME" in securityContext.capabilities.add)',
    ),
    "a usual capability": Case(
        spec=secured(capabilities={"drop": ["ALL"], "add": ["CHOWN"]}),
        fails=strict("capabilities_restricted", 22),
    ),
    "the capability for low ports": Case(
        spec=secured(capabilities={"drop": ["ALL"], "add": ["NET_BIND_SERVICE"]})
    ),
    "the node's network and processes": Case(
        spec=hardened(hostNetwork=True, hostPID=True, hostIPC=False),
        fails=both("hostNamespaces"),
        words="host namespaces (hostNetwork=true, hostPID=true)",
    ),
    "the node's memory": Case(spec=hardened(hostIPC=True), fails=both("hostNamespaces")),
    "a folder of the node": Case(
        spec=hardened(volumes=[{"name": "a", "hostPath": {"path": "/"}}]),
        fails=({0: "hostPathVolumes"}, {0: "restrictedVolumes"}),
        words='restricted volume types (volume "a" uses restricted volume type "hostPath")',
    ),
    "ports of the node": Case(
        spec=contained(ports=[{"hostPort": 90}, {"hostPort": 8080}, {"hostPort": 0}]),
        fails=both("hostPorts"),
        words='hostPort (container "main" uses hostPorts 8080, 90)',
    ),
    "no port of the node": Case(spec=contained(ports=[{"hostPort": 0}, {"containerPort": 1}])),
    "a probe of another host": Case(
        spec=contained(livenessProbe={"httpGet": {"host": "127.0.0.1", "port": 80}}),
        fails=both("hostProbesAndHostLifecycle", 34),
        words='probe or lifecycle host (container "main" uses probe or lifecycle host "127.0.0.1")',
    ),
    "hooks of another host": Case(
        spec=contained(lifecycle={"preStop": HANDLER, "postStart": {"exec": {}}}),
        fails=both("hostProbesAndHostLifecycle", 34),
    ),
    "a startup probe of another host": Case(
        spec=contained(startupProbe=HANDLER), fails=both("hostProbesAndHostLifecycle", 34)
    ),
    "a probe of itself": Case(spec=contained(startupProbe={"httpGet": {"host": "", "port": 80}})),
    "privileged": Case(
        spec=secured(privileged=True),
        fails=both("privileged"),
        words='privileged (container "main" must not set securityContext.privileged=true)',
    ),
    "not privileged": Case(spec=secured(privileged=False)),
    "a privileged container for debugging": Case(
        spec=hardened(
            ephemeralContainers=[
                {
                    **EPHEMERAL,
                    "securityContext": {
                        **hardened()["containers"][0]["securityContext"],
                        "privileged": True,
                    },
                }
            ]
        ),
        fails=both("privileged"),
        words='privileged (container "debug" must not set securityContext.privileged=true)',
    ),
    "all of /proc": Case(
        spec=secured(procMount="Unmasked"),
        fails=({0: "procMount"}, {0: "procMount", 35: "procMount_restricted"}),
        words='procMount (container "main" must not set securityContext.procMount to "Unmasked")',
    ),
    "all of /proc in a user namespace": Case(
        spec={**secured(procMount="Unmasked"), "hostUsers": False},
        fails=({0: "procMount", 35: ""}, {0: "procMount", 35: "procMount_restricted"}),
    ),
    "the default of /proc": Case(spec=secured(procMount="Default")),
    "SELinux type": Case(
        spec=secured(seLinuxOptions={"type": "spc_t"}),
        fails=both("seLinuxOptions"),
        words='seLinuxOptions (container "main" set forbidden securityContext.seLinuxOptions: '
        'type "spc_t")',
    ),
    "SELinux user and role": Case(
        spec=pod_secured(seLinuxOptions={"user": "root", "role": "sysadm_r"}),
        fails=both("seLinuxOptions"),
        words="seLinuxOptions (pod set forbidden securityContext.seLinuxOptions: user may not be "
        "set; role may not be set)",
    ),
    "SELinux type for engines": Case(
        spec=secured(seLinuxOptions={"type": "container_engine_t"}),
        fails=({0: "seLinuxOptions", 31: ""}, {0: "seLinuxOptions", 31: ""}),
    ),
    "SELinux, fine": Case(spec=secured(seLinuxOptions={"type": "container_t", "level": "s0"})),
    "seccomp by annotation": Case(
        spec=hardened(),
        annotations={
            "seccomp.security.alpha.kubernetes.io/pod": "unconfined",
            "container.seccomp.security.alpha.kubernetes.io/main": "runtime/default",
        },
        fails=({0: "seccompProfile_baseline", 19: ""}, {0: "seccompProfile_baseline", 19: ""}),
    ),
    "seccomp by annotation of a container": Case(
        spec=hardened(),
        annotations={"container.seccomp.security.alpha.kubernetes.io/main": "a"},
        fails=({0: "seccompProfile_baseline", 19: ""}, {0: "seccompProfile_baseline", 19: ""}),
    ),
    "seccomp off": Case(
        spec=secured(seccompProfile={"type": "Unconfined"}),
        fails=SECCOMP,
        words='seccompProfile (container "main" must not set '
        'securityContext.seccompProfile.type to "Unconfined")',
    ),
    "seccomp off for the pod": Case(
        spec=pod_secured(seccompProfile={"type": "Unconfined"}), fails=SECCOMP
    ),
    "an empty seccomp profile": Case(spec=secured(seccompProfile={}), fails=SECCOMP),
    "no seccomp": Case(
        spec=pod_secured(seccompProfile=None),
        fails=strict("seccompProfile_restricted", 19),
        words='seccompProfile (pod or container "main" must set '
        'securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost")',
    ),
    "seccomp by each container": Case(
        spec={
            **pod_secured(seccompProfile=None),
            "containers": secured(seccompProfile={"type": "Localhost"})["containers"],
        }
    ),
    "sysctls": Case(
        spec=pod_secured(sysctls=[{"name": "kernel.msgmax"}, {"name": "kernel.sem"}]),
        fails=both("sysctls"),
        words="forbidden sysctls (kernel.msgmax, kernel.sem)",
    ),
    "safe sysctls": Case(spec=pod_secured(sysctls=[{"name": "net.ipv4.tcp_syncookies"}])),
    **{
        f"the sysctl {name}": Case(
            spec=pod_secured(sysctls=[{"name": name}]),
            fails=({0: "sysctls", since: ""}, {0: "sysctls", since: ""}),
        )
        for name, since in (
            ("net.ipv4.ip_local_reserved_ports", 27),
            ("net.ipv4.tcp_keepalive_time", 29),
            ("net.ipv4.tcp_rmem", 32),
            ("net.ipv4.tcp_notsent_lowat", 37),
        )
    },
    "a process of a Windows node": Case(
        spec={
            **secured(windowsOptions={"hostProcess": True}),
            "securityContext": {
                **hardened()["securityContext"],
                "windowsOptions": {"hostProcess": True},
            },
        },
        fails=both("windowsHostProcess"),
        words='hostProcess (pod and container "main" must not set '
        "securityContext.windowsOptions.hostProcess=true)",
    ),
    "Windows options": Case(spec=pod_secured(windowsOptions={"hostProcess": False})),
    # restricted
    "more rights than its parent": Case(
        spec=secured(allowPrivilegeEscalation=True),
        fails=strict("allowPrivilegeEscalation", 8),
        words='allowPrivilegeEscalation != false (container "main" must set '
        "securityContext.allowPrivilegeEscalation=false)",
    ),
    "silent about more rights": Case(
        spec=secured(allowPrivilegeEscalation=None), fails=strict("allowPrivilegeEscalation", 8)
    ),
    "more rights on Windows": Case(
        spec={**secured(allowPrivilegeEscalation=None), "os": {"name": "windows"}},
        fails=strict("allowPrivilegeEscalation", 8, until=25),
    ),
    "capabilities kept": Case(
        spec=secured(capabilities=None),
        fails=strict("capabilities_restricted", 22),
        words='unrestricted capabilities (container "main" must set '
        'securityContext.capabilities.drop=["ALL"])',
    ),
    "capabilities kept on Windows": Case(
        spec={**secured(capabilities=None), "os": {"name": "windows"}},
        fails=strict("capabilities_restricted", 22, until=25),
    ),
    "no seccomp on Windows": Case(
        spec={**pod_secured(seccompProfile=None), "os": {"name": "windows"}},
        fails=strict("seccompProfile_restricted", 19, until=25),
    ),
    "maybe root": Case(
        spec=pod_secured(runAsNonRoot=None),
        fails=strict("runAsNonRoot"),
        words='runAsNonRoot != true (pod or container "main" must set '
        "securityContext.runAsNonRoot=true)",
    ),
    "a container that may be root": Case(
        spec=secured(runAsNonRoot=False),
        fails=strict("runAsNonRoot"),
        words='runAsNonRoot != true (container "main" must not set '
        "securityContext.runAsNonRoot=false)",
    ),
    "a pod that may be root, though its container may not": Case(
        spec={
            **pod_secured(runAsNonRoot=False),
            "containers": secured(runAsNonRoot=True)["containers"],
        },
        fails=strict("runAsNonRoot"),
        words="runAsNonRoot != true (pod must not set securityContext.runAsNonRoot=false)",
    ),
    "not root, each by itself": Case(
        spec={
            **pod_secured(runAsNonRoot=None),
            "containers": secured(runAsNonRoot=True)["containers"],
        }
    ),
    "maybe root in a user namespace": Case(
        spec={**pod_secured(runAsNonRoot=None), "hostUsers": False},
        fails=strict("runAsNonRoot", until=35),
    ),
    "user 0": Case(
        spec={
            **pod_secured(runAsUser=0),
            "containers": secured(runAsUser=0)["containers"],
        },
        fails=strict("runAsUser", 23),
        words='runAsUser=0 (pod and container "main" must not set runAsUser=0)',
    ),
    "user 0 in a user namespace": Case(
        spec={**secured(runAsUser=0), "hostUsers": False}, fails=strict("runAsUser", 23, until=35)
    ),
    "user 0 of the node's users": Case(
        spec={**secured(runAsUser=0), "hostUsers": True}, fails=strict("runAsUser", 23)
    ),
    "a volume of nothing": Case(
        spec=hardened(volumes=[{"name": "a"}]),
        fails=strict("restrictedVolumes"),
        words='restricted volume types (volume "a" uses restricted volume type "unknown")',
    ),
    **{
        f"a volume of {sort}": Case(
            spec=hardened(volumes=[{"name": "a", sort: {}}]), fails=strict("restrictedVolumes")
        )
        for sort in FORBIDDEN_VOLUMES
        if sort != "hostPath"
    },
    **{
        f"a volume of {sort}": Case(spec=hardened(volumes=[{"name": "a", sort: {}}]))
        for sort in VOLUMES
    },
}


def at(steps: Steps, minor: int) -> set[str]:
    """What the steps say of a minor."""
    found = [check for since, check in steps.items() if since <= minor][-1]
    return {found} - {""}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_each_version_finds_what_it_should(case: Case) -> None:
    for level, steps in zip(LEVELS, case.fails, strict=True):
        for minor in MINORS:
            found = evaluate(Standard(level, minor), case.metadata, case.spec)
            assert {one.check for one in found} == at(steps, minor), (level, minor)
    assert evaluate(Standard("privileged"), case.metadata, case.spec) == ()


@pytest.mark.parametrize(
    "case", [case for case in CASES.values() if case.words], ids=lambda case: case.words[:24]
)
def test_the_words_are_upstreams(case: Case) -> None:
    assert in_detail(evaluate(Standard("restricted"), case.metadata, case.spec)) == case.words


def test_every_check_and_version_has_a_pod_that_fails_it() -> None:
    failing = {
        (level, minor, check)
        for case in CASES.values()
        for level, steps in zip(LEVELS, case.fails, strict=True)
        for minor in MINORS
        for check in at(steps, minor)
    }
    known = {
        (level, minor, name)
        for level in LEVELS
        for minor in MINORS
        for name, _ in demands(level, minor)
    }

    assert failing == known


def test_a_check_is_told_of_in_order_baseline_first() -> None:
    names = [name for name, _ in demands("restricted", NEWEST)]
    base = [name for name in names if name in {check.name for check in BASELINE}]
    more = [name for name in names if name in {check.name for check in RESTRICTED}]

    assert names == sorted(base) + sorted(more)
