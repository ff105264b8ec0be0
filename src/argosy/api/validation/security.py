"""Security contexts, of pods and of containers, and what an operating system allows in them."""

import re
from collections.abc import Iterable, Mapping

from argosy.api import names
from argosy.api.validation import values
from argosy.api.validation.rule import Errors, Json, one_of
from argosy.base.errors import (
    duplicate,
    forbidden_field,
    invalid_value,
    not_supported,
    required,
    too_long,
)

PROFILES = ("Localhost", "RuntimeDefault", "Unconfined")
SYSCTL = re.compile(r"([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?")
SYSCTL_RULE = (
    "must have at most 253 characters and match regex "
    r"^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$"
)
IPC_SYSCTLS = ("kernel.shm", "kernel.msg", "kernel.sem", "fs.mqueue.")
LONGEST_PROFILE = 4095
OF_WINDOWS = "cannot be set for a windows pod"
POD_ENUMS: Mapping[str, tuple[str, ...]] = {
    "fsGroupChangePolicy": ("Always", "OnRootMismatch"),
    "supplementalGroupsPolicy": ("Merge", "Strict"),
    "seLinuxChangePolicy": ("Recursive",),
}
NOT_ON_WINDOWS_POD = (
    "securityContext.appArmorProfile",
    "securityContext.seLinuxOptions",
    "hostUsers",
    "hostPID",
    "hostIPC",
    "securityContext.seccompProfile",
    "securityContext.fsGroup",
    "securityContext.fsGroupChangePolicy",
    "securityContext.sysctls",
    "shareProcessNamespace",
    "securityContext.runAsUser",
    "securityContext.runAsGroup",
    "securityContext.supplementalGroups",
    "securityContext.supplementalGroupsPolicy",
    "securityContext.seLinuxChangePolicy",
)
FLAGS = frozenset({"hostPID", "hostIPC"})
"""These are not there when they are false; a false `hostUsers` is."""
NOT_ON_WINDOWS_CONTAINER = (
    "appArmorProfile",
    "seLinuxOptions",
    "seccompProfile",
    "capabilities",
    "readOnlyRootFilesystem",
    "privileged",
    "allowPrivilegeEscalation",
    "procMount",
    "runAsUser",
    "runAsGroup",
)
NET_BIOS = re.compile(r"[^\\/:*?\"<>|.][^\\/:*?\"<>|]{0,14}")
_DOMAIN_LABEL = r"[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?"
WINDOWS_DOMAIN = re.compile(rf"{_DOMAIN_LABEL}(?:\.{_DOMAIN_LABEL})*")


def pod_security(spec: Json, path: str) -> Errors:
    """`securityContext` of a pod and the host's namespaces that it shares."""
    context = spec.get("securityContext") or {}
    field = f"{path}.securityContext"
    for name in ("fsGroup", "runAsUser", "runAsGroup"):
        yield from values.identity(f"{field}.{name}", context.get(name))
    for i, group in enumerate(context.get("supplementalGroups") or ()):
        yield from values.identity(f"{field}.supplementalGroups[{i}]", group)
    if spec.get("shareProcessNamespace") and spec.get("hostPID"):
        detail = "ShareProcessNamespace and HostPID cannot both be enabled"
        yield invalid_value(f"{field}.shareProcessNamespace", True, detail)
    if context.get("sysctls"):
        yield from _sysctls(context["sysctls"], f"{field}.sysctls", spec)
    for name, allowed in POD_ENUMS.items():
        yield from one_of(f"{field}.{name}", context.get(name), allowed)
    yield from _profiles(context, field)


def container_security(context: Json, path: str, host_users: bool) -> Errors:
    """`securityContext` of a container."""
    for name in ("runAsUser", "runAsGroup"):
        yield from values.identity(f"{path}.{name}", context.get(name))
    mount = context.get("procMount")
    yield from one_of(f"{path}.procMount", mount, ("Default", "Unmasked"))
    if mount == "Unmasked" and host_users:
        detail = "`hostUsers` must be false to use `Unmasked`"
        yield invalid_value(f"{path}.procMount", mount, detail)
    if context.get("allowPrivilegeEscalation") is False:
        detail = "cannot set `allowPrivilegeEscalation` to false and "
        if context.get("privileged"):
            yield invalid_value(path, context, f"{detail}`privileged` to true")
        if "CAP_SYS_ADMIN" in ((context.get("capabilities") or {}).get("add") or ()):
            yield invalid_value(path, context, f"{detail}`capabilities.Add` CAP_SYS_ADMIN")
    yield from _profiles(context, path)


def _profiles(context: Json, path: str) -> Errors:
    if "seccompProfile" in context:
        yield from _seccomp(context["seccompProfile"], f"{path}.seccompProfile")
    if "windowsOptions" in context:
        yield from _windows_options(context["windowsOptions"], f"{path}.windowsOptions")
    if "appArmorProfile" in context:
        yield from _app_armor(context["appArmorProfile"], f"{path}.appArmorProfile")


def _profile_type(profile: Json, path: str, what: str) -> Errors:
    if not profile["type"]:
        yield required(f"{path}.type", f"type is required when {what} is set")
    elif profile["type"] not in PROFILES:
        yield not_supported(f"{path}.type", profile["type"], PROFILES)


def _seccomp(profile: Json, path: str) -> Errors:
    yield from _profile_type(profile, path, "seccompProfile")
    local, field = profile.get("localhostProfile"), f"{path}.localhostProfile"
    if profile["type"] != "Localhost":
        if local is not None:
            yield invalid_value(field, profile, "can only be set when seccomp type is Localhost")
    elif local is None:
        yield required(field, "must be set when seccomp type is Localhost")
    else:
        yield from values.descending(field, local)


def _app_armor(profile: Json, path: str) -> Errors:
    yield from _profile_type(profile, path, "appArmorProfile")
    local, field = profile.get("localhostProfile"), f"{path}.localhostProfile"
    if profile["type"] == "Localhost":
        text: str = local or ""
        if not text.strip():
            yield required(field, "must be set when AppArmor type is Localhost")
        elif text != text.strip():
            yield invalid_value(field, text, "must not be padded with whitespace")
        if len(text) > LONGEST_PROFILE:
            yield too_long(field, LONGEST_PROFILE)
    elif local is not None and profile["type"] in PROFILES:
        yield invalid_value(field, local, "can only be set when AppArmor type is Localhost")


def _sysctls(sysctls: Iterable[Json], path: str, spec: Json) -> Errors:
    seen: set[str] = set()
    for i, sysctl in enumerate(sysctls):
        name, field = sysctl["name"], f"{path}[{i}].name"
        if not name:
            yield required(field)
        elif len(name) > 253 or not SYSCTL.fullmatch(name):
            yield invalid_value(field, name, SYSCTL_RULE)
        elif name in seen:
            yield duplicate(field, name)
        seen.add(name)
        dotted = name.replace("/", ".")
        if spec.get("hostNetwork") and dotted.startswith("net."):
            yield invalid_value(field, name, "may not be specified when 'hostNetwork' is true")
        elif spec.get("hostIPC") and dotted.startswith(IPC_SYSCTLS):
            yield invalid_value(field, name, "may not be specified when 'hostIPC' is true")


def _windows_options(options: Json, path: str) -> Errors:
    name = options.get("gmsaCredentialSpecName")
    if name is not None:
        yield from names.subdomain(name, f"{path}.gmsaCredentialSpecName")
    credentials, field = options.get("gmsaCredentialSpec"), f"{path}.gmsaCredentialSpec"
    if credentials == "":
        yield invalid_value(field, "", "gmsaCredentialSpec cannot be an empty string")
    elif len(credentials or "") > 64 * 1024:
        yield invalid_value(field, credentials, "gmsaCredentialSpec size must be under 64 KiB")
    user, field = options.get("runAsUserName"), f"{path}.runAsUserName"
    if user is not None:
        for fault in _user_faults(user):
            yield invalid_value(field, user, f"runAsUserName{fault}")


def _user_faults(text: str) -> Iterable[str]:
    if not text:
        return [" cannot be an empty string"]
    if any(ord(letter) < 32 or ord(letter) == 127 for letter in text):
        return [" cannot contain control characters"]
    if text.count("\\") > 1:
        return [" cannot contain more than one backslash"]
    domain, has_domain, user = text.rpartition("\\")
    known = NET_BIOS.fullmatch(domain) or WINDOWS_DOMAIN.fullmatch(domain)
    found = (
        (len(domain) >= 256, "'s Domain length must be under 256 characters"),
        (
            bool(has_domain) and not known,
            "'s Domain doesn't match the NetBios nor the DNS format",
        ),
        (not user, "'s User cannot be empty"),
        (len(user) > 104, "'s User length must not be longer than 104 characters"),
        (
            bool(user) and not user.strip(". "),
            "'s User cannot contain only periods or spaces",
        ),
        (
            bool(re.search(r'["/\\:;|=,+*?<>@\[\]]', user)),
            "'s User cannot contain the following characters: \"/\\:;|=,+*?<>@[]",
        ),
    )
    return [text for wrong, text in found if wrong]


def system_rules(spec: Json, path: str, containers: Iterable[tuple[Json, str]]) -> Errors:
    """What the operating system that the pod names does not allow."""
    system = (spec.get("os") or {}).get("name")
    if "os" in spec and not system:
        yield required(f"{path}.os.name")
    elif system == "linux":
        for context, field in _contexts(spec, path, containers):
            if "windowsOptions" in context:
                detail = "windows options cannot be set for a linux pod"
                yield forbidden_field(f"{field}.windowsOptions", detail)
    elif system == "windows":
        yield from _windows(spec, path, containers)
    else:
        yield from one_of(f"{path}.os", system, ("linux", "windows"))


def _windows(spec: Json, path: str, containers: Iterable[tuple[Json, str]]) -> Errors:
    context = spec.get("securityContext") or {}
    for place in NOT_ON_WINDOWS_POD:
        _, _, name = place.rpartition(".")
        value = (context if place.startswith("securityContext") else spec).get(name)
        if value is not None and not (name in FLAGS and not value):
            yield forbidden_field(f"{path}.{place}", OF_WINDOWS)
    for container, field in containers:
        own = container.get("securityContext") or {}
        for name in NOT_ON_WINDOWS_CONTAINER:
            if name in own:
                yield forbidden_field(f"{field}.securityContext.{name}", OF_WINDOWS)


def _contexts(
    spec: Json, path: str, containers: Iterable[tuple[Json, str]]
) -> Iterable[tuple[Json, str]]:
    for owner, field in ((spec, path), *containers):
        yield owner.get("securityContext") or {}, f"{field}.securityContext"


def host_process(spec: Json, path: str, containers: Iterable[tuple[Json, str]]) -> Errors:
    """Windows' containers on the host: all of a pod or none, and in the host's network."""
    of_pod = _host_process(spec)
    count, on_host = 0, 0
    for container, field in containers:
        own = _host_process(container)
        if None not in (of_pod, own) and own != of_pod:
            shown = "true" if of_pod else "false"
            detail = f"pod hostProcess value must be identical if both are specified, was {shown}"
            place = f"{field}.securityContext.windowsOptions.hostProcess"
            yield invalid_value(place, own, detail)
        count += 1
        on_host += bool(of_pod if own is None else own)
    if on_host and on_host != count:
        detail = (
            "If pod contains any hostProcess containers then all containers must be HostProcess "
            "containers"
        )
        yield invalid_value(path, "", detail)
    if on_host and not spec.get("hostNetwork"):
        detail = "hostNetwork must be true if pod contains any hostProcess containers"
        yield invalid_value(f"{path}.hostNetwork", False, detail)


def _host_process(owner: Json) -> bool | None:
    options = (owner.get("securityContext") or {}).get("windowsOptions") or {}
    found: bool | None = options.get("hostProcess")
    return found


def host_users(spec: Json, path: str, containers: Iterable[tuple[Json, str]]) -> Errors:
    """What a pod with users of its own may not share with its host."""
    detail = "when `hostUsers` is false"
    for name, shown in (
        ("hostNetwork", "hostNetwork"),
        ("hostPID", "HostPID"),
        ("hostIPC", "HostIPC"),
    ):
        if spec.get(name):
            yield forbidden_field(f"{path}.{shown}", detail)
    for container, field in containers:
        if container.get("volumeDevices"):
            yield forbidden_field(f"{field}.volumeDevices", detail)
