"""Who asks, told to an extension server: in headers that a certificate makes credible.

The certificate is of a CA of its own, which signs nothing else: whoever trusts it for these headers
trusts no other client of the cluster with them. Source: kube-apiserver's authenticating proxy, and
kubeadm's names for the files.
"""

import string
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from threading import Lock
from typing import Final

from argosy.apiserver.request import User
from argosy.base.clock import Clock
from argosy.http.tls import Certificates, ensure_client

CA: Final = "front-proxy-ca"
NAME: Final = "front-proxy-client"
"""What the certificate is called, also as a subject."""
USER: Final = "x-remote-user"
GROUP: Final = "x-remote-group"
UID: Final = "x-remote-uid"
EXTRA: Final = "x-remote-extra-"
AGGREGATOR: Final = User("system:kube-aggregator", ("system:masters",))
"""Who this server itself is, to the others."""
LOOK: Final = timedelta(hours=1)
"""So often it is seen to that the certificate still lasts."""

_LEFT: Final = ("authorization", "connection", "proxy-authorization", "host", USER, GROUP, UID)
_LEFT_ALL: Final = (EXTRA, "impersonate-")
_TOKEN: Final = frozenset(string.ascii_letters + string.digits + "!#$&'*+-.^_`|~")


@dataclass(slots=True)
class ProxyCertificate:
    """The certificate in `folder`, made when it is first asked for. `edition` tells of new ones."""

    folder: Path
    clock: Clock
    edition: int = 0
    _alone: Lock = field(default_factory=Lock, repr=False)
    _made: Certificates | None = None
    _since: datetime | None = None
    _shown: bytes = field(default=b"", repr=False)

    def certificates(self) -> Certificates:
        """The CA's certificate, and the files. Raises OSError where the folder can't be written."""
        with self._alone:
            return self._renewed(self.clock.now())

    def _renewed(self, now: datetime) -> Certificates:
        if self._made is None or self._since is None or not timedelta() <= now - self._since < LOOK:
            made = ensure_client(self.folder, CA, NAME, now)
            shown = made.cert_file.read_bytes()
            self.edition += shown != self._shown
            self._made, self._since, self._shown = made, now, shown
        return self._made


def identity(user: User) -> list[tuple[str, str]]:
    """The headers that tell of `user`."""
    found = [(USER, user.name)]
    if user.uid:
        found.append((UID, user.uid))
    found += [(GROUP, group) for group in user.groups]
    for key, values in user.extra.items():
        found += [(EXTRA + escaped(key), value) for value in values]
    return [(name, value.encode().decode("latin-1")) for name, value in found]


def escaped(key: str) -> str:
    """`key`, as a header may be called: everything else as `%` and two digits."""
    return "".join(_escape(key.lower()))


def _escape(key: str) -> Iterator[str]:
    for letter in key:
        if letter in _TOKEN:
            yield letter
        else:
            yield from (f"%{byte:02X}" for byte in letter.encode())


def passed_on(headers: Mapping[str, str]) -> dict[str, str]:
    """What an extension server may see of a client's headers: no credentials, and no claims.

    Nor what belongs to the client's own connection. Names with `_` count as with `-`: some servers
    read them as the same.
    """
    named = {name.strip().lower() for name in headers.get("connection", "").split(",")}
    return {name: value for name, value in headers.items() if not _left(name, named)}


def _left(name: str, named: Collection[str]) -> bool:
    plain = name.lower().replace("_", "-")
    return plain in _LEFT or name.lower() in named or plain.startswith(_LEFT_ALL)
