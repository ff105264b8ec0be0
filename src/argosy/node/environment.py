"""A container's variables: where their values come from, and `$(NAME)` in them.

Source: Kubernetes' "Define Environment Variables for a Container" and the expansion rules of
`command` and `args`.
"""

import base64
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from argosy.api.core import ConfigMap, Container, EnvFrom, EnvSource, KeyRef, Pod, Secret
from argosy.node.refusal import Refusal

_REFERENCE = re.compile(r"\$(?:\$|\(([^()]*)\))")
_SUBSCRIPT = re.compile(r"metadata\.(labels|annotations)\['([^']+)'\]")


@dataclass(frozen=True, slots=True)
class Known:
    """The ConfigMaps and Secrets that variables name; None for one that is not there."""

    maps: Mapping[str, ConfigMap | None] = field(default_factory=dict)
    secrets: Mapping[str, Secret | None] = field(default_factory=dict, repr=False)


def expand(text: str, variables: Mapping[str, str]) -> str:
    """`$(NAME)` becomes its value, `$$` a dollar; a name that isn't known stays as it is."""

    def replacement(match: re.Match[str]) -> str:
        return "$" if match[0] == "$$" else variables.get(match[1], match[0])

    return _REFERENCE.sub(replacement, text)


def api_variables(url: str) -> dict[str, str]:
    """Where a pod finds the API server, in the variables of the Service `kubernetes`.

    The address is the server's own: addresses of services lead nowhere from here.
    """
    parts = urlsplit(url)
    host, port = parts.hostname or "", str(parts.port or 443)
    shown = f"tcp://[{host}]:{port}" if ":" in host else f"tcp://{host}:{port}"
    entry = f"KUBERNETES_PORT_{port}_TCP"
    return {
        "KUBERNETES_SERVICE_HOST": host,
        "KUBERNETES_SERVICE_PORT": port,
        "KUBERNETES_SERVICE_PORT_HTTPS": port,
        "KUBERNETES_PORT": shown,
        entry: shown,
        f"{entry}_PROTO": "tcp",
        f"{entry}_PORT": port,
        f"{entry}_ADDR": host,
    }


def field_values(pod: Pod, *, pod_ip: str, host_ip: str) -> dict[str, str]:
    """The fields that a `fieldRef` can name, apart from single labels and annotations."""
    return {
        "metadata.name": pod.metadata.name,
        "metadata.namespace": pod.metadata.namespace,
        "metadata.uid": pod.metadata.uid,
        "spec.nodeName": pod.spec.node_name,
        "spec.serviceAccountName": pod.spec.service_account_name,
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


def downward_value(path: str, pod: Pod) -> str | None:
    """The content of a file of a field; None for a path that is not supported."""
    meta = pod.metadata
    values = {
        "metadata.annotations": _listed(meta.annotations),
        "metadata.labels": _listed(meta.labels),
        "metadata.name": meta.name,
        "metadata.namespace": meta.namespace,
        "metadata.uid": meta.uid,
    }
    return field_value(path, pod, values)


def _listed(entries: Mapping[str, str]) -> str:
    """A line each, quoted as Go does it."""
    lines = (f"{key}={json.dumps(entries[key], ensure_ascii=False)}" for key in sorted(entries))
    return "\n".join(lines)


def config_maps(container: Container) -> set[str]:
    """The ConfigMaps that the variables need."""
    single = {s.config_map_key_ref.name for s in _sources(container) if s.config_map_key_ref}
    return single | {s.config_map_ref.name for s in container.env_from if s.config_map_ref}


def secrets(container: Container) -> set[str]:
    """The Secrets that the variables need."""
    single = {s.secret_key_ref.name for s in _sources(container) if s.secret_key_ref}
    return single | {s.secret_ref.name for s in container.env_from if s.secret_ref}


def _sources(container: Container) -> Iterator[EnvSource]:
    return (variable.value_from for variable in container.env if variable.value_from)


def environment(
    container: Container,
    pod: Pod,
    values: Mapping[str, str],
    known: Known,
    given: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """The container's variables in their order, those of whole objects first.

    `given` are there anyhow: values may name them, and may stand in their place. Raises Refusal for
    a value that isn't there.
    """
    found: dict[str, str] = dict(given or {})
    for source in container.env_from:
        found |= _whole(source, known)
    for variable in container.env:
        if variable.value_from is None:
            found[variable.name] = expand(variable.value, found)
            continue
        value = _value(variable.value_from, pod, values, known)
        if value is not None:
            found[variable.name] = value
    return found


def _value(source: EnvSource, pod: Pod, values: Mapping[str, str], known: Known) -> str | None:
    if source.field_ref is not None:
        return field_value(source.field_ref.field_path, pod, values) or ""
    if (ref := source.config_map_key_ref) is not None:
        found = known.maps.get(ref.name)
        return _key(ref, None if found is None else found.data, f"ConfigMap {_place(pod, ref)}")
    if (ref := source.secret_key_ref) is not None:
        secret = known.secrets.get(ref.name)
        value = _key(ref, None if secret is None else secret.data, f"Secret {_place(pod, ref)}")
        return None if value is None else _text(value, ref.key, ref.name)
    return None


def _place(pod: Pod, ref: KeyRef) -> str:
    return f"{pod.metadata.namespace}/{ref.name}"


def _key(ref: KeyRef, data: Mapping[str, str] | None, place: str) -> str | None:
    if data is not None and ref.key in data:
        return data[ref.key]
    if ref.optional:
        return None
    if data is not None:
        raise _refusal(f"couldn't find key {ref.key} in {place}")
    raise _refusal(f'{place.partition(" ")[0].lower()} "{ref.name}" not found')


def _whole(source: EnvFrom, known: Known) -> dict[str, str]:
    """All keys of one object, each with the prefix."""
    if (ref := source.config_map_ref) is not None:
        found = known.maps.get(ref.name)
        if found is None and not ref.optional:
            raise _refusal(f'configmap "{ref.name}" not found')
        data = {} if found is None else found.data
        return {source.prefix + key: data[key] for key in sorted(data)}
    if (ref := source.secret_ref) is not None:
        secret = known.secrets.get(ref.name)
        if secret is None and not ref.optional:
            raise _refusal(f'secret "{ref.name}" not found')
        data = {} if secret is None else secret.data
        return {source.prefix + key: _text(data[key], key, ref.name) for key in sorted(data)}
    return {}


def _text(value: str, key: str, name: str) -> str:
    """What a Secret holds as base64."""
    try:
        return base64.b64decode(value).decode()
    except UnicodeDecodeError:
        raise _refusal(f'key {key} of secret "{name}" is no text, as a variable must be') from None


def _refusal(text: str) -> Refusal:
    return Refusal("CreateContainerConfigError", text)
