"""Which requests an admission webhook or an admission policy is about."""

from collections.abc import Iterator, Sequence

from argosy.api import names
from argosy.api.validation.fields import (
    NEEDED,
    Check,
    Table,
    each,
    fields,
    items_at_most,
    one_of,
    together,
    unique,
    unique_by,
)
from argosy.api.validation.formats import path_segment
from argosy.api.validation.rule import Json
from argosy.api.validation.selectors import label_selector
from argosy.base.errors import FieldError, invalid_value, not_supported, required

Errors = Iterator[FieldError]

FAILURE_POLICIES = ("Fail", "Ignore")
MATCH_POLICIES = ("Equivalent", "Exact")
OPERATIONS = ("*", "CONNECT", "CREATE", "DELETE", "UPDATE")
CHANGING = ("*", "CONNECT", "CREATE", "UPDATE")
"""What there is an object to change in."""
SCOPES = ("*", "Cluster", "Namespaced")


def _alone(what: str) -> Check:
    """`*` stands alone."""

    def check(items: Sequence[str], path: str) -> Errors:
        if "*" in items and len(items) > 1:
            yield invalid_value(path, items, f"if '*' is present, must not specify other {what}")

    return check


def _resources(items: Sequence[str], path: str) -> Errors:
    """Resources and subresources: a wildcard leaves nothing else to say of what it covers."""
    of_resource: set[str] = set()
    of_subresource: set[str] = set()
    for i, item in enumerate(items):
        resource, slash, sub = item.partition("/")
        if not item:
            yield required(f"{path}[{i}]")
        if not slash:
            continue
        for covering, known in ((f"{resource}/*", of_resource), (f"*/{sub}", of_subresource)):
            if covering in known:
                detail = f"if '{covering}' is present, must not specify {item}"
                yield invalid_value(f"{path}[{i}]", item, detail)
        if sub == "*":
            of_resource.add(item)
        if resource == "*":
            of_subresource.add(item)
    if len(items) > 1 and "*/*" in items:
        yield invalid_value(path, items, "if '*/*' is present, must not specify other resources")
    plain = [item for item in items if item and "/" not in item]
    if "*" in plain and plain[-1] != "*":
        detail = "if '*' is present, must not specify other resources without subresources"
        yield invalid_value(path, items, detail)


def changing_only(resources: Json, path: str) -> Errors:
    """Rules of what can be changed: nothing can in a deletion. The error tells no index."""
    for rule in resources.get("resourceRules") or ():
        for operation in rule.get("operations") or ():
            if operation not in CHANGING:
                yield not_supported(f"{path}.resourceRules.operations", operation, CHANGING)


def _expression(text: str, path: str) -> Errors:
    if not text.strip():
        yield required(path)


RULE: Table = {
    "operations": (
        NEEDED,
        together(_alone("operations"), each(one_of(*OPERATIONS))),
    ),
    "apiGroups": (NEEDED, _alone("API groups")),
    "apiVersions": (NEEDED, _alone("API versions")),
    "apiVersions[]": NEEDED,
    "resources": (NEEDED, _resources),
    "scope": one_of(*SCOPES),
}
rule = fields(RULE)
"""A check of one rule of a webhook."""

NAMED_RULE = fields(
    {"resourceNames": together(each(path_segment), unique), **RULE},
)
match_resources = fields(
    {
        "matchPolicy": (NEEDED, one_of(*MATCH_POLICIES)),
        "namespaceSelector": label_selector,
        "objectSelector": label_selector,
        "resourceRules[]": NAMED_RULE,
        "excludeResourceRules[]": NAMED_RULE,
    }
)
"""A check of what a policy is about."""

match_conditions = together(
    items_at_most(64),
    each(fields({"expression": _expression, "name": (NEEDED, names.qualified)})),
    unique_by("name", at="name"),
)
"""A check of conditions in CEL, which are not compiled here."""
