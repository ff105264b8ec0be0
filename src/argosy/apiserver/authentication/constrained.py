"""Constrained impersonation: acting as somebody else, but only to do this.

The same headers as ever (see `impersonation`) are tried in modes, the narrowest first. In each
whoever asks must be allowed `impersonate:MODE` on each thing that is named, and
`impersonate-on:MODE:VERB` on what is asked for. Last comes what `impersonate` has always allowed.
Source: KEP-5284.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from argosy.api.names import label_faults, subdomain_faults
from argosy.apiserver.audit import notes
from argosy.apiserver.authentication.accounts import account_groups, split_username
from argosy.apiserver.authentication.extrakeys import prefixed_path_faults
from argosy.apiserver.authentication.tokens import ANONYMOUS, AUTHENTICATED, UNAUTHENTICATED
from argosy.apiserver.authorization.attributes import Attributes, refusal
from argosy.apiserver.authorization.authorizer import MASTERS
from argosy.apiserver.request import User
from argosy.base.errors import StatusError, bad_request

AUTHENTICATION: Final = "authentication.k8s.io"
NODE: Final = "system:node:"
NODES: Final = "system:nodes"
NODE_NAME: Final = "authentication.kubernetes.io/node-name"
ASSOCIATED: Final = "authentication.kubernetes.io/associated-node-keys"
MANY: Final = 4
"""So many groups, or extras, are first asked about at once, by `*`."""

Demand = Callable[[Attributes], None]
"""Raises StatusError 403."""


@dataclass(frozen=True, slots=True)
class Mode:
    """A way to impersonate, and for whom it is; `on` it is asked what is done by it."""

    verb: str
    fits: Callable[[User, User], bool]
    on: str = ""


def acting(wanted: User, asked: Attributes, demand: Demand) -> User:
    """Whom the user of `asked` becomes, who named `wanted`. Raises StatusError 400, 403."""
    if not wanted.name:
        raise bad_request(f"requested {_shown(wanted)} without impersonating a user name")
    first: StatusError | None = None
    for mode in MODES:
        if not mode.fits(wanted, asked.user):
            continue
        try:
            user = _tried(mode, wanted, asked, demand)
        except StatusError as error:
            first = first or error
            continue
        notes.constrained(mode.verb if mode.on else "")
        return user
    assert first is not None  # the last mode fits all
    raise first


def _tried(mode: Mode, wanted: User, asked: Attributes, demand: Demand) -> User:
    if mode is ASSOCIATED_NODE:
        asked = replace(asked, user=_without_extra(asked.user))
    if mode.on:
        demand(replace(asked, verb=f"impersonate-on:{mode.on}:{asked.verb}"))
    for attributes in _named(mode, wanted, asked.user):
        demand(attributes)
    _groups_allowed(mode, wanted, asked.user, demand)
    _extra_allowed(mode, wanted, asked.user, demand)
    return _user(mode, wanted)


def _named(mode: Mode, wanted: User, user: User) -> Iterator[Attributes]:
    """The user, and the uid."""
    name, namespace, resource = wanted.name, "", "users"
    node = node_of(wanted.name) if mode.on else ""
    if node:
        name, resource = ("*" if mode is ASSOCIATED_NODE else node), "nodes"
    elif account := account_of(wanted.name):
        (namespace, name), resource = account, "serviceaccounts"
    yield replace(_attributes(mode, user, resource, name), namespace=namespace)
    if wanted.uid:
        uid = _attributes(mode, user, "uids", wanted.uid)
        yield replace(uid, group=AUTHENTICATION)


def _groups_allowed(mode: Mode, wanted: User, user: User, demand: Demand) -> None:
    groups = wanted.groups
    if mode.on and "" in groups:
        text = "impersonating the empty string group is not allowed"
        raise refusal(_attributes(mode, user, "groups", ""), text)
    if mode.on and MASTERS in groups:
        text = "impersonating the system:masters group is not allowed"
        raise refusal(_attributes(mode, user, "groups", MASTERS), text)
    if mode.on and len(groups) >= MANY:
        if _allowed(_attributes(mode, user, "groups", "*"), demand):
            return
    for group in groups:
        demand(_attributes(mode, user, "groups", group))


def _extra_allowed(mode: Mode, wanted: User, user: User, demand: Demand) -> None:
    extra = wanted.extra
    about = replace(_attributes(mode, user, "userextras", ""), group=AUTHENTICATION)
    if mode.on:
        for key, values in extra.items():
            if text := _extra_fault(key, values):
                raise refusal(about, text)
        many = len(extra) >= MANY or sum(map(len, extra.values())) >= MANY
        if many and _allowed(replace(about, subresource="*", name="*"), demand):
            return
    for key, values in extra.items():
        for value in values:
            demand(replace(about, subresource=key, name=value))


def _extra_fault(key: str, values: Sequence[str]) -> str:
    if not key:
        return "impersonating the empty string key in extra is not allowed"
    if wrong := list(prefixed_path_faults(key, "extra.key")):
        shown = ", ".join(map(str, wrong))
        return f"impersonating an invalid key in extra is not allowed: {shown}"
    return "" if all(values) else "impersonating the empty string value in extra is not allowed"


def _attributes(mode: Mode, user: User, resource: str, name: str) -> Attributes:
    """Users and groups are resources of the core in what has always been there."""
    group = AUTHENTICATION if mode.on else ""
    return Attributes(
        user=user, verb=mode.verb, group=group, version="v1", resource=resource, name=name
    )


def _allowed(asked: Attributes, demand: Demand) -> bool:
    try:
        demand(asked)
    except StatusError:
        return False
    return True


def _user(mode: Mode, wanted: User) -> User:
    """With the groups that nobody can choose."""
    groups = wanted.groups
    if mode.on and node_of(wanted.name):
        groups = (NODES,)
    elif not groups and (account := account_of(wanted.name)):
        groups = tuple(account_groups(account[0]))
    if wanted.name == ANONYMOUS.name:
        more = UNAUTHENTICATED
    else:
        more = "" if UNAUTHENTICATED in groups else AUTHENTICATED
    return replace(wanted, groups=groups if more in ("", *groups) else (*groups, more))


def _without_extra(user: User) -> User:
    """What an associated node's account is judged by: not by which node it is."""
    return replace(user, extra={ASSOCIATED: tuple(sorted(user.extra))})


def node_of(name: str) -> str:
    """The node whose user this is; empty for others."""
    node = name.removeprefix(NODE)
    return node if name.startswith(NODE) and not subdomain_faults(node) else ""


def account_of(name: str) -> tuple[str, str] | None:
    """Namespace and name of the service account whose user this is."""
    account = split_username(name)
    if account is None or label_faults(account[0]) or subdomain_faults(account[1]):
        return None
    return account


def _bare(wanted: User) -> bool:
    """A name, and nothing else."""
    return not (wanted.uid or wanted.groups or wanted.extra)


def _associated(wanted: User, user: User) -> bool:
    """A service account's pod, and the node that it is on."""
    node = node_of(wanted.name)
    bound = user.extra.get(NODE_NAME, ())
    return bool(node) and _bare(wanted) and account_of(user.name) is not None and bound == (node,)


def _node(wanted: User, _user: User) -> bool:
    return _bare(wanted) and bool(node_of(wanted.name))


def _account(wanted: User, _user: User) -> bool:
    return _bare(wanted) and account_of(wanted.name) is not None


def _other(wanted: User, _user: User) -> bool:
    return not node_of(wanted.name) and account_of(wanted.name) is None


def _anybody(_wanted: User, _user: User) -> bool:
    return True


def _mode(name: str, fits: Callable[[User, User], bool]) -> Mode:
    return Mode(f"impersonate:{name}", fits, name)


ASSOCIATED_NODE: Final = _mode("associated-node", _associated)
MODES: Final = (
    ASSOCIATED_NODE,
    _mode("arbitrary-node", _node),
    _mode("serviceaccount", _account),
    _mode("user-info", _other),
    Mode("impersonate", _anybody),
)


def _shown(wanted: User) -> str:
    """As Go prints it."""
    groups = ", ".join(f'"{group}"' for group in wanted.groups)
    listed = f"[]string{{{groups}}}" if wanted.groups else "[]string(nil)"
    extra = "map[string][]string"
    entries = ", ".join(
        '"{}":[]string{{{}}}'.format(key, ", ".join(f'"{value}"' for value in values))
        for key, values in sorted(wanted.extra.items())
    )
    shown = f"{extra}{{{entries}}}" if wanted.extra else f"{extra}(nil)"
    return f'&user.DefaultInfo{{Name:"", UID:"{wanted.uid}", Groups:{listed}, Extra:{shown}}}'
