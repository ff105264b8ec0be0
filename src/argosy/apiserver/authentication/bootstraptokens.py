"""Bootstrap tokens: secrets in `kube-system` with which a machine makes itself known.

A token is `ID.SECRET`; the secret `bootstrap-token-ID` says whether it is good, until when, what
for, and which groups its bearer is in. Source: Kubernetes' "Authenticating with Bootstrap Tokens".
"""

import hmac
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import msgspec

from argosy.api.resources.core import SECRET
from argosy.apiserver.authentication.tokens import AUDIENCES, Identity, authenticated, shared
from argosy.apiserver.request import User
from argosy.base.clock import Clock, parse_timestamp
from argosy.store.interface import Record

TYPE: Final = "bootstrap.kubernetes.io/token"
NAMESPACE: Final = "kube-system"
TOKEN: Final = re.compile(r"([a-z0-9]{6})\.([a-z0-9]{16})")
GROUP: Final = "system:bootstrappers"
EXTRA_GROUP: Final = re.compile(r"system:bootstrappers:[a-z0-9:-]{0,255}[a-z0-9]")
MOMENT: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")


class _Meta(msgspec.Struct, frozen=True):
    deletionTimestamp: str | None = None


class _Secret(msgspec.Struct, frozen=True):
    metadata: _Meta
    type: str = ""
    data: dict[str, bytes] | None = None


@dataclass(frozen=True, slots=True)
class BootstrapTokens:
    """Reads them; `look` finds the secrets."""

    look: Callable[[str], Record | None]
    clock: Clock

    def identify(self, token: str, digest: bytes, audiences: tuple[str, ...]) -> Identity | None:
        """Who bears the token. Upstream tells nobody why one is not good; neither does this."""
        match = TOKEN.fullmatch(token)
        meant = shared(AUDIENCES, audiences)
        if match is None or not meant:
            return None
        data = self._data(match[1])
        if not hmac.compare_digest(data.get("token-secret", b""), match[2].encode()):
            return None
        if data.get("token-id") != match[1].encode() or self._expired(data):
            return None
        groups = _groups(data.get("auth-extra-groups", b""))
        if data.get("usage-bootstrap-authentication") != b"true" or groups is None:
            return None
        return Identity(authenticated(User(f"system:bootstrap:{match[1]}", groups)), meant)

    def _data(self, name: str) -> dict[str, bytes]:
        """What the secret holds, if it is there, to stay, and of the right type."""
        record = self.look(SECRET.key(NAMESPACE, f"bootstrap-token-{name}"))
        if record is None:
            return {}
        try:
            secret = msgspec.json.decode(record.value, type=_Secret)
        except msgspec.DecodeError:
            return {}
        gone = secret.metadata.deletionTimestamp is not None
        return {} if gone or secret.type != TYPE else secret.data or {}

    def _expired(self, data: dict[str, bytes]) -> bool:
        """What cannot be read is over."""
        text = data.get("expiration", b"").decode(errors="replace")
        if not text:
            return False
        try:
            return MOMENT.fullmatch(text) is None or parse_timestamp(text) <= self.clock.now()
        except ValueError:
            return True


def _groups(extra: bytes) -> tuple[str, ...] | None:
    """The groups, sorted; None where one is not for bootstrap tokens to give."""
    more = extra.decode(errors="replace").split(",") if extra else []
    if not all(EXTRA_GROUP.fullmatch(group) for group in more):
        return None
    return tuple(sorted({GROUP, *more}))
