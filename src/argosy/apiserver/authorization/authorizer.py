"""Who says yes: `system:masters` may do all, others what every cluster lets everybody do.

`authorize` is asked about each request before its verb, about impersonation, and by the access
reviews; `rules_of` tells somebody what they may do. Roles and bindings are to be read here. What
is granted below is what upstream's default roles and bindings grant to these groups.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from argosy.apiserver.authorization.attributes import Attributes, refusal
from argosy.apiserver.request import User

MASTERS = "system:masters"
AUTHENTICATED = "system:authenticated"
UNAUTHENTICATED = "system:unauthenticated"
HEALTH = ("/healthz", "/livez", "/readyz", "/version", "/version/")
DISCOVERY = ("/api", "/api/*", "/apis", "/apis/*", "/openapi", "/openapi/*")
METRICS = ("/livez/*", "/metrics", "/metrics/slis", "/readyz/*", "/healthz/*")
ISSUER = ("/.well-known/openid-configuration", "/.well-known/openid-configuration/")
KEYS = ("/openid/v1/jwks", "/openid/v1/jwks/")


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether it is allowed, and why or why not, where there is something to say."""

    allowed: bool
    reason: str = ""


ALLOWED = Decision(True)
REFUSED = Decision(False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """Verbs on resources of API groups, or on paths that are no resources."""

    verbs: tuple[str, ...]
    groups: tuple[str, ...] = ()
    resources: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()

    def allows(self, asked: Attributes) -> bool:
        """Whether it covers what is asked."""
        if not _among(asked.verb, self.verbs):
            return False
        if asked.path is not None:
            return any(_covers(path, asked.path) for path in self.paths)
        return _among(asked.group, self.groups) and _among(asked.whole_resource, self.resources)


GRANTS: tuple[tuple[str, Rule], ...] = (
    (MASTERS, Rule(verbs=("*",), groups=("*",), resources=("*",))),
    (MASTERS, Rule(verbs=("*",), paths=("*",))),
    (
        AUTHENTICATED,
        Rule(
            verbs=("create",),
            groups=("authorization.k8s.io",),
            resources=("selfsubjectaccessreviews", "selfsubjectrulesreviews"),
        ),
    ),
    (
        AUTHENTICATED,
        Rule(
            verbs=("create",), groups=("authentication.k8s.io",), resources=("selfsubjectreviews",)
        ),
    ),
    (AUTHENTICATED, Rule(verbs=("get",), paths=(*DISCOVERY, *HEALTH))),
    (UNAUTHENTICATED, Rule(verbs=("get",), paths=HEALTH)),
    ("system:monitoring", Rule(verbs=("get",), paths=(*HEALTH[:3], *METRICS))),
    ("system:serviceaccounts", Rule(verbs=("get",), paths=(*ISSUER, *KEYS))),
)
"""What each group may do."""


@dataclass(frozen=True, slots=True)
class Authorizer:
    """Decides by groups alone."""

    grants: tuple[tuple[str, Rule], ...] = GRANTS

    def authorize(self, asked: Attributes) -> Decision:
        """Whether the user may do what they ask for."""
        if is_master(asked.user):
            return ALLOWED
        allowed = any(rule.allows(asked) for rule in self.rules_of(asked.user))
        return ALLOWED if allowed else REFUSED

    def demand(self, asked: Attributes) -> None:
        """Raises StatusError 403 where it is not allowed."""
        decision = self.authorize(asked)
        if not decision.allowed:
            raise refusal(asked, decision.reason)

    def rules_of(self, user: User) -> Iterator[Rule]:
        """All that the user may do, in any namespace."""
        return (rule for group, rule in self.grants if group in user.groups)


def is_master(user: User) -> bool:
    """Whether the user may do all: asked before anything is found out about their request."""
    return MASTERS in user.groups


def _among(wanted: str, known: tuple[str, ...]) -> bool:
    return wanted in known or "*" in known


def _covers(pattern: str, path: str) -> bool:
    return path.startswith(pattern[:-1]) if pattern.endswith("*") else path == pattern
