"""What is in the volumes that the API server fills: configMap, secret, downwardAPI, projected.

Nothing is written here. Files and their modes come out, and `atomic` makes a volume of them.
Source: the kubelet's plugins of these names.
"""

import base64
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from argosy.api.core import ConfigMap, Pod, Secret
from argosy.api.volumes import (
    ConfigMapVolume,
    DownwardVolume,
    KeyToPath,
    ProjectedVolume,
    Projection,
    SecretVolume,
)
from argosy.client.client import Client
from argosy.node.atomic import File
from argosy.node.environment import downward_value
from argosy.node.tokens import PodTokens

Body = Mapping[str, Any]
Found = dict[str, File]


@dataclass(frozen=True)
class Contents:
    """Reads what volumes shall hold. All raise ValueError for what is not there."""

    client: Client
    tokens: PodTokens

    async def config_map(self, pod: Pod, body: Body) -> Found:
        """The keys of a ConfigMap."""
        wish = msgspec.convert(body, ConfigMapVolume)
        return await self._of_map(pod, wish, wish.default_mode)

    async def secret(self, pod: Pod, body: Body) -> Found:
        """The keys of a Secret."""
        return await self._of_secret(pod, msgspec.convert(body, SecretVolume))

    async def downward_api(self, pod: Pod, body: Body) -> Found:
        """Fields of the pod."""
        wish = msgspec.convert(body, DownwardVolume)
        return _fields(pod, wish, wish.default_mode)

    async def projected(self, pod: Pod, body: Body) -> Found:
        """All of these, and tokens; of two files with one path the later."""
        wish = msgspec.convert(body, ProjectedVolume)
        found: Found = {}
        faults: dict[str, None] = {}
        for source in wish.sources:
            try:
                found |= await self._part(pod, source, wish.default_mode)
            except ValueError as error:
                faults[str(error)] = None
        if faults:
            raise ValueError(next(iter(faults)) if len(faults) == 1 else f"[{', '.join(faults)}]")
        return found

    async def _part(self, pod: Pod, source: Projection, mode: int) -> Found:
        if (token := source.service_account_token) is not None:
            text = await self.tokens.token(pod, token)
            return {token.path: File(text.encode(), mode)}
        if source.config_map is not None:
            return await self._of_map(pod, source.config_map, mode)
        if (part := source.secret) is not None:
            whole = SecretVolume(
                secret_name=part.name,
                items=part.items,
                optional=part.optional,
                default_mode=mode,
            )
            return await self._of_secret(pod, whole)
        if source.downward_api is not None:
            return _fields(pod, source.downward_api, mode)
        return {}

    async def _of_map(self, pod: Pod, wish: ConfigMapVolume, mode: int) -> Found:
        known = await self.client.find(ConfigMap, wish.name, pod.metadata.namespace)
        if known is None and not wish.optional:
            raise ValueError(f'configmap "{wish.name}" not found')
        known = known or ConfigMap()
        data = {key: text.encode() for key, text in known.data.items()}
        data |= {key: base64.b64decode(text) for key, text in known.binary_data.items()}
        missing = "" if wish.optional else "configmap references non-existent config key: "
        return _chosen(data, wish.items, mode, missing)

    async def _of_secret(self, pod: Pod, wish: SecretVolume) -> Found:
        name = wish.secret_name
        known = await self.client.find(Secret, name, pod.metadata.namespace)
        if known is None and not wish.optional:
            raise ValueError(f'secret "{name}" not found')
        known = known or Secret()
        data = {key: base64.b64decode(text) for key, text in known.data.items()}
        missing = "" if wish.optional else "references non-existent secret key: "
        return _chosen(data, wish.items, wish.default_mode, missing)


def _chosen(
    data: Mapping[str, bytes], items: Iterable[KeyToPath], mode: int, missing: str
) -> Found:
    """The files of all keys, or of those that are named; `missing` begins what a fault says."""
    if not items:
        return {key: File(content, mode) for key, content in data.items()}
    found = {}
    for item in items:
        if item.key in data:
            own = mode if item.mode is None else item.mode
            found[item.path] = File(data[item.key], own)
        elif missing:
            raise ValueError(f"{missing}{item.key}")
    return found


def _fields(pod: Pod, wish: DownwardVolume, mode: int) -> Found:
    found = {}
    for item in wish.items:
        value = downward_value(item.field_ref.field_path, pod) if item.field_ref else None
        if value is None:  # `admit` refuses these
            raise ValueError(f"{item.path!r} is of no field that this node knows")
        found[item.path] = File(value.encode(), mode if item.mode is None else item.mode)
    return found


CONTENTS: Mapping[str, Callable[[Contents, Pod, Body], Awaitable[Found]]] = {
    "configMap": Contents.config_map,
    "downwardAPI": Contents.downward_api,
    "projected": Contents.projected,
    "secret": Contents.secret,
}
"""By what a volume says that it is."""
