"""All checks, by the order in which they are told of, with the versions from which they changed."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from argosy.security.podsecurity import baseline, probes, profiles, restricted, sysctls
from argosy.security.podsecurity.levels import Level
from argosy.security.podsecurity.subject import Test


@dataclass(frozen=True, slots=True)
class Check:
    """One check: its test by the minor from which it holds, rising.

    Where a check of the restricted level runs, the one of the baseline that it `replaces` does not.
    """

    name: str
    versions: Mapping[int, Test]
    replaces: str = ""

    def at(self, minor: int) -> Test | None:
        """Its test as of a minor; None before there was one."""
        since = [version for version in self.versions if version <= minor]
        return self.versions[since[-1]] if since else None


BASELINE = (
    Check("appArmorProfile", {0: profiles.app_armor}),
    Check("capabilities_baseline", {0: baseline.capabilities}),
    Check("hostNamespaces", {0: baseline.host_namespaces}),
    Check("hostPathVolumes", {0: baseline.host_path_volumes}),
    Check("hostPorts", {0: baseline.host_ports}),
    Check("hostProbesAndHostLifecycle", {34: probes.probe_hosts}),
    Check("privileged", {0: baseline.privileged}),
    Check("procMount", {0: baseline.proc_mount, 35: baseline.proc_mount_1_35}),
    Check(
        "seLinuxOptions",
        {
            0: profiles.se_linux(profiles.SELINUX_TYPES),
            31: profiles.se_linux(profiles.SELINUX_TYPES_1_31),
        },
    ),
    Check("seccompProfile_baseline", {0: profiles.seccomp_annotations, 19: profiles.seccomp}),
    Check(
        "sysctls",
        {
            0: sysctls.only(sysctls.SAFE),
            27: sysctls.only(sysctls.SAFE_1_27),
            29: sysctls.only(sysctls.SAFE_1_29),
            32: sysctls.only(sysctls.SAFE_1_32),
            37: sysctls.only(sysctls.SAFE_1_37),
        },
    ),
    Check("windowsHostProcess", {0: baseline.windows_host_process}),
)
RESTRICTED = (
    Check(
        "allowPrivilegeEscalation",
        {8: restricted.privilege_escalation, 25: restricted.privilege_escalation_1_25},
    ),
    Check(
        "capabilities_restricted",
        {22: restricted.capabilities, 25: restricted.capabilities_1_25},
        replaces="capabilities_baseline",
    ),
    Check("procMount_restricted", {35: baseline.proc_mount}, replaces="procMount"),
    Check("restrictedVolumes", {0: restricted.volumes}, replaces="hostPathVolumes"),
    Check("runAsNonRoot", {0: restricted.run_as_non_root, 35: restricted.run_as_non_root_1_35}),
    Check("runAsUser", {23: restricted.run_as_user, 35: restricted.run_as_user_1_35}),
    Check(
        "seccompProfile_restricted",
        {19: profiles.seccomp_set, 25: profiles.seccomp_set_1_25},
        replaces="seccompProfile_baseline",
    ),
)
NEWEST = max(minor for check in (*BASELINE, *RESTRICTED) for minor in check.versions)
"""The minor since which nothing has changed: later ones are judged as this one."""

Tests = tuple[tuple[str, Test], ...]


@lru_cache(maxsize=256)
def demands(level: Level, minor: int) -> Tests:
    """What a level asks as of a minor: the checks' names with their tests."""
    if level == "privileged":
        return ()
    if level == "baseline":
        return tuple(_as_of(BASELINE, minor))
    strict = tuple(_as_of(RESTRICTED, minor))
    running = {name for name, _ in strict}
    replaced = {check.replaces for check in RESTRICTED if check.name in running}
    base = tuple(entry for entry in _as_of(BASELINE, minor) if entry[0] not in replaced)
    return base + strict


def _as_of(checks: tuple[Check, ...], minor: int) -> Iterator[tuple[str, Test]]:
    for check in checks:
        if (test := check.at(minor)) is not None:
            yield check.name, test
