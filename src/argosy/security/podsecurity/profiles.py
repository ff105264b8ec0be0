"""The checks about what confines a container: AppArmor, SELinux and seccomp."""

from collections.abc import Iterable, Mapping
from typing import Any

from argosy.security.podsecurity.subject import Subject, Test, Violation
from argosy.security.podsecurity.words import named, plural, quoted, setters, setting, with_field

CONFINED = frozenset({"Localhost", "RuntimeDefault"})
APP_ARMOR = "container.apparmor.security.beta.kubernetes.io/"
SECCOMP_POD = "seccomp.security.alpha.kubernetes.io/pod"
SECCOMP_CONTAINER = "container.seccomp.security.alpha.kubernetes.io/"
SELINUX_TYPES = frozenset({"", "container_t", "container_init_t", "container_kvm_t"})
SELINUX_TYPES_1_31 = SELINUX_TYPES | {"container_engine_t"}


def app_armor(subject: Subject) -> Violation | None:
    """AppArmor's profile is not switched off, by fields or by the older annotations."""
    if "appArmorProfile" not in subject.said and not subject.annotations:
        return None
    pod, containers, values = _unconfined(subject, "appArmorProfile")
    annotations = sorted(
        setting(name, value)
        for name, value in subject.annotations.items()
        if name.startswith(APP_ARMOR) and not _app_armor_value(value)
    )
    told = [setters(pod, containers)] if pod or containers else []
    if annotations:
        told.append(plural("annotation", len(annotations)))
    if not told:
        return None
    found = [*sorted(values), *annotations]
    return Violation(
        plural("forbidden AppArmor profile", len(found)),
        f"{' and '.join(told)} must not set AppArmor profile type to {quoted(found)}",
    )


def _app_armor_value(value: str) -> bool:
    return value in ("", "runtime/default") or value.startswith("localhost/")


def _unconfined(subject: Subject, field: str) -> tuple[bool, list[str], set[str]]:
    """Whether the pod, and which containers, set another type of profile; and which types."""
    of_pod, own = with_field(subject, field)
    pod = of_pod is not None and _type(of_pod) not in CONFINED
    kinds = [(one.name, kind) for one, profile in own if (kind := _type(profile)) not in CONFINED]
    if not pod and not kinds:
        return False, [], set()
    values = {kind for _, kind in kinds} | ({_type(of_pod)} if pod else set())
    return pod, [name for name, _ in kinds], values


def _type(profile: Mapping[str, Any]) -> str:
    return profile.get("type") or ""


def se_linux(types: frozenset[str]) -> Test:
    """The check that SELinux' type is one of these, and user and role the usual ones."""

    def se_linux_options(subject: Subject) -> Violation | None:
        if "seLinuxOptions" not in subject.said:
            return None
        of_pod, own = with_field(subject, "seLinuxOptions")
        bad = [one.name for one, options in own if not _usual(options, types)]
        pod = of_pod is not None and not _usual(of_pod, types)
        if not bad and not pod:
            return None
        everywhere = [options for _, options in own] + ([of_pod] if of_pod is not None else [])
        text = f"{setters(pod, bad)} set forbidden securityContext.seLinuxOptions"
        return Violation("seLinuxOptions", f"{text}: {_unusual(everywhere, types)}")

    return se_linux_options


def _usual(options: Mapping[str, Any], types: frozenset[str]) -> bool:
    known = (options.get("type") or "") in types
    return known and not options.get("user") and not options.get("role")


def _unusual(everywhere: Iterable[Mapping[str, Any]], types: frozenset[str]) -> str:
    told: list[str] = []
    if bad := sorted({options.get("type") or "" for options in everywhere} - types):
        told.append(named("type", bad))
    for field in ("user", "role"):
        if any(options.get(field) for options in everywhere):
            told.append(f"{field} may not be set")
    return "; ".join(told)


def seccomp_annotations(subject: Subject) -> Violation | None:
    """Before 1.19 the profiles of system calls stood in annotations."""
    names = [SECCOMP_POD, *(SECCOMP_CONTAINER + one.name for one in subject.containers)]
    bad = {
        setting(name, value)
        for name in names
        if (value := subject.annotations.get(name)) is not None and not _seccomp_value(value)
    }
    if not bad:
        return None
    detail = f"forbidden {plural('annotation', len(bad))} {', '.join(sorted(bad))}"
    return Violation("seccompProfile", detail)


def _seccomp_value(value: str) -> bool:
    return value in ("runtime/default", "docker/default") or value.startswith("localhost/")


def seccomp(subject: Subject) -> Violation | None:
    """The filter of system calls is not switched off."""
    pod, containers, values = _unconfined(subject, "seccompProfile")
    if not pod and not containers:
        return None
    detail = (
        f"{setters(pod, containers)} must not set securityContext.seccompProfile.type "
        f"to {quoted(sorted(values))}"
    )
    return Violation("seccompProfile", detail)


def seccomp_set(subject: Subject) -> Violation | None:
    """There is a filter of system calls, chosen by the pod or by each container."""
    if (wrong := seccomp(subject)) is not None:
        return wrong
    if subject.context.get("seccompProfile") is not None:
        return None
    bad = [one.name for one in subject.containers if one.context.get("seccompProfile") is None]
    if not bad:
        return None
    detail = (
        f"pod or {named('container', bad)} must set securityContext.seccompProfile.type "
        'to "RuntimeDefault" or "Localhost"'
    )
    return Violation("seccompProfile", detail)


def seccomp_set_1_25(subject: Subject) -> Violation | None:
    """Windows has no such filter."""
    return None if subject.windows else seccomp_set(subject)
