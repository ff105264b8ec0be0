"""Which flow schema a request belongs to: the first, by precedence, one of whose rules it matches.

Rules are found by their subjects, and what was decided is remembered: schemas may have thousands of
rules, and a client asks for the same again and again. Source: `rule.go` of apiserver's
`util/flowcontrol`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from argosy.apiserver.authorization.attributes import Attributes
from argosy.apiserver.flowcontrol.objects import FlowSchema, PathRule, ResourceRule, Rule, Subject
from argosy.apiserver.request import User

EVERY = "*"
ACCOUNT = "system:serviceaccount:"
MOST_REMEMBERED = 4096
_Who = tuple[str, str]


@dataclass(frozen=True, slots=True)
class _Asked:
    """A resource rule with sets to look into."""

    verbs: frozenset[str] | None  # None: any
    groups: frozenset[str] | None
    resources: frozenset[str] | None
    namespaces: frozenset[str] | None
    cluster: bool

    def matches(self, asked: Attributes) -> bool:
        """Whether it is about this request."""
        return (
            (self.verbs is None or asked.verb in self.verbs)
            and (self.resources is None or asked.whole_resource in self.resources)
            and (self.groups is None or asked.group in self.groups)
            and self._where(asked.namespace)
        )

    def _where(self, namespace: str) -> bool:
        if not namespace:
            return self.cluster
        return self.namespaces is None or namespace in self.namespaces


@dataclass(frozen=True, slots=True)
class _Path:
    """A rule about other paths."""

    verbs: frozenset[str] | None
    paths: frozenset[str]
    prefixes: tuple[str, ...]

    def matches(self, verb: str, path: str) -> bool:
        """Whether it is about this request."""
        if self.verbs is not None and verb not in self.verbs:
            return False
        return EVERY in self.paths or path in self.paths or path.startswith(self.prefixes)


@dataclass(frozen=True, slots=True)
class _Rules:
    """What one rule says of its subjects, who share it."""

    resources: tuple[_Asked, ...]
    paths: tuple[_Path, ...]

    def match(self, asked: Attributes) -> bool:
        """Whether one of them is about this request."""
        path = asked.path
        if path is None:
            return any(rule.matches(asked) for rule in self.resources)
        return any(rule.matches(asked.verb, path) for rule in self.paths)


class Schema:
    """A flow schema that can be asked."""

    def __init__(self, schema: FlowSchema) -> None:
        self.name = schema.metadata.name
        self.uid = schema.metadata.uid
        self.precedence = schema.spec.matching_precedence
        self.level = schema.spec.priority_level_configuration.name
        method = schema.spec.distinguisher_method
        self._method = method.type if method is not None else ""
        self._by_subject: dict[_Who, list[_Rules]] = {}
        for rule in schema.spec.rules:
            self._add(rule)

    def matches(self, asked: Attributes, who: Sequence[_Who]) -> bool:
        """Whether the request, of somebody who is `who`, belongs here."""
        by_subject = self._by_subject
        return any(rules.match(asked) for one in who for rules in by_subject.get(one, ()))

    def flow(self, asked: Attributes) -> str:
        """What tells this request's flow from others of the schema."""
        if self._method == "ByUser":
            return asked.user.name
        return asked.namespace if self._method == "ByNamespace" else ""

    def _add(self, rule: Rule) -> None:
        rules = _Rules(
            tuple(map(_asked, rule.resource_rules)), tuple(map(_path, rule.non_resource_rules))
        )
        for subject in dict.fromkeys(map(_subject, rule.subjects)):
            if subject is not None:
                self._by_subject.setdefault(subject, []).append(rules)


class Classifier:
    """Schemas in their order; the last takes what no other does."""

    def __init__(self, schemas: Sequence[Schema]) -> None:
        self._schemas = sorted(schemas, key=lambda one: (one.precedence, one.name))
        self._known: dict[tuple[object, ...], Schema] = {}

    def schema(self, asked: Attributes) -> Schema:
        """Where the request belongs."""
        user = asked.user
        key = (
            *(user.name, user.groups, asked.verb, asked.group, asked.resource),
            *(asked.subresource, asked.namespace, asked.path),
        )
        found = self._known.get(key)
        if found is None:
            who = tuple(subjects_of(user))
            schemas = self._schemas
            found = next((one for one in schemas if one.matches(asked, who)), schemas[-1])
            if len(self._known) >= MOST_REMEMBERED:
                self._known.clear()
            self._known[key] = found
        return found


def subjects_of(user: User) -> Iterator[_Who]:
    """All that a rule may call the user."""
    yield ("user", user.name)
    yield ("user", EVERY)
    for group in user.groups:
        yield ("group", group)
    yield ("group", EVERY)
    if user.name.startswith(ACCOUNT):
        namespace, _, _ = user.name.removeprefix(ACCOUNT).partition(":")
        yield ("account", user.name.removeprefix(ACCOUNT))
        yield ("account", f"{namespace}:{EVERY}")


def _subject(subject: Subject) -> _Who | None:
    if subject.kind == "User" and subject.user is not None:
        return ("user", subject.user.name)
    if subject.kind == "Group" and subject.group is not None:
        return ("group", subject.group.name)
    account = subject.service_account
    if subject.kind == "ServiceAccount" and account is not None:
        return ("account", f"{account.namespace}:{account.name}")
    return None


def _asked(rule: ResourceRule) -> _Asked:
    return _Asked(
        verbs=_chosen(rule.verbs),
        groups=_chosen(rule.api_groups),
        resources=_chosen(rule.resources),
        namespaces=_chosen(rule.namespaces),
        cluster=rule.cluster_scope,
    )


def _path(rule: PathRule) -> _Path:
    """`/a`, and `/a/*`, are also what lies below."""
    urls = rule.non_resource_urls
    prefixes = {f"{url.removesuffix('*').removesuffix('/')}/" for url in urls if url != EVERY}
    return _Path(_chosen(rule.verbs), frozenset(urls), tuple(sorted(prefixes)))


def _chosen(names: Sequence[str]) -> frozenset[str] | None:
    """None where any will do; the wildcard stands alone."""
    return None if list(names) == [EVERY] else frozenset(names)
