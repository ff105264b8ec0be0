"""What an `EncryptionConfiguration` says of a provider of kind `kms`; the words are upstream's."""

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from argosy.api.cel.values import CelError, parse_duration
from argosy.base.clock import Clock
from argosy.base.errors import FieldError, invalid_value, required
from argosy.store.kms.plugin import Plugin
from argosy.store.kms.provider import Provider

KNOWN = ("apiVersion", "name", "cachesize", "endpoint", "timeout")
TIMEOUT = "3s"
Json = Mapping[str, Any]


def provider(config: Json, clock: Clock) -> Provider:
    """The provider; `config` has no faults."""
    return Provider(config["name"], Plugin(config["endpoint"], _seconds(config), clock), clock)


def faults(config: object, path: str, names: list[str]) -> Iterator[FieldError]:
    """What is wrong; `names` are those of the providers before it, and its own is added."""
    given = config if isinstance(config, dict) else {}
    yield from (
        FieldError("FieldValueInvalid", f"{path}.{name}", "unknown field")
        for name in given
        if name not in KNOWN
    )
    yield from _name_faults(given.get("name"), f"{path}.name", names)
    if _seconds(given) <= 0:
        detail = "timeout should be a positive value"
        yield invalid_value(f"{path}.timeout", given.get("timeout"), detail)
    yield from _endpoint_faults(given.get("endpoint"), f"{path}.endpoint")
    if given.get("cachesize") is not None:
        detail = "cachesize is not supported in v2"
        yield invalid_value(f"{path}.cachesize", given["cachesize"], detail)
    yield from _version_faults(given.get("apiVersion") or "v1", f"{path}.apiVersion")


def _name_faults(name: object, path: str, names: list[str]) -> Iterator[FieldError]:
    if not isinstance(name, str) or not name:
        yield required(path, "name is a mandatory field for a provider")
        return
    if ":" in name:
        detail = f"invalid KMS provider name {name}, must not contain ':'"
        yield invalid_value(path, name, detail)
    if name in names:
        detail = f"duplicate KMS provider name {name}, names must be unique"
        yield invalid_value(path, name, detail)
    names.append(name)


def _endpoint_faults(endpoint: object, path: str) -> Iterator[FieldError]:
    if not isinstance(endpoint, str) or not endpoint:
        yield invalid_value(path, "", "endpoint is a mandatory field for a kms")
        return
    try:
        scheme = urlsplit(endpoint).scheme
    except ValueError as error:
        detail = f"invalid endpoint for kms provider, error: {error}"
        yield invalid_value(path, endpoint, detail)
        return
    if scheme != "unix":
        detail = f'unsupported scheme "{scheme}" for KMS provider, only unix is supported'
        yield invalid_value(path, endpoint, detail)


def _version_faults(version: object, path: str) -> Iterator[FieldError]:
    if version == "v1":
        detail = "KMSv1 is deprecated and not supported here. Use KMSv2 instead (apiVersion: v2)"
        yield invalid_value(path, version, detail)
    elif version != "v2":
        detail = "unsupported apiVersion for KMS provider, only v2 is supported"
        yield invalid_value(path, version, detail)


def _seconds(config: Json) -> float:
    """The timeout; 0 where it is none."""
    text = config.get("timeout")
    try:
        return parse_duration(TIMEOUT if text is None else str(text)).ns / 1e9
    except CelError:
        return 0.0
