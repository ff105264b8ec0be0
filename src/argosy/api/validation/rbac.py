"""The rules of `rbac.authorization.k8s.io`."""

from collections.abc import Iterator, Mapping

from argosy.api import names
from argosy.api.validation.fields import (
    NEEDED,
    Check,
    Needed,
    checked,
    each,
    fields,
    together,
    unless_empty,
)
from argosy.api.validation.formats import path_segment
from argosy.api.validation.rule import Json, Rule
from argosy.api.validation.selectors import label_selector
from argosy.base.errors import FieldError, invalid_value, not_supported, required

Errors = Iterator[FieldError]

GROUP = "rbac.authorization.k8s.io"
SUBJECTS = ("ServiceAccount", "User", "Group")
SCOPED_URLS = "namespaced rules cannot apply to non-resource URLs"
MIXED_RULE = "rules cannot apply to both regular resources and non-resource URLs"


def _policy_rule(*, namespaced: bool) -> Check:
    needed = fields(
        {
            "apiGroups": Needed("resource rules must supply at least one api group"),
            "resources": Needed("resource rules must supply at least one resource"),
        }
    )

    def check(rule: Json, path: str) -> Errors:
        if not rule.get("verbs"):
            yield required(f"{path}.verbs", "verbs must contain at least one value")
        urls, field = rule.get("nonResourceURLs"), f"{path}.nonResourceURLs"
        if not urls:
            yield from needed(rule, path)
            return
        if namespaced:
            yield invalid_value(field, urls, SCOPED_URLS)
        if any(rule.get(name) for name in ("apiGroups", "resources", "resourceNames")):
            yield invalid_value(field, urls, MIXED_RULE)

    return check


def _subject(*, namespaced: bool) -> Check:
    def check(subject: Json, path: str) -> Errors:
        if not subject["name"]:
            yield required(f"{path}.name")
        kind, group = subject["kind"], subject.get("apiGroup") or ""
        if kind not in SUBJECTS:
            yield not_supported(f"{path}.kind", kind, SUBJECTS)
            return
        if kind == "ServiceAccount":
            if subject["name"]:
                yield from names.subdomain(subject["name"], f"{path}.name")
            if not namespaced and not subject.get("namespace"):
                yield required(f"{path}.namespace")
        wanted = "" if kind == "ServiceAccount" else GROUP
        if group != wanted:
            yield not_supported(f"{path}.apiGroup", group, [wanted])

    return check


def _role_ref(*kinds: str) -> Check:
    def check(reference: Json, path: str) -> Errors:
        if (group := reference.get("apiGroup") or "") != GROUP:
            yield not_supported(f"{path}.apiGroup", group, [GROUP])
        if reference["kind"] not in kinds:
            yield not_supported(f"{path}.kind", reference["kind"], kinds)

    return together(check, fields({"name": (NEEDED, path_segment)}))


def _same_role(new: Json, old: Json | None) -> list[FieldError]:
    if old is None or new["roleRef"] == old["roleRef"]:
        return []
    return [invalid_value("roleRef", new["roleRef"], "cannot change roleRef")]


def _binding(*kinds: str, namespaced: bool) -> tuple[Rule, ...]:
    table = {
        "roleRef": _role_ref(*kinds),
        "subjects": each(_subject(namespaced=namespaced)),
    }
    return checked(fields(table)), _same_role


SELECTED = Needed("at least one clusterRoleSelector required if aggregationRule is non-nil")
CLUSTER_ROLE = fields(
    {
        "rules": each(_policy_rule(namespaced=False)),
        "aggregationRule.clusterRoleSelectors": (SELECTED, each(unless_empty(label_selector))),
    }
)

RULES: Mapping[str, tuple[Rule, ...]] = {
    "ClusterRole": (checked(CLUSTER_ROLE),),
    "ClusterRoleBinding": _binding("ClusterRole", namespaced=False),
    "Role": (checked(fields({"rules": each(_policy_rule(namespaced=True))})),),
    "RoleBinding": _binding("Role", "ClusterRole", namespaced=True),
}
NAMES: Mapping[str, Check] = dict.fromkeys(RULES, path_segment)
