"""A container's variables: where their values come from, and `$(NAME)` in them.

Source: Kubernetes' "Define Environment Variables for a Container" and the expansion rules of
`command` and `args`.
"""

import re
from collections.abc import Mapping

from argosy.api.core import ConfigMap, Container, KeyRef, Pod
from argosy.node.refusal import Refusal

_REFERENCE = re.compile(r"\$(?:\$|\(([^()]*)\))")
_SUBSCRIPT = re.compile(r"metadata\.(labels|annotations)\['([^']+)'\]")


def expand(text: str, variables: Mapping[str, str]) -> str:
    """`$(NAME)` becomes its value, `$$` a dollar; a name that isn't known stays as it is."""

    def replacement(match: re.Match[str]) -> str:
        return "$" if match[0] == "$$" else variables.get(match[1], match[0])

    return _REFERENCE.sub(replacement, text)


def field_values(pod: Pod, *, pod_ip: str, host_ip: str) -> dict[str, str]:
    """The fields that a `fieldRef` can name, apart from single labels and annotations."""
    return {
        "metadata.name": pod.metadata.name,
        "metadata.namespace": pod.metadata.namespace,
        "metadata.uid": pod.metadata.uid,
        "spec.nodeName": pod.spec.node_name,
        "status.hostIP": host_ip,
        "status.podIP": pod_ip,
        "status.podIPs": pod_ip,
    }


def field_value(path: str, pod: Pod, values: Mapping[str, str]) -> str | None:
    """The value of a `fieldRef`; None for a path that is not supported."""
    if subscript := _SUBSCRIPT.fullmatch(path):
        meta = pod.metadata
        entries = meta.labels if subscript[1] == "labels" else meta.annotations
        return entries.get(subscript[2], "")
    return values.get(path)


def config_maps(container: Container) -> set[str]:
    """The ConfigMaps that the variables need."""
    sources = (variable.value_from for variable in container.env)
    return {s.config_map_key_ref.name for s in sources if s and s.config_map_key_ref}


def environment(
    container: Container,
    pod: Pod,
    values: Mapping[str, str],
    maps: Mapping[str, ConfigMap | None],
) -> dict[str, str]:
    """The container's variables in their order. Raises Refusal for a value that isn't there."""
    found: dict[str, str] = {}
    for variable in container.env:
        source = variable.value_from
        if source is None:
            found[variable.name] = expand(variable.value, found)
        elif source.field_ref is not None:
            found[variable.name] = field_value(source.field_ref.field_path, pod, values) or ""
        elif source.config_map_key_ref is not None:
            value = _key(source.config_map_key_ref, maps)
            if value is not None:
                found[variable.name] = value
    return found


def _key(ref: KeyRef, maps: Mapping[str, ConfigMap | None]) -> str | None:
    known = maps.get(ref.name)
    if known is not None and ref.key in known.data:
        return known.data[ref.key]
    if ref.optional:
        return None
    missing = f'configmap "{ref.name}" not found'
    if known is not None:
        missing = f"couldn't find key {ref.key} in ConfigMap {known.metadata.namespace}/{ref.name}"
    raise Refusal("CreateContainerConfigError", missing)
