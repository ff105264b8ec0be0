"""What may change of a pod that is there: by an update, a resize, or added for debugging."""

from collections.abc import Sequence
from typing import Any

from argosy.api.podresources import qos_class
from argosy.api.validation.containers import is_sidecar
from argosy.api.validation.rule import Errors, Json
from argosy.base.errors import FieldError, forbidden_field, invalid_value

MIRROR = "kubernetes.io/config.mirror"
FREE = frozenset({"activeDeadlineSeconds", "schedulingGates", "tolerations"})
"""Fields of the spec that may change under rules of their own."""
FIXED = (
    "pod updates may not change fields other than `spec.containers[*].image`,"
    "`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only "
    "additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set "
    "to 1 if it was previously negative)"
)
ADDITIONS = "only additions are allowed (no mutations or deletions)"
NODE_TERMS = "requiredDuringSchedulingIgnoredDuringExecution"
RESIZABLE = ("cpu", "memory")


def changes(new: Json, old: Json) -> Errors:
    """An update of the pod itself."""
    yield from _mirrored(new, old)
    after, before = new["spec"], old["spec"]
    if after == before:
        return
    for group in ("containers", "initContainers"):
        if len(after.get(group) or ()) != len(before.get(group) or ()):
            yield forbidden_field(f"spec.{group}", "pod updates may not add or remove containers")
            return
    yield from _deadline(after, before)
    yield from _tolerations(after, before)
    yield from _gates(after, before)
    gated = bool(before.get("schedulingGates"))
    if gated:
        yield from _node_choice(after, before)
    if _fixed(after, gated=gated) != _fixed(before, gated=gated):
        yield forbidden_field("spec", FIXED)


def _mirrored(new: Json, old: Json) -> Errors:
    after, before = (obj["metadata"].get("annotations") or {} for obj in (new, old))
    if after.get(MIRROR) != before.get(MIRROR):
        verb = "remove or update" if MIRROR in before else "add"
        detail = f"may not {verb} mirror pod annotation"
        yield forbidden_field(f"metadata.annotations[{MIRROR}]", detail)


def _deadline(after: Json, before: Json) -> Errors:
    """A deadline may be set and moved nearer, never taken away."""
    name, field = "activeDeadlineSeconds", "spec.activeDeadlineSeconds"
    if name not in before:
        return
    if name not in after:
        detail = "must not update from a positive integer to nil value"
        yield invalid_value(field, None, detail)
    elif after[name] > before[name]:
        yield invalid_value(field, after[name], "must be less than or equal to previous value")


def _tolerations(after: Json, before: Json) -> Errors:
    """Tolerations may be added; of those there were, only the time may change."""
    old, new = (
        [{**item, "tolerationSeconds": None} for item in spec.get("tolerations") or ()]
        for spec in (before, after)
    )
    if not all(item in new for item in old):
        detail = "existing toleration can not be modified except its tolerationSeconds"
        yield forbidden_field("spec.tolerations", detail)


def _gates(after: Json, before: Json) -> Errors:
    """Scheduling gates may be taken away, never added."""
    there = {gate["name"] for gate in before.get("schedulingGates") or ()}
    for i, gate in enumerate(after.get("schedulingGates") or ()):
        if gate["name"] not in there:
            detail = f"only deletion is allowed, but found new scheduling gate '{gate['name']}'"
            yield forbidden_field(f"spec.schedulingGates[{i}].name", detail)


def _node_choice(after: Json, before: Json) -> Errors:
    """A gated pod may become more particular about its node, not less."""
    wanted = after.get("nodeSelector") or {}
    for key, value in (before.get("nodeSelector") or {}).items():
        if wanted.get(key) != value:
            detail = "only additions to spec.nodeSelector are allowed (no mutations or deletions)"
            yield invalid_value("spec.nodeSelector", wanted, detail)
    old, new = (_node_terms(spec) for spec in (before, after))
    field = f"spec.affinity.nodeAffinity.{NODE_TERMS}.nodeSelectorTerms"
    if old and len(old) != len(new):
        detail = "no additions/deletions to non-empty NodeSelectorTerms list are allowed"
        yield invalid_value(field, new, detail)
        return
    for i, (term, was) in enumerate(zip(new, old, strict=False)):
        if not _only_added(term, was):
            yield invalid_value(f"{field}[{i}]", term, ADDITIONS)


def _node_terms(spec: Json) -> Sequence[Json]:
    affinity = (spec.get("affinity") or {}).get("nodeAffinity") or {}
    terms: Sequence[Json] = (affinity.get(NODE_TERMS) or {}).get("nodeSelectorTerms") or ()
    return terms


def _only_added(term: Json, was: Json) -> bool:
    parts = ("matchExpressions", "matchFields")
    if not any(was.get(part) for part in parts):
        return not any(term.get(part) for part in parts)
    return all(
        list(term.get(part) or ())[: len(was.get(part) or ())] == list(was.get(part) or ())
        for part in parts
    )


def _fixed(spec: Json, *, gated: bool) -> dict[str, Any]:
    """The part of a pod's spec that may not change."""
    fixed = {name: value for name, value in spec.items() if name not in FREE}
    for group in ("initContainers", "containers"):
        if fixed.get(group):
            fixed[group] = [{**container, "image": ""} for container in fixed[group]]
    if gated:
        fixed.pop("nodeSelector", None)
        affinity = {k: v for k, v in (spec.get("affinity") or {}).items() if k != "nodeAffinity"}
        fixed["affinity"] = affinity
    return fixed


def ephemeral_containers(new: Json, old: Json | None) -> list[FieldError]:
    """`ephemeralcontainers`: they are added, and stay as they are."""
    there = {item["name"]: item for item in new["spec"].get("ephemeralContainers") or ()}
    errors = []
    for item in ((old or {}).get("spec") or {}).get("ephemeralContainers") or ():
        name = item["name"]
        if there.get(name) != item:
            what = "changed" if name in there else "removed"
            detail = f'existing ephemeral containers "{name}" may not be {what}\n'
            errors.append(forbidden_field("spec.ephemeralContainers", detail))
    return errors


def resize(new: Json, old: Json | None) -> list[FieldError]:
    """`resize`: cpu and memory may change, as long as the class of service stays."""
    if old is None:
        return []
    after, before = new["spec"], old["spec"]
    if (before.get("os") or {}).get("name") == "windows":
        return [forbidden_field("", "windows pods cannot be resized")]
    if MIRROR in (old["metadata"].get("annotations") or {}):
        return [forbidden_field("", "static pods cannot be resized")]
    errors = list(_order(after, before))
    if errors:
        return errors
    if qos_class(after) != (old.get("status") or {}).get("qosClass", qos_class(before)):
        detail = "Pod QOS Class may not change as a result of resizing"
        errors.append(invalid_value("spec", (new.get("status") or {}).get("qosClass"), detail))
    errors += _taken_away(after, before)
    if not errors and _resized(after) != _resized(before):
        errors.append(forbidden_field("spec", "only cpu and memory resources are mutable"))
    return errors


def _order(after: Json, before: Json) -> Errors:
    for group in ("containers", "initContainers"):
        was, now = ([item["name"] for item in spec.get(group) or ()] for spec in (before, after))
        if len(was) != len(now):
            detail = f"{group} may not be added or removed on resize"
            yield forbidden_field(f"spec.{group}", detail)
            continue
        for i, name in enumerate(was):
            if now[i] != name:
                detail = f"{group} may not be renamed or reordered on resize"
                yield forbidden_field(f"spec.{group}[{i}].name", detail)


def _taken_away(after: Json, before: Json) -> Errors:
    if before.get("resources") and not after.get("resources"):
        yield forbidden_field("spec.resources", "pod-level resources cannot be removed")
        return
    for path, was, now in _asking(after, before):
        for part, noun in (("requests", "resource requests"), ("limits", "resource limits")):
            if set(was.get(part) or ()) - set(now.get(part) or ()):
                level = "pod-level " * (path == "spec.resources")
                yield forbidden_field(f"{path}.{part}", f"{level}{noun} cannot be removed")


def _asking(after: Json, before: Json) -> list[tuple[str, Json, Json]]:
    found = [("spec.resources", before.get("resources") or {}, after.get("resources") or {})]
    for group in ("initContainers", "containers"):
        pairs = zip(before.get(group) or (), after.get(group) or (), strict=True)
        for i, (was, now) in enumerate(pairs):
            resources = (was.get("resources") or {}, now.get("resources") or {})
            found.append((f"spec.{group}[{i}].resources", *resources))
    return found


def _resized(spec: Json) -> dict[str, Any]:
    """The spec without what a resize may change."""
    plain = {**spec, "resources": _beside_resizable(spec.get("resources") or {})}
    for group in ("initContainers", "containers"):
        plain[group] = [_plain(container) for container in spec.get(group) or ()]
    return plain


def _plain(container: Json) -> Json:
    restarts = any(
        policy["restartPolicy"] == "RestartContainer"
        for policy in container.get("resizePolicy") or ()
    )
    if restarts and "restartPolicy" in container and not is_sidecar(container):
        return container
    return {**container, "resources": _beside_resizable(container.get("resources") or {})}


def _beside_resizable(resources: Json) -> Json:
    parts = {
        part: {k: v for k, v in (resources.get(part) or {}).items() if k not in RESIZABLE}
        for part in ("requests", "limits")
    }
    return {**resources, **parts}
