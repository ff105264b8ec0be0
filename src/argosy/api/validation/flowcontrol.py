"""The rules of `flowcontrol.apiserver.k8s.io`: which requests wait for which."""

import math
from collections.abc import Iterator, Mapping, Sequence

from argosy.api import names
from argosy.api.validation.fields import (
    NEEDED,
    Check,
    Needed,
    at_least,
    at_most,
    between,
    each,
    fields,
    one_of,
    together,
    unique_by,
)
from argosy.api.validation.mandatory import FLOW_SCHEMAS, PRIORITY_LEVELS
from argosy.api.validation.rule import Json, Rule, of_part
from argosy.base.errors import (
    FieldError,
    forbidden_field,
    invalid_value,
    not_supported,
    required,
)

Errors = Iterator[FieldError]

VERBS = (
    "create",
    "delete",
    "deletecollection",
    "get",
    "list",
    "patch",
    "proxy",
    "update",
    "watch",
)
SUBJECTS = {"Group": "group", "ServiceAccount": "serviceAccount", "User": "user"}
"""What a subject's kind is told by, by kind."""
EVERYTHING = "*"
MOST_QUEUES = 10_000_000
MOST_BITS = 60
"""Of the hash that deals a flow its hand of queues."""
NAMESPACE_RULE = "each member of this list must be '*' or a DNS-1123 label; "
KEEPS_ZERO = "flowcontrol.k8s.io/v1beta3-preserve-zero-concurrency-shares"


def _flow_schema(new: Json, old: Json | None) -> list[FieldError]:
    name, spec = new["metadata"].get("name") or "", new["spec"]
    if old is not None and spec == old["spec"]:
        return []
    errors = list(FLOW_SCHEMA(spec, "spec"))
    precedence = spec.get("matchingPrecedence")
    if precedence == 1 and name != "exempt":
        detail = "only the schema named 'exempt' may have matchingPrecedence 1"
        errors.append(invalid_value("spec.matchingPrecedence", precedence, detail))
    if name in FLOW_SCHEMAS and spec != FLOW_SCHEMAS[name]:
        detail = f"spec of '{name}' must equal the fixed value"
        errors.append(invalid_value("spec", spec, detail))
    return errors


def _rule(rule: Json, path: str) -> Errors:
    if not rule.get("resourceRules") and not rule.get("nonResourceRules"):
        detail = "at least one of resourceRules and nonResourceRules has to be non-empty"
        yield required(path, detail)


def _subject(subject: Json, path: str) -> Errors:
    kind = subject["kind"]
    if kind not in SUBJECTS:
        yield not_supported(f"{path}.kind", kind, tuple(SUBJECTS))
        return
    for other, name in SUBJECTS.items():
        field = f"{path}.{name}"
        if other != kind and name in subject:
            yield forbidden_field(field, f"{name} is forbidden when subject kind is not '{other}'")
        elif other == kind and name not in subject:
            yield required(field, f"{name} is required when subject kind is '{kind}'")


def _account_name(name: str, path: str) -> Errors:
    if name != EVERYTHING:
        yield from names.subdomain(name, path)


def _verbs(verbs: Sequence[str], path: str) -> Errors:
    if EVERYTHING in verbs:
        yield from _alone("verbs")(verbs, path)
    elif not set(VERBS).issuperset(verbs):
        yield not_supported(path, verbs, VERBS)


def _alone(what: str) -> Check:
    """`*` stands alone."""

    def check(items: Sequence[str], path: str) -> Errors:
        if EVERYTHING in items and len(items) > 1:
            detail = f"if '*' is present, must not specify other {what}"
            yield invalid_value(path, items, detail)

    return check


def _urls(urls: Sequence[str], path: str) -> Errors:
    if EVERYTHING in urls:
        yield from _alone("non-resource URLs")(urls, path)
        return
    for i, url in enumerate(urls):
        if fault := _url_fault(url):
            yield invalid_value(f"{path}[{i}]", url, fault)


def _url_fault(url: str) -> str:
    if not url:
        return "must not be empty"
    if url == "/":
        return ""
    found = (
        (not url.startswith("/"), "must start with slash"),
        (" " in url, "must not contain white-space"),
        ("//" in url, "must not contain double slash"),
        ("*" in url.removesuffix("/*"), "wildcard can only do suffix matching"),
    )
    return next((text for wrong, text in found if wrong), "")


def _namespaces(rule: Json, path: str) -> Errors:
    namespaces, field = rule.get("namespaces") or (), f"{path}.namespaces"
    if not namespaces and not rule.get("clusterScope"):
        detail = "resource rules that are not cluster scoped must supply at least one namespace"
        yield required(field, detail)
    elif EVERYTHING in namespaces:
        yield from _alone("namespaces")(namespaces, field)
    else:
        for i, name in enumerate(namespaces):
            for fault in names.label_faults(name):
                yield invalid_value(f"{field}[{i}]", name, f"{NAMESPACE_RULE}{fault}")


def _priority_level(new: Json, old: Json | None) -> list[FieldError]:
    name, spec = new["metadata"].get("name") or "", new["spec"]
    if old is not None and spec == old["spec"]:
        return []
    errors = []
    if new["apiVersion"].endswith("/v1") and KEEPS_ZERO in (
        new["metadata"].get("annotations") or ()
    ):
        detail = f"annotation '{KEEPS_ZERO}' is forbidden"
        errors.append(forbidden_field("metadata.annotations", detail))
    if (name == "exempt") != (spec["type"] == "Exempt"):
        detail = "must be 'Exempt' if and only if `name` is 'exempt'"
        errors.append(invalid_value("spec.type", spec["type"], detail))
    errors += _level_form(spec)
    errors += LEVEL(spec, "spec")
    if name in PRIORITY_LEVELS:
        errors += _fixed_level(name, spec)
    return errors


def _level_form(spec: Json) -> Errors:
    if spec["type"] == "Exempt":
        if "limited" in spec:
            yield forbidden_field("spec.limited", "must be nil if the type is not Limited")
    elif spec["type"] == "Limited":
        if "exempt" in spec:
            yield forbidden_field("spec.exempt", "must be nil if the type is Limited")
        if "limited" not in spec:
            yield required("spec.limited", "must not be empty when type is Limited")


def _fixed_level(name: str, spec: Json) -> Errors:
    """What a mandatory level is, but for how much the exempt one may lend."""
    wanted, excepted = PRIORITY_LEVELS[name], ""
    if name == "exempt":
        wanted = {**wanted, "exempt": spec.get("exempt")}
        excepted = " except the 'spec.exempt' field"
        spec = {"exempt": None, **spec}
    if spec != wanted:
        detail = f"spec of '{name}'{excepted} must equal the fixed value"
        yield invalid_value("spec", spec, detail)


def _response(response: Json, path: str) -> Errors:
    kind, field = response["type"], f"{path}.queuing"
    if kind == "Reject" and "queuing" in response:
        detail = "must be nil if limited.limitResponse.type is not Limited"
        yield forbidden_field(field, detail)
    elif kind == "Queue" and "queuing" not in response:
        yield required(field, "must not be empty if limited.limitResponse.type is Limited")
    elif kind == "Queue":
        yield from QUEUES(response["queuing"], field)
        yield from _hand(response["queuing"], f"{field}.handSize")


def _hand(queuing: Json, path: str) -> Errors:
    """A flow is dealt some of the queues, which its hash must be long enough for."""
    queues, hand = queuing.get("queues") or 0, queuing.get("handSize") or 0
    if hand <= 0:
        yield invalid_value(path, hand, "must be positive")
    elif hand > queues:
        yield invalid_value(path, hand, f"should not be greater than queues ({queues})")
    elif math.ceil(math.log2(queues) * hand) > MOST_BITS:
        detail = (
            f"required entropy bits of deckSize {queues} and handSize {hand} should not be "
            f"greater than {MOST_BITS}"
        )
        yield invalid_value(path, hand, detail)


ANY_VERB = Needed("verbs must contain at least one value")
SUBJECT = together(
    _subject,
    fields(
        {
            "group.name": NEEDED,
            "user.name": NEEDED,
            "serviceAccount.name": (NEEDED, _account_name),
            "serviceAccount.namespace": (
                Needed("must specify namespace for service account"),
                names.label,
            ),
        }
    ),
)
RESOURCES = together(
    fields(
        {
            "verbs": (ANY_VERB, _verbs),
            "apiGroups": (
                Needed("resource rules must supply at least one api group"),
                _alone("api groups"),
            ),
            "resources": (
                Needed("resource rules must supply at least one resource"),
                _alone("resources"),
            ),
        }
    ),
    _namespaces,
)
URLS = fields(
    {
        "verbs": (ANY_VERB, _verbs),
        "nonResourceURLs": (Needed("nonResourceURLs must contain at least one value"), _urls),
    }
)
FLOW_SCHEMA = fields(
    {
        "matchingPrecedence": (
            at_least(1, "must be a positive value"),
            at_most(10_000, "must not be greater than 10000"),
        ),
        "distinguisherMethod.type": one_of("ByNamespace", "ByUser"),
        "priorityLevelConfiguration.name": (
            Needed("must reference a priority level"),
            names.subdomain,
        ),
        "rules[].subjects": (Needed("subjects must contain at least one value"), each(SUBJECT)),
        "rules[]": _rule,
        "rules[].resourceRules[]": RESOURCES,
        "rules[].nonResourceRules[]": URLS,
    }
)
SHARES = at_least(0, "must be a non-negative integer")
QUEUES = fields(
    {
        "queueLengthLimit": at_least(1, "must be positive"),
        "queues": (
            at_least(1, "must be positive"),
            at_most(MOST_QUEUES, f"must not be greater than {MOST_QUEUES}"),
        ),
    }
)
LEVEL = fields(
    {
        "type": one_of("Exempt", "Limited"),
        "exempt.nominalConcurrencyShares": SHARES,
        "exempt.lendablePercent": between(0, 100),
        "limited.nominalConcurrencyShares": SHARES,
        "limited.limitResponse.type": one_of("Queue", "Reject"),
        "limited.limitResponse": _response,
        "limited.lendablePercent": between(0, 100),
        "limited.borrowingLimitPercent": at_least(
            0, "if specified, must be a non-negative integer"
        ),
    }
)
STATUS = fields({"conditions[].type": NEEDED, "conditions": unique_by("type", at="type")})

RULES: Mapping[str, tuple[Rule, ...]] = {
    "FlowSchema": (_flow_schema, of_part("status", STATUS)),
    "PriorityLevelConfiguration": (_priority_level, of_part("status", STATUS)),
}
