"""A proxy in front of this server says who asks, in headers such as `X-Remote-User`.

It is believed only where it shows a certificate of the one authority that is for this (and, where
there are such, with one of the allowed names); TLS has verified that it has the key. From anybody
else the headers are no more than text, and nobody behind this server gets to see them.
Source: Kubernetes' "Authenticating", authenticating proxy.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import unquote

from argosy.apiserver.authentication.certificates import ClientCertificates
from argosy.apiserver.authentication.impersonation import PREFIX as IMPERSONATING
from argosy.apiserver.authentication.tokens import authenticated
from argosy.apiserver.request import User
from argosy.http.message import Request

STANDARD: Final = frozenset({"x-remote-user", "x-remote-uid", "x-remote-group"})
STANDARD_EXTRA: Final = "x-remote-extra-"
_HINT: Final = "x-remote-"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProxyRules:
    """Which headers say what, in lower case, and who may send them (empty: any of the authority).

    `authority` is its certificates, PEM.
    """

    authority: bytes
    names: frozenset[str] = frozenset()
    username: tuple[str, ...] = ()
    uid: tuple[str, ...] = ()
    group: tuple[str, ...] = ()
    extra: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FrontProxy:
    """Reads them. `certificates` are those of the authority's clients."""

    rules: ProxyRules
    certificates: ClientCertificates

    def user(self, request: Request, shown: bytes) -> User | None:
        """Whom the proxy names; None where it is no proxy, or names nobody."""
        proxy = self.certificates.user(shown)
        names = self.rules.names
        if proxy is None or (names and proxy.name not in names):
            return None
        name = self._first(request, self.rules.username)
        if not name:
            return None
        groups = tuple(
            _text(value) for header in self.rules.group for value in request.values(header) if value
        )
        uid = self._first(request, self.rules.uid)
        return authenticated(User(name, groups, uid, dict(self._extra(request))))

    def _first(self, request: Request, names: tuple[str, ...]) -> str:
        for name in names:
            if values := request.values(name):
                if values[0]:
                    return _text(values[0])
        return ""

    def _extra(self, request: Request) -> Iterator[tuple[str, tuple[str, ...]]]:
        found: dict[str, tuple[str, ...]] = {}
        for prefix in self.rules.extra:
            for header in request.headers:
                if header.startswith(prefix):
                    key = unquote(header.removeprefix(prefix)).lower()
                    values = tuple(map(_text, request.values(header)))
                    found[key] = (*found.get(key, ()), *values)
        yield from found.items()


@dataclass(frozen=True, slots=True)
class Claims:
    """Headers by which a request says who asks, and which nobody else shall read."""

    names: frozenset[str] = STANDARD
    prefixes: tuple[str, ...] = (STANDARD_EXTRA, IMPERSONATING)
    hints: tuple[str, ...] = (_HINT, IMPERSONATING)

    @classmethod
    def of(cls, rules: ProxyRules) -> "Claims":
        """Those of a proxy too."""
        names = STANDARD.union(rules.username, rules.uid, rules.group)
        prefixes = (STANDARD_EXTRA, IMPERSONATING, *rules.extra)
        return cls(names, prefixes, ("",))

    def without(self, request: Request) -> Request:
        """The request without them."""
        named = " ".join(request.headers)
        for hint in self.hints:  # asked of every request: most have none
            if hint in named:
                return self._stripped(request)
        return request

    def _stripped(self, request: Request) -> Request:
        kept: Mapping[str, str] = {
            name: text
            for name, text in request.headers.items()
            if name not in self.names and not name.startswith(self.prefixes)
        }
        if len(kept) == len(request.headers):
            return request
        return replace(request, headers=kept, repeated=None)


def _text(value: str) -> str:
    """Headers arrive byte by byte; names are UTF-8."""
    try:
        return value.encode("latin-1").decode()
    except UnicodeError:
        return value
