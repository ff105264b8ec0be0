"""All roles and bindings, arranged so that a decision looks only at what concerns whoever asks.

Bindings are found by namespace, then by user or group, then by the role that they grant: who has
one role by many bindings is asked about it once. A role's rules are found by resource. With 10,000
bindings a decision takes a few microseconds.
"""

from dataclasses import dataclass, field

from argosy.security.rbac.objects import (
    CLUSTER_ROLE,
    GROUP,
    BindingObject,
    PolicyRule,
    Question,
    RoleObject,
    Subject,
    SubjectRef,
    quoted,
)

Named = tuple[str, str]
"""Namespace and name; cluster roles and their bindings have no namespace."""
NO_RULES: tuple[PolicyRule, ...] = ()


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether it is allowed, by which binding, and what could not be looked up."""

    allowed: bool
    reason: str = ""


REFUSED = Verdict(False)


class Role:
    """The rules of a role, by resource."""

    __slots__ = ("by_resource", "of_paths", "rules")

    def __init__(self, rules: tuple[PolicyRule, ...]) -> None:
        self.rules = rules
        self.of_paths = tuple(rule for rule in rules if rule.paths)
        by_resource: dict[str, list[PolicyRule]] = {}
        for rule in rules:
            for resource in dict.fromkeys(rule.resources or ()):
                by_resource.setdefault(resource, []).append(rule)
        self.by_resource = {key: tuple(found) for key, found in by_resource.items()}

    def allows(self, asked: Question, resources: tuple[str, ...]) -> bool:
        """Whether a rule covers what is asked; `resources` are the names that it goes by."""
        if asked.path is not None:
            return any(rule.allows(asked) for rule in self.of_paths)
        for resource in resources:
            for rule in self.by_resource.get(resource, NO_RULES):
                if rule.allows(asked):
                    return True
        return False


Grants = dict[Named, dict[str, str]]
"""By role: the bindings by name, and what is said of each where it is the reason."""


@dataclass(slots=True)
class Scope:
    """To whom the bindings of one namespace, or of the cluster, grant which roles."""

    users: dict[str, Grants] = field(default_factory=dict)
    groups: dict[str, Grants] = field(default_factory=dict)

    def of(self, user: Subject) -> list[Grants]:
        """What is granted to the user, and to their groups."""
        found = [self.groups[group] for group in user.groups if group in self.groups]
        own = self.users.get(user.name)
        return found if own is None else [own, *found]


class Policy:
    """Who may do what. It is changed object by object, as the objects change."""

    def __init__(self) -> None:
        self._roles: dict[Named, Role] = {}
        self._bindings: dict[Named, BindingObject] = {}
        self._scopes: dict[str, Scope] = {}

    def set_role(self, named: Named, role: RoleObject) -> None:
        """A role as it is now."""
        self._roles[named] = Role(role.rules or ())

    def drop_role(self, named: Named) -> None:
        """A role is gone."""
        self._roles.pop(named, None)

    def set_binding(self, named: Named, binding: BindingObject) -> None:
        """A binding as it is now."""
        self.drop_binding(named)
        self._bindings[named] = binding
        namespace, name = named
        role = _granted(namespace, binding)
        scope = self._scopes.setdefault(namespace, Scope())
        for subject in binding.subjects or ():
            if (place := _place(scope, subject, namespace)) is not None:
                table, who = place
                grants = table.setdefault(who, {}).setdefault(role, {})
                grants.setdefault(name, _told(named, binding, subject))

    def drop_binding(self, named: Named) -> None:
        """A binding is gone."""
        binding = self._bindings.pop(named, None)
        if binding is None:
            return
        namespace, name = named
        scope = self._scopes.get(namespace)
        if scope is None:  # no binding of the namespace has subjects
            return
        for subject in binding.subjects or ():
            if (place := _place(scope, subject, namespace)) is not None:
                _forget(*place, _granted(namespace, binding), name)
        if not scope.users and not scope.groups:
            del self._scopes[namespace]

    def role_rules(self, named: Named) -> tuple[PolicyRule, ...] | None:
        """The rules of a role; None where there is no such role."""
        role = self._roles.get(named)
        return None if role is None else role.rules

    def decide(self, asked: Question) -> Verdict:
        """Whether a binding allows it. What a binding names and is not there is told."""
        missing: list[Named] = []
        resources = resources_of(asked)
        for grants in self._grants(asked.user, "" if asked.path is not None else asked.namespace):
            for named, bindings in grants.items():
                role = self._roles.get(named)
                if role is None:
                    missing += [named] * len(bindings)
                elif role.allows(asked, resources):
                    why = next(iter(bindings.values()))
                    return Verdict(True, f"RBAC: allowed by {why}")
        return Verdict(False, f"RBAC: {absences(missing)}") if missing else REFUSED

    def rules_for(self, user: Subject, namespace: str) -> tuple[list[PolicyRule], list[Named]]:
        """All rules that apply to the user there, and the roles that are missing."""
        rules: list[PolicyRule] = []
        missing: list[Named] = []
        for grants in self._grants(user, namespace):
            for named in grants:
                role = self._roles.get(named)
                if role is None:
                    missing.append(named)
                else:
                    rules += role.rules
        return rules, missing

    def _grants(self, user: Subject, namespace: str) -> list[Grants]:
        found = self._scopes[""].of(user) if "" in self._scopes else []
        if namespace and namespace in self._scopes:
            found += self._scopes[namespace].of(user)
        return found


def absences(missing: list[Named]) -> str:
    """What is said of roles that are not there."""
    texts = list(dict.fromkeys(absence(named) for named in missing))
    return texts[0] if len(texts) == 1 else f"[{', '.join(texts)}]"


def absence(named: Named) -> str:
    """What is said of a role that is not there."""
    kind = "role" if named[0] else "clusterrole"
    return f"{kind}.{GROUP} {quoted(named[1])} not found"


def resources_of(asked: Question) -> tuple[str, ...]:
    """The names by which a rule may mean what is asked for."""
    if asked.subresource:
        return (f"{asked.resource}/{asked.subresource}", "*", f"*/{asked.subresource}")
    return (asked.resource, "*")


def _granted(namespace: str, binding: BindingObject) -> Named:
    return ("" if binding.role.kind == CLUSTER_ROLE else namespace, binding.role.name)


def _place(
    scope: Scope, subject: SubjectRef, namespace: str
) -> tuple[dict[str, Grants], str] | None:
    if subject.kind == "User":
        return scope.users, subject.name
    if subject.kind == "Group":
        return scope.groups, subject.name
    home = subject.namespace or namespace
    if subject.kind != "ServiceAccount" or not home:
        return None
    return scope.users, f"system:serviceaccount:{home}:{subject.name}"


def _forget(table: dict[str, Grants], who: str, role: Named, name: str) -> None:
    """Take one binding out; what is empty then goes too. A subject may be listed twice."""
    grants = table.get(who, {})
    bindings = grants.get(role, {})
    bindings.pop(name, None)
    if not bindings:
        grants.pop(role, None)
    if not grants:
        table.pop(who, None)


def _told(named: Named, binding: BindingObject, subject: SubjectRef) -> str:
    namespace, name = named
    kind, shown = (
        ("RoleBinding", f"{name}/{namespace}")
        if namespace
        else (
            "ClusterRoleBinding",
            name,
        )
    )
    who = subject.name
    if subject.kind == "ServiceAccount":
        who = f"{who}/{subject.namespace or namespace}"
    role = f"{binding.role.kind} {quoted(binding.role.name)}"
    return f"{kind} {quoted(shown)} of {role} to {subject.kind} {quoted(who)}"
