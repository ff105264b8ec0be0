"""Where a pod may run: tolerations, affinity, spread, gates; and the taints of nodes."""

from collections.abc import Sequence

from argosy.api import names
from argosy.api.validation.rule import Errors, Json, one_of
from argosy.api.validation.selectors import label_selector, node_selector, node_term
from argosy.base.errors import (
    duplicate,
    forbidden_field,
    invalid_value,
    not_supported,
    required,
)

EFFECTS = ("NoSchedule", "PreferNoSchedule", "NoExecute")
REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"
IN_BOTH = "exists in both matchLabelKeys and labelSelector"
NO_SELECTOR = "must not be specified when labelSelector is not set"


def tolerations(items: Sequence[Json], path: str) -> Errors:
    """`tolerations`."""
    for i, item in enumerate(items):
        field = f"{path}[{i}]"
        key, operator = item.get("key") or "", item.get("operator") or ""
        if key:
            yield from names.qualified(key, f"{field}.key")
        elif operator != "Exists":
            detail = (
                "operator must be Exists when `key` is empty, which means "
                '"match all values and all keys"'
            )
            yield invalid_value(f"{field}.operator", operator, detail)
        if "tolerationSeconds" in item and item.get("effect") != "NoExecute":
            detail = "effect must be 'NoExecute' when `tolerationSeconds` is set"
            yield invalid_value(f"{field}.effect", item.get("effect") or "", detail)
        yield from _operator(operator, item.get("value") or "", f"{field}.operator")
        yield from one_of(f"{field}.effect", item.get("effect") or None, EFFECTS)


def _operator(operator: str, value: str, field: str) -> Errors:
    if operator in ("Equal", ""):
        if faults := names.label_value_faults(value):
            yield invalid_value(field, value, ";".join(faults))
    elif operator == "Exists":
        if value:
            yield invalid_value(field, value, "value must be empty when `operator` is 'Exists'")
    else:
        comparing = ("Lt", "Gt") if operator in ("Lt", "Gt") else ()
        yield not_supported(field, operator, ("Equal", "Exists", *comparing))


def taints(items: Sequence[Json], path: str) -> Errors:
    """A node's taints: one of each key and effect."""
    seen: set[tuple[str, str]] = set()
    for i, item in enumerate(items):
        field, effect = f"{path}[{i}]", item["effect"]
        yield from names.qualified(item["key"], f"{field}.key")
        if faults := names.label_value_faults(item.get("value") or ""):
            yield invalid_value(f"{field}.value", item["value"], ";".join(faults))
        if not effect:
            yield required(f"{field}.effect")
        else:
            yield from one_of(f"{field}.effect", effect, EFFECTS)
        if (item["key"], effect) in seen:
            yield duplicate(field, item, "taints must be unique by key and effect pair")
        seen.add((item["key"], effect))


def affinity(rules: Json, path: str) -> Errors:
    """`affinity`."""
    of_nodes = rules.get("nodeAffinity") or {}
    if REQUIRED in of_nodes:
        yield from node_selector(of_nodes[REQUIRED], f"{path}.nodeAffinity.{REQUIRED}")
    for i, term in enumerate(of_nodes.get(PREFERRED) or ()):
        field = f"{path}.nodeAffinity.{PREFERRED}[{i}]"
        yield from _weight(term, field)
        yield from node_term(term["preference"], f"{field}.preference", strict=False)
    for name in ("podAffinity", "podAntiAffinity"):
        of_pods = rules.get(name) or {}
        for i, term in enumerate(of_pods.get(REQUIRED) or ()):
            yield from _pod_term(term, f"{path}.{name}.{REQUIRED}[{i}]")
        for i, term in enumerate(of_pods.get(PREFERRED) or ()):
            field = f"{path}.{name}.{PREFERRED}[{i}]"
            yield from _weight(term, field)
            yield from _pod_term(term["podAffinityTerm"], f"{field}.podAffinityTerm")


def _weight(term: Json, field: str) -> Errors:
    if not 0 < term["weight"] <= 100:
        yield invalid_value(f"{field}.weight", term["weight"], "must be in the range 1-100")


def _pod_term(term: Json, path: str) -> Errors:
    yield from label_selector(term.get("labelSelector"), f"{path}.labelSelector")
    yield from label_selector(term.get("namespaceSelector"), f"{path}.namespaceSelector")
    for name in term.get("namespaces") or ():
        yield from names.label(name, f"{path}.namespace")
    yield from _label_keys(term, path)
    if not term["topologyKey"]:
        yield required(f"{path}.topologyKey", "can not be empty")
    yield from names.qualified(term["topologyKey"], f"{path}.topologyKey")


def _label_keys(term: Json, path: str) -> Errors:
    """`matchLabelKeys` and `mismatchLabelKeys`: they add to the selector, and never to it twice.

    The server itself writes a matched key into the selector's expressions once; so a key may
    stand there, but not again in the selector's labels or in a second expression.
    """
    selector = term.get("labelSelector")
    match, mismatch = term.get("matchLabelKeys") or (), term.get("mismatchLabelKeys") or ()
    for name, keys in (("matchLabelKeys", match), ("mismatchLabelKeys", mismatch)):
        if keys and selector is None:
            yield forbidden_field(f"{path}.{name}", NO_SELECTOR)
            continue
        for i, key in enumerate(keys):
            yield from names.qualified(key, f"{path}.{name}[{i}]")
    known = set((selector or {}).get("matchLabels") or ())
    for expression in (selector or {}).get("matchExpressions") or ():
        key = expression["key"]
        if key in match and key in known:
            yield invalid_value(f"{path}[{list(match).index(key)}]", key, IN_BOTH)
        known.add(key)
    for i, key in enumerate(match):
        if key in mismatch:
            detail = "exists in both matchLabelKeys and mismatchLabelKeys"
            yield invalid_value(f"{path}.matchLabelKeys[{i}]", key, detail)


def spread(constraints: Sequence[Json], path: str) -> Errors:
    """`topologySpreadConstraints`."""
    pairs = [(item["topologyKey"], item["whenUnsatisfiable"]) for item in constraints]
    last = {pair: i for i, pair in enumerate(pairs)}
    for i, item in enumerate(constraints):
        field, action = f"{path}[{i}]", item["whenUnsatisfiable"]
        if item["maxSkew"] <= 0:
            yield invalid_value(f"{field}.maxSkew", item["maxSkew"], "must be greater than zero")
        if not item["topologyKey"]:
            yield required(f"{field}.topologyKey", "can not be empty")
        actions = ("DoNotSchedule", "ScheduleAnyway")
        yield from one_of(f"{field}.whenUnsatisfiable", action, actions)
        if last[pairs[i]] > i:
            shown = f"{{{item['topologyKey']}, {action}}}"
            yield duplicate(f"{field}.{{topologyKey, whenUnsatisfiable}}", shown)
        yield from _min_domains(item, f"{field}.minDomains")
        for name in ("nodeAffinityPolicy", "nodeTaintsPolicy"):
            yield from one_of(f"{field}.{name}", item.get(name), ("Honor", "Ignore"))
        yield from _label_keys(item, field)
        yield from label_selector(item.get("labelSelector"), f"{field}.labelSelector")


def _min_domains(item: Json, field: str) -> Errors:
    least, action = item.get("minDomains"), item["whenUnsatisfiable"]
    if least is None:
        return
    if least <= 0:
        yield invalid_value(field, least, "must be greater than zero")
    if action != "DoNotSchedule":
        detail = f"can only use minDomains if whenUnsatisfiable=DoNotSchedule, not {action}"
        yield invalid_value(field, least, detail)


def gates(items: Sequence[Json], path: str) -> Errors:
    """`schedulingGates`."""
    seen: set[str] = set()
    for i, gate in enumerate(items):
        yield from names.qualified(gate["name"], f"{path}[{i}]")
        if gate["name"] in seen:
            yield duplicate(f"{path}[{i}]", gate["name"])
        seen.add(gate["name"])
