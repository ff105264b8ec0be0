"""Nobody grants what they don't hold: neither by writing a role nor by binding one.

Whoever writes a role must hold all its rules there, or be allowed to `escalate` it; whoever binds
one must hold its rules, or be allowed to `bind` it. An aggregated role can gather anything, so it
needs all rights. Source: kube-apiserver's policy-based RBAC storage, which asks before the object
is validated; here it is asked afterwards, when nothing changes the object any more.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from argosy.api.resources.access import CLUSTER_ROLE, CLUSTER_ROLE_BINDING, RBAC, ROLE, ROLE_BINDING
from argosy.apiserver.admission.rule import Attributes
from argosy.apiserver.authorization import attributes as access
from argosy.apiserver.authorization.authorizer import is_master
from argosy.apiserver.authorization.roles import Roles
from argosy.base.errors import StatusError, not_found
from argosy.security.rbac.cover import TooManyError, lacking, told
from argosy.security.rbac.objects import PolicyRule, listed, quoted
from argosy.security.rbac.policy import Named, absences

Json = dict[str, Any]
RESOURCES = frozenset(
    one.qualified for one in (CLUSTER_ROLE, CLUSTER_ROLE_BINDING, ROLE, ROLE_BINDING)
)
_ROLES = (CLUSTER_ROLE.plural, ROLE.plural)
_COLLECTED = ("ownerReferences", "finalizers", "selfLink", "managedFields", "resourceVersion")
"""What the garbage collector writes, or the server itself."""
_EVERYTHING = (
    PolicyRule(("*",), ("*",), ("*",)),
    PolicyRule(verbs=("*",), paths=("*",)),
)
_TOO_MANY = "the role has too many permissions to compare them one by one"


@dataclass(frozen=True, slots=True)
class NoEscalation:
    """The rule, by the roles as they are."""

    roles: Roles

    def __call__(self, attributes: Attributes) -> None:
        """Refuse to grant what whoever asks does not hold."""
        if is_master(attributes.user) or _only_collected(attributes):
            return
        if attributes.target.served.resource.plural in _ROLES:
            self._role(attributes)
        else:
            self._binding(attributes)

    def _role(self, attributes: Attributes) -> None:
        target = attributes.target
        if _may(attributes, "escalate", target.served.resource.plural, target.name):
            return
        rules = msgspec.convert(attributes.new.get("rules") or (), tuple[PolicyRule, ...])
        self._confirm(attributes, rules)
        if _gathers(attributes.new) or _gathers(attributes.old or {}):
            try:
                self._confirm(attributes, _EVERYTHING)
            except StatusError:
                why = "must have cluster-admin privileges to use the aggregationRule"
                raise attributes.refusal(why) from None

    def _binding(self, attributes: Attributes) -> None:
        reference = attributes.new["roleRef"]
        of_cluster = reference["kind"] == CLUSTER_ROLE.kind
        resource = CLUSTER_ROLE if of_cluster else ROLE
        if _may(attributes, "bind", resource.plural, reference["name"]):
            return
        named: Named = ("" if of_cluster else attributes.target.namespace, reference["name"])
        rules = self.roles.policy().role_rules(named)
        if rules is None:
            raise not_found(resource.qualified, reference["name"])
        self._confirm(attributes, rules)

    def _confirm(self, attributes: Attributes, wanted: Sequence[PolicyRule]) -> None:
        user = attributes.user
        held, absent = self.roles.policy().rules_for(user, attributes.target.namespace)
        try:
            missing = lacking(held, wanted)
        except TooManyError:
            raise attributes.refusal(_TOO_MANY) from None
        if missing:
            errors = f"; resolution errors: [{absences(absent)}]" if absent else ""
            raise attributes.refusal(
                f"user {quoted(user.name)} (groups={listed(user.groups)}) is attempting to grant "
                f"RBAC permissions not currently held:\n{told(missing)}{errors}"
            )


def _may(attributes: Attributes, verb: str, resource: str, name: str) -> bool:
    asked = access.Attributes(
        user=attributes.user,
        verb=verb,
        group=RBAC,
        version="*",
        resource=resource,
        namespace=attributes.target.namespace,
        name=name,
    )
    return attributes.authorize(asked).allowed


def _gathers(role: Json) -> bool:
    return bool((role.get("aggregationRule") or {}).get("clusterRoleSelectors"))


def _only_collected(attributes: Attributes) -> bool:
    """Whether the write changes nothing but what leads to the object's deletion."""
    return attributes.old is not None and _kept(attributes.new) == _kept(attributes.old)


def _kept(obj: Json) -> Json:
    meta = obj.get("metadata") or {}
    kept = {name: value for name, value in meta.items() if name not in _COLLECTED and value}
    return {**{name: value for name, value in obj.items() if value}, "metadata": kept}
