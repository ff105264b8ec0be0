"""The checks of the baseline level about single fields: what opens the node to a pod."""

from argosy.security.podsecurity.subject import Subject, Violation
from argosy.security.podsecurity.words import named, plural, quoted, setters

CAPABILITIES = frozenset(
    {
        "AUDIT_WRITE",
        "CHOWN",
        "DAC_OVERRIDE",
        "FOWNER",
        "FSETID",
        "KILL",
        "MKNOD",
        "NET_BIND_SERVICE",
        "SETFCAP",
        "SETGID",
        "SETPCAP",
        "SETUID",
        "SYS_CHROOT",
    }
)
"""Those that a container has unless they are taken away, or fewer: they may be added."""
SHARED = ("hostNetwork", "hostPID", "hostIPC")


def capabilities(subject: Subject) -> Violation | None:
    """No capability is added beyond the usual ones."""
    if "capabilities" not in subject.said:
        return None
    bad: list[str] = []
    forbidden: set[str] = set()
    for container in subject.containers:
        given = container.context.get("capabilities")
        if given is not None and (more := {*(given.get("add") or ())} - CAPABILITIES):
            bad.append(container.name)
            forbidden |= more
    if not bad:
        return None
    detail = (
        f"{named('container', bad)} must not include {quoted(sorted(forbidden))} "
        "in securityContext.capabilities.add"
    )
    return Violation("non-default capabilities", detail)


def host_namespaces(subject: Subject) -> Violation | None:
    """The pod has a network, processes and memory of its own."""
    shared = [name for name in SHARED if subject.spec.get(name)]
    if not shared:
        return None
    return Violation("host namespaces", ", ".join(f"{name}=true" for name in shared))


def host_path_volumes(subject: Subject) -> Violation | None:
    """No folder of the node is mounted."""
    bad = [
        volume.get("name") or ""
        for volume in subject.spec.get("volumes") or ()
        if volume.get("hostPath") is not None
    ]
    return Violation("hostPath volumes", named("volume", bad)) if bad else None


def host_ports(subject: Subject) -> Violation | None:
    """No port of the node is taken."""
    bad: list[str] = []
    forbidden: set[str] = set()
    for container in subject.containers:
        ports = container.raw.get("ports")
        if ports and (taken := {str(port["hostPort"]) for port in ports if port.get("hostPort")}):
            bad.append(container.name)
            forbidden |= taken
    if not bad:
        return None
    verb = "uses" if len(bad) == 1 else "use"
    ports = f"{plural('hostPort', len(forbidden))} {', '.join(sorted(forbidden))}"
    return Violation("hostPort", f"{named('container', bad)} {verb} {ports}")


def privileged(subject: Subject) -> Violation | None:
    """No container is the node's master."""
    if "privileged" not in subject.said:
        return None
    bad = [one.name for one in subject.containers if one.context.get("privileged")]
    if not bad:
        return None
    detail = f"{named('container', bad)} must not set securityContext.privileged=true"
    return Violation("privileged", detail)


def proc_mount(subject: Subject) -> Violation | None:
    """What is hidden of /proc stays hidden."""
    if "procMount" not in subject.said:
        return None
    bad: list[str] = []
    forbidden: set[str] = set()
    for container in subject.containers:
        mount = container.context.get("procMount")
        if mount is not None and mount != "Default":
            bad.append(container.name)
            forbidden.add(mount)
    if not bad:
        return None
    detail = (
        f"{named('container', bad)} must not set securityContext.procMount "
        f"to {quoted(sorted(forbidden))}"
    )
    return Violation("procMount", detail)


def proc_mount_1_35(subject: Subject) -> Violation | None:
    """In a user namespace of its own a pod may see all of /proc."""
    return None if subject.own_users else proc_mount(subject)


def windows_host_process(subject: Subject) -> Violation | None:
    """Nothing runs as a process of a Windows node."""
    if "windowsOptions" not in subject.said:
        return None
    bad = [
        one.name
        for one in subject.containers
        if (one.context.get("windowsOptions") or {}).get("hostProcess")
    ]
    pod = bool((subject.context.get("windowsOptions") or {}).get("hostProcess"))
    if not bad and not pod:
        return None
    text = "must not set securityContext.windowsOptions.hostProcess=true"
    return Violation("hostProcess", f"{setters(pod, bad)} {text}")
