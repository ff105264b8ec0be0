"""Acting as somebody else: the headers `Impersonate-User`, `-Group`, `-Uid` and `-Extra-…`.

Whoever asks must be allowed to impersonate each of the things that are named, and is from then on
that user and no other. Source: Kubernetes' "User impersonation". Where the gate
`ConstrainedImpersonation` is open, what the headers name is judged by `constrained` instead.

A header that is there several times arrives as one, its values joined by a comma and a space, so a
group whose name has these in it is read as two; each must be allowed by itself.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import unquote

from argosy.api.names import label_faults, subdomain_faults
from argosy.apiserver.authentication.accounts import account_groups, split_username
from argosy.apiserver.authentication.tokens import ANONYMOUS
from argosy.apiserver.authorization.attributes import Attributes
from argosy.apiserver.request import User
from argosy.base.errors import bad_request

PREFIX = "impersonate-"
_EXTRA = "impersonate-extra-"
_GROUP = "authentication.k8s.io"
_AUTHENTICATED = "system:authenticated"
_UNAUTHENTICATED = "system:unauthenticated"


@dataclass(frozen=True, slots=True)
class _Named:
    """One thing that the headers name, as the attributes of a request to impersonate it."""

    kind: str
    resource: str
    name: str
    namespace: str = ""
    group: str = ""
    key: str = ""  # of an extra

    def __str__(self) -> str:
        """As Go prints an object reference."""
        version = f"{self.group}/v1" if self.group else ""
        parts = (self.kind, self.namespace, self.name, "", version, "", self.key)
        return f"{{{' '.join(parts)}}}"

    def attributes(self, user: User) -> Attributes:
        """What `user` asks for with it."""
        return Attributes(
            user=user,
            verb="impersonate",
            group=self.group,
            version="v1" if self.group else "",
            resource=self.resource,
            subresource=self.key,
            namespace=self.namespace,
            name=self.name,
        )


def concerns(headers: Mapping[str, str]) -> bool:
    """Whether any header asks for it."""
    return PREFIX in " ".join(headers)


def named_user(headers: Mapping[str, str]) -> User | None:
    """All that the headers name, as it is named; None where they name nothing."""
    named = list(_named(headers))
    if not named:
        return None
    extra: dict[str, tuple[str, ...]] = {}
    for item in named:
        if item.kind == "UserExtra":
            extra[item.key] = (*extra.get(item.key, ()), item.name)
    name = _text(headers.get("impersonate-user", ""))
    groups = tuple(item.name for item in named if item.kind == "Group")
    return User(name, groups, _text(headers.get("impersonate-uid", "")), extra)


def impersonated(
    user: User, headers: Mapping[str, str], demand: Callable[[Attributes], None]
) -> User:
    """Whom `user` acts as. `demand` raises StatusError 403 for what is not allowed.

    Raises StatusError 400 for headers that name no user.
    """
    named = list(_named(headers))
    if named and named[0].kind not in ("User", "ServiceAccount"):
        shown = " ".join(map(str, named))
        raise bad_request(f"requested [{shown}] without impersonating a user")
    for item in named:
        demand(item.attributes(user))
    return _user(named) if named else user


def _named(headers: Mapping[str, str]) -> Iterator[_Named]:
    """All that the headers name, the user first."""
    if user := _text(headers.get("impersonate-user", "")):
        yield _asked_user(user)
    for group in _values(headers.get("impersonate-group")):
        yield _Named("Group", "groups", group)
    for header, value in headers.items():
        if header.startswith(_EXTRA):
            key = unquote(header.removeprefix(_EXTRA)).lower()
            for item in _values(value):
                yield _Named("UserExtra", "userextras", item, group=_GROUP, key=key)
    if uid := _text(headers.get("impersonate-uid", "")):
        yield _Named("UID", "uids", uid, group=_GROUP)


def _asked_user(name: str) -> _Named:
    account = split_username(name)
    if account is None or label_faults(account[0]) or subdomain_faults(account[1]):
        return _Named("User", "users", name)
    return _Named("ServiceAccount", "serviceaccounts", account[1], account[0])


def _values(header: str | None) -> list[str]:
    return [] if header is None else [_text(value) for value in header.split(", ")]


def _text(value: str) -> str:
    """Headers arrive byte by byte; names are UTF-8."""
    try:
        return value.encode("latin-1").decode()
    except UnicodeError:
        return value


def _user(named: list[_Named]) -> User:
    first = named[0]
    name = first.name
    groups = [item.name for item in named if item.kind == "Group"]
    if first.namespace:
        name = f"system:serviceaccount:{first.namespace}:{first.name}"
        groups = groups or list(account_groups(first.namespace))
    if name == ANONYMOUS.name:
        groups += [_UNAUTHENTICATED] * (_UNAUTHENTICATED not in groups)
    elif not {_AUTHENTICATED, _UNAUTHENTICATED} & set(groups):
        groups.append(_AUTHENTICATED)
    extra: dict[str, tuple[str, ...]] = {}
    for item in named:
        if item.kind == "UserExtra":
            extra[item.key] = (*extra.get(item.key, ()), item.name)
    uid = next((item.name for item in named if item.kind == "UID"), "")
    return User(name, tuple(groups), uid, extra)
