"""Views of a pod's volumes, as the node reads them; the pod itself keeps them plain."""

from typing import Any

import msgspec

from argosy.api.core import FieldRef
from argosy.api.meta import View


class KeyToPath(View, frozen=True, kw_only=True):
    """One key of a ConfigMap or Secret as a file."""

    key: str
    path: str
    mode: int | None = None


class ConfigMapVolume(View, frozen=True, kw_only=True):
    """A ConfigMap as files."""

    name: str = ""
    items: tuple[KeyToPath, ...] = ()
    optional: bool = False
    default_mode: int = 0o644


class SecretVolume(View, frozen=True, kw_only=True):
    """A Secret as files."""

    secret_name: str = ""
    items: tuple[KeyToPath, ...] = ()
    optional: bool = False
    default_mode: int = 0o644


class FieldFile(View, frozen=True, kw_only=True):
    """A field of the pod itself as a file."""

    path: str
    field_ref: FieldRef | None = None
    resource_field_ref: dict[str, Any] | None = None
    mode: int | None = None


class DownwardVolume(View, frozen=True, kw_only=True):
    """Fields of the pod itself as files."""

    items: tuple[FieldFile, ...] = ()
    default_mode: int = 0o644


class SecretProjection(View, frozen=True, kw_only=True):
    """A Secret as part of a volume."""

    name: str = ""
    items: tuple[KeyToPath, ...] = ()
    optional: bool = False


class TokenProjection(View, frozen=True, kw_only=True):
    """A token of the pod's account as a file of a volume; it is good for so many seconds."""

    path: str
    audience: str = ""
    expiration_seconds: int = 60 * 60


class Projection(View, frozen=True, kw_only=True):
    """One part of a volume: one of these."""

    service_account_token: TokenProjection | None = None
    config_map: ConfigMapVolume | None = None
    secret: SecretProjection | None = None
    downward_api: DownwardVolume | None = msgspec.field(name="downwardAPI", default=None)


class ProjectedVolume(View, frozen=True, kw_only=True):
    """Several sources as the files of one volume."""

    sources: tuple[Projection, ...] = ()
    default_mode: int = 0o644


class ClaimVolume(View, frozen=True, kw_only=True):
    """A persistent volume claim."""

    claim_name: str
    read_only: bool = False


class HostPathVolume(View, frozen=True, kw_only=True):
    """A path of the node itself."""

    path: str
    type: str = ""
