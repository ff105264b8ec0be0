"""The checks of the restricted level: what a hardened pod has to say of itself."""

from argosy.security.podsecurity.subject import Json, Subject, Violation
from argosy.security.podsecurity.words import named, plural, quoted, setters

ALL = "ALL"
BIND = "NET_BIND_SERVICE"
VOLUMES = frozenset(
    {
        "configMap",
        "csi",
        "downwardAPI",
        "emptyDir",
        "ephemeral",
        "image",
        "persistentVolumeClaim",
        "projected",
        "secret",
    }
)
FORBIDDEN_VOLUMES = (
    "hostPath",
    "gcePersistentDisk",
    "awsElasticBlockStore",
    "gitRepo",
    "nfs",
    "iscsi",
    "glusterfs",
    "rbd",
    "flexVolume",
    "cinder",
    "cephfs",
    "flocker",
    "fc",
    "azureFile",
    "vsphereVolume",
    "quobyte",
    "azureDisk",
    "photonPersistentDisk",
    "portworxVolume",
    "scaleIO",
    "storageos",
)


def privilege_escalation(subject: Subject) -> Violation | None:
    """No process gets more rights than its parent."""
    bad = [
        one.name
        for one in subject.containers
        if one.context.get("allowPrivilegeEscalation") is not False
    ]
    if not bad:
        return None
    detail = f"{named('container', bad)} must set securityContext.allowPrivilegeEscalation=false"
    return Violation("allowPrivilegeEscalation != false", detail)


def privilege_escalation_1_25(subject: Subject) -> Violation | None:
    """On Windows the field can't be set."""
    return None if subject.windows else privilege_escalation(subject)


def capabilities(subject: Subject) -> Violation | None:
    """All capabilities are dropped, and only the one for low ports is added again."""
    keeping: list[str] = []
    adding: list[str] = []
    forbidden: set[str] = set()
    for container in subject.containers:
        given = container.context.get("capabilities") or {}
        if ALL not in (given.get("drop") or ()):
            keeping.append(container.name)
        added = given.get("add")
        if added and (more := {*added} - {BIND}):
            adding.append(container.name)
            forbidden |= more
    told: list[str] = []
    if keeping:
        told.append(
            f'{named("container", keeping)} must set securityContext.capabilities.drop=["ALL"]'
        )
    if adding:
        told.append(
            f"{named('container', adding)} must not include {quoted(sorted(forbidden))} "
            "in securityContext.capabilities.add"
        )
    return Violation("unrestricted capabilities", "; ".join(told)) if told else None


def capabilities_1_25(subject: Subject) -> Violation | None:
    """Windows has no capabilities."""
    return None if subject.windows else capabilities(subject)


def volumes(subject: Subject) -> Violation | None:
    """Volumes are of the sorts that are safe with anybody."""
    mounted = subject.spec.get("volumes")
    if not mounted:
        return None
    bad = [one for one in mounted if not _harmless(one)]
    if not bad:
        return None
    sorts = {
        next((sort for sort in FORBIDDEN_VOLUMES if one.get(sort) is not None), "unknown")
        for one in bad
    }
    verb = "uses" if len(bad) == 1 else "use"
    noun = plural("restricted volume type", len(sorts))
    names = named("volume", [one.get("name") or "" for one in bad])
    return Violation("restricted volume types", f"{names} {verb} {noun} {quoted(sorted(sorts))}")


def _harmless(volume: Json) -> bool:
    for field in volume:  # quicker than to ask for each sort: there are two fields or three
        if field in VOLUMES and volume[field] is not None:
            return True
    return False


def run_as_non_root(subject: Subject) -> Violation | None:
    """Pod or containers promise not to run as root, and none takes it back."""
    of_pod = subject.context.get("runAsNonRoot")
    silent: list[str] = []
    taking_back: list[str] = []
    for container in subject.containers:
        said = container.context.get("runAsNonRoot")
        if said is False:
            taking_back.append(container.name)
        elif said is None and of_pod is not True:
            silent.append(container.name)
    if taking_back or of_pod is False:
        detail = f"{setters(of_pod is False, taking_back)} must not set"
        return Violation("runAsNonRoot != true", f"{detail} securityContext.runAsNonRoot=false")
    if silent:
        detail = f"pod or {named('container', silent)} must set securityContext.runAsNonRoot=true"
        return Violation("runAsNonRoot != true", detail)
    return None


def run_as_non_root_1_35(subject: Subject) -> Violation | None:
    """In a user namespace of its own a pod may be root."""
    return None if subject.own_users else run_as_non_root(subject)


def run_as_user(subject: Subject) -> Violation | None:
    """Nobody asks for user 0."""
    if "runAsUser" not in subject.said:
        return None
    bad = [one.name for one in subject.containers if one.context.get("runAsUser") == 0]
    pod = subject.context.get("runAsUser") == 0
    if not bad and not pod:
        return None
    return Violation("runAsUser=0", f"{setters(pod, bad)} must not set runAsUser=0")


def run_as_user_1_35(subject: Subject) -> Violation | None:
    """In a user namespace of its own a pod may ask for user 0."""
    return None if subject.own_users else run_as_user(subject)
