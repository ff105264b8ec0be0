"""Reads an `EncryptionConfiguration`: which resources are sealed on the disk, and by which keys.

The rules and their words are kube-apiserver's (apiserver.config.k8s.io/v1). Of the providers `kms`
has its own module (`kms.configuration`), which is read when there is one. No message ever shows a
key's secret.
"""

import binascii
import hashlib
from base64 import b64decode
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, cast

import yaml

from argosy.base.clock import Clock, SystemClock
from argosy.base.errors import FieldError, invalid_value, required
from argosy.store.ciphers import Cbc, Gcm, Secretbox
from argosy.store.sealing import MARK, PLAIN, Cipher, Lock, Sealing

API_VERSION = "apiserver.config.k8s.io/v1"
KIND = "EncryptionConfiguration"
PROVIDERS = ("kms", "aesgcm", "aescbc", "secretbox", "identity")
CIPHERS: Mapping[str, Callable[[bytes], Cipher]] = {
    "aesgcm": Gcm,
    "aescbc": Cbc,
    "secretbox": Secretbox,
}
SIZES = {"aesgcm": (16, 24, 32), "aescbc": (16, 24, 32), "secretbox": (32,)}
_WITHOUT_API = ("apiserveripinfo", "serviceipallocations", "servicenodeportallocations")
_HINT = "see Kubernetes' documentation, “Encrypting Confidential Data at Rest”, for its form"

Json = Mapping[str, Any]


class EncryptionConfigError(Exception):
    """The file can't be used; the text says why, `hint` what would help."""

    def __init__(self, message: str, hint: str = _HINT) -> None:
        super().__init__(message)
        self.hint = hint


def read(file: Path, clock: Clock | None = None) -> Sealing:
    """What the configuration in `file` asks for. Raises EncryptionConfigError.

    By `clock` keys of plugins age.
    """
    what = called(file)
    try:
        text = file.read_bytes()
    except OSError as error:
        hint = "name a file that this user may read with --encryption-provider-config"
        raise EncryptionConfigError(f"error reading {what}: {error.strerror}", hint) from None
    return understood(text, what, clock)


def called(file: Path) -> str:
    """The file, as messages name it."""
    return f"encryption provider configuration file {str(file)!r}"


def understood(text: bytes, what: str, clock: Clock | None = None) -> Sealing:
    """What a configuration's text, which was read from `what`, asks for.

    Raises EncryptionConfigError.
    """
    if not text.strip():
        raise EncryptionConfigError(f"{what} is empty")
    try:
        sealing = parse(yaml.safe_load(text), clock)
        sealing.source = source_of(text)
        return sealing
    except yaml.YAMLError as error:
        place = getattr(error, "problem_mark", None)  # the text near it may be a secret
        where = f" at line {place.line + 1}" if place else ""
        raise EncryptionConfigError(f"error decoding {what}: no YAML{where}") from None
    except EncryptionConfigError as error:
        raise EncryptionConfigError(f"error decoding {what}: {error}", error.hint) from None


def source_of(text: bytes) -> bytes:
    """What tells one text from another."""
    return hashlib.sha256(text).digest()


def parse(config: object, clock: Clock | None = None) -> Sealing:
    """What a configuration asks for. Raises EncryptionConfigError."""
    if not isinstance(config, dict) or (config.get("apiVersion"), config.get("kind")) != (
        API_VERSION,
        KIND,
    ):
        raise EncryptionConfigError(f"it is no {KIND} of {API_VERSION}")
    if errors := list(_faults(config)):
        raise EncryptionConfigError("; ".join(map(str, errors)))
    return Sealing(_locks(config, clock or SystemClock()))


def _faults(config: Json) -> Iterator[FieldError]:
    yield from _unknown(config, "", ("apiVersion", "kind", "resources"))
    entries = config.get("resources")
    if not isinstance(entries, list) or not entries:
        yield required("resources", "at least one resources is required")
        return
    names: list[str] = []
    for index, entry in enumerate(entries):
        path = f"resources[{index}]"
        if not isinstance(entry, dict):
            yield required(path, "resources and providers")
            continue
        yield from _unknown(entry, path, ("resources", "providers"))
        yield from _resource_faults(entry.get("resources"), f"{path}.resources")
        yield from _provider_faults(entry.get("providers"), f"{path}.providers", names)


def _unknown(found: Json, path: str, known: tuple[str, ...]) -> Iterator[FieldError]:
    for name in found:
        if name not in known:
            field = f"{path}.{name}" if path else str(name)
            yield FieldError("FieldValueInvalid", field, "unknown field")


def _resource_faults(names: object, path: str) -> Iterator[FieldError]:
    if not isinstance(names, list) or not names or not all(isinstance(n, str) for n in names):
        yield required(path, f"at least one {path} is required")
        return
    if len(set(names)) < len(names):
        detail = "the same resource cannot be specified multiple times"
        yield invalid_value(path, names, detail)
    if _overlap(sorted({_qualified(name) for name in names})):
        yield invalid_value(
            path,
            names,
            "using overlapping resources such as 'secrets' and '*.' in the same resource list is "
            "not allowed as they will be masked",
        )
    for index, name in enumerate(names):
        if detail := _name_fault(name):
            yield invalid_value(f"{path}[{index}]", name, detail)


def _overlap(names: list[str]) -> bool:
    groups = [name.partition(".")[2] for name in names]
    if "*.*" in names and len(names) > 1:
        return True
    return any(name[:2] == "*." and groups.count(name[2:]) > 1 for name in names)


def _name_fault(name: str) -> str:
    plural, _, group = name.partition(".")
    if name.lower() != name:
        return "resource name should not contain capital letters"
    if name == "*":
        return (
            "use '*.' to encrypt all the resources from core API group or *.* to encrypt all "
            "resources"
        )
    if name in _WITHOUT_API:
        return "resources which do not have REST API/s cannot be encrypted"
    if group == "events.k8s.io":
        return (
            "'*.events.k8s.io' objects are stored using the 'events' API group in etcd. Use "
            "'events' instead in the config file"
        )
    if group == "extensions":
        return "'extensions' group has been removed and cannot be used for encryption"
    if group == "*" and plural != "*":
        return "encrypting the same resource across groups is not supported"
    return ""


def _provider_faults(providers: object, path: str, names: list[str]) -> Iterator[FieldError]:
    """`names` are those of plugins, which are unique in the whole file."""
    if not isinstance(providers, list) or not providers:
        yield required(path, f"at least one {path} is required")
        return
    for index, provider in enumerate(providers):
        field = f"{path}[{index}]"
        found = [name for name in PROVIDERS if isinstance(provider, dict) and name in provider]
        if isinstance(provider, dict):
            yield from _unknown(provider, field, PROVIDERS)
        if len(found) != 1:
            yield FieldError("FieldValueInvalid", field, _SEVERAL if found else _NONE)
        elif found[0] == "kms":
            from argosy.store.kms.configuration import faults

            yield from faults(provider["kms"], f"{field}.kms", names)
        elif found[0] != "identity":
            sizes = SIZES[found[0]]
            yield from _key_faults(provider[found[0]], f"{field}.{found[0]}", sizes)


_NONE = (
    "Invalid value: provider does not contain any of the expected providers: KMS, AESGCM, AESCBC, "
    "Secretbox, Identity"
)
_SEVERAL = (
    "Invalid value: more than one provider specified in a single element, should split into "
    "different list elements"
)


def _key_faults(provider: object, path: str, sizes: tuple[int, ...]) -> Iterator[FieldError]:
    keys = provider.get("keys") if isinstance(provider, dict) else None
    if isinstance(provider, dict):
        yield from _unknown(provider, path, ("keys",))
    if not isinstance(keys, list) or not keys:
        yield required(f"{path}.keys", "at least one keys is required")
        return
    for index, key in enumerate(keys):
        field = f"{path}.keys[{index}]"
        given = key if isinstance(key, dict) else {}
        yield from _unknown(given, field, ("name", "secret"))
        name = given.get("name")
        if not isinstance(name, str) or not name:
            yield required(f"{field}.name", "name is a mandatory field for a key")
        yield from _secret_faults(given.get("secret"), f"{field}.secret", sizes)


def _secret_faults(secret: object, path: str, sizes: tuple[int, ...]) -> Iterator[FieldError]:
    if not isinstance(secret, str) or not secret:
        yield required(path, "secret is a mandatory field for a key")
        return
    try:
        size = len(b64decode(secret, validate=True))
    except (binascii.Error, ValueError):
        yield invalid_value(path, "REDACTED", "secrets must be base64 encoded")
        return
    if size not in sizes:
        shown = " ".join(map(str, sizes))
        detail = f"secret is not of the expected length, got {size}, expected one of [{shown}]"
        yield invalid_value(path, "REDACTED", detail)


def _locks(config: Json, clock: Clock) -> dict[str, tuple[Lock, ...]]:
    found: dict[str, tuple[Lock, ...]] = {}
    for entry in config["resources"]:
        locks = tuple(lock for item in entry["providers"] for lock in _of_provider(item, clock))
        for name in map(_qualified, entry["resources"]):
            for earlier in (f"*.{name.partition('.')[2]}", "*.*"):
                if earlier in found:
                    shown = f"{name.removesuffix('.')!r} is masked by earlier rule {earlier!r}"
                    raise EncryptionConfigError(f"resource {shown}")
            found[name] = (*found.get(name, ()), *locks)
    return found


def _qualified(name: str) -> str:
    return name if "." in name else f"{name}."


def _of_provider(provider: Json, clock: Clock) -> Iterator[Lock]:
    (name,) = (name for name in PROVIDERS if name in provider)
    if name == "identity":
        yield from PLAIN
        return
    if name == "kms":
        from argosy.store.kms.configuration import provider as kms

        remote = kms(provider["kms"], clock)
        yield Lock(MARK + f"kms:v2:{remote.name}:".encode(), remote, remote)
        return
    for key in cast(Json, provider[name])["keys"]:
        prefix = MARK + f"{name}:v1:{key['name']}:".encode()
        yield Lock(prefix, CIPHERS[name](b64decode(key["secret"])))
