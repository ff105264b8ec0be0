"""What a call costs at most, function by function: Kubernetes' own libraries, then CEL's.

The rules are those of k8s.io/apiserver's cost estimator: they decide which rules a CRD may carry,
so they change only as upstream's change.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from argosy.api.cel.nodes import Call, Type
from argosy.api.cel.sizes import EMPTY, MOST, ONE, PATTERN, TRAVERSAL, Range


@dataclass(frozen=True, slots=True)
class Sizes:
    """A call with what is known of its operands. `elements` are None where they aren't a list's."""

    call: Call
    target: Range | None
    args: list[Range]
    element: Range | None  # of the target, where it holds strings or bytes
    is_list: bool  # the target's type has a parameter


@dataclass(frozen=True, slots=True)
class CallCost:
    """A call's own cost, its arguments apart, and the size of its result where one is known."""

    cost: Range
    size: Range | None = None


Rule = Callable[[Sizes], CallCost | None]

_CHECK: Final = Range(350_000, 350_000)
_ADDRESS: Final = Range(4, 16)  # bytes
_ONE: Final = CallCost(ONE)


def _nominal(_: Sizes) -> CallCost | None:
    return _ONE


def _check(_: Sizes) -> CallCost | None:
    return CallCost(_CHECK)


def _selector(call: Sizes) -> CallCost | None:
    if len(call.args) != 1:
        return None
    requirements = call.args[0].scaled(0.5).scaled(50)
    return CallCost(Range(10, 10) + call.args[0].scaled(TRAVERSAL) + requirements)


def _elements(call: Sizes) -> CallCost | None:
    if call.target is None:
        return None
    if call.is_list and call.element is not None:
        return CallCost(call.target * (ONE + call.element.scaled(TRAVERSAL)))
    if call.is_list or call.call.function == "includes":
        return CallCost(call.target)
    return CallCost(call.target.scaled(TRAVERSAL))


def _argument(factor: float, *, sized: bool = False) -> Rule:
    def rule(call: Sizes) -> CallCost | None:
        if not call.args:
            return None
        cost = call.args[0].scaled(factor)
        return CallCost(cost, call.args[0] if sized else None)

    return rule


def _target(call: Sizes) -> CallCost | None:
    if call.target is None:
        return None
    return CallCost(call.target.scaled(TRAVERSAL), call.target)


def _replace(call: Sizes) -> CallCost | None:
    if call.target is None or len(call.args) < 2:
        return None
    text, old, new = call.target, call.args[0], call.args[1]
    most = _replaced(text.most, divisor=old.least, same=new.most <= old.least)
    least = _replaced(text.least, divisor=old.most, same=old.most <= new.least)
    count = Range(least[0], most[0])
    size = count * new + Range(least[1], most[1])
    return CallCost(text.scaled(2 * TRAVERSAL), size)


def _replaced(text: int, *, divisor: int, same: bool) -> tuple[int, int]:
    """How many replacements there are, and how many characters stay."""
    if divisor == 0:
        return min(MOST, text + 1), text
    return (0, text) if same else (-(-text // divisor), 0)


def _split(call: Sizes) -> CallCost | None:
    if call.target is None:
        return None
    most = call.target.most
    limit = getattr(call.call.args[1], "value", None) if len(call.args) > 1 else None
    if isinstance(limit, int):
        most = limit if limit >= 0 else MOST
    return CallCost(call.target.scaled(2 * TRAVERSAL), Range(0, most))


def _join(call: Sizes) -> CallCost | None:
    if call.target is None:
        return None
    size = call.target * call.element if call.element is not None else Range(0, 0)
    if call.args:
        between = Range(max(0, call.target.least - 1), max(0, call.target.most - 1))
        size = size + call.args[0] * between
    return CallCost(size.scaled(TRAVERSAL), size)


def _matching(call: Sizes) -> CallCost | None:
    if call.target is None or not call.args:
        return None
    cost = (call.target + ONE).scaled(TRAVERSAL) * call.args[0].scaled(PATTERN)
    return CallCost(cost, Range(0, call.target.most))


def _matches(call: Sizes) -> CallCost | None:
    operands = [call.target, *call.args] if call.target is not None else call.args
    text, pattern = operands
    if call.target is None:  # matches(s, p) has the nominal cost upstream
        return _ONE
    return CallCost((text + ONE).scaled(TRAVERSAL) * pattern.scaled(PATTERN))


def _ip(call: Sizes) -> CallCost | None:
    return _ONE if "cidr_ip" in call.call.overloads else _argument(TRAVERSAL)(call)


def _contains_ip(call: Sizes) -> CallCost | None:
    return _compared(call, (_ADDRESS + _ADDRESS).scaled(TRAVERSAL), "cidr_contains_ip_string")


def _contains_cidr(call: Sizes) -> CallCost | None:
    cost = (_ADDRESS + _ADDRESS).scaled(TRAVERSAL) + _ADDRESS.scaled(TRAVERSAL) + ONE
    return _compared(call, cost, "cidr_contains_cidr_string")


def _compared(call: Sizes, cost: Range, parsing: str) -> CallCost | None:
    if parsing in call.call.overloads and call.args:
        cost = cost + call.args[0].scaled(TRAVERSAL)
    return CallCost(cost)


def _validate(call: Sizes) -> CallCost | None:
    return CallCost(call.args[0].scaled(TRAVERSAL).scaled(128 * PATTERN)) if call.args else None


def _affix(call: Sizes) -> CallCost | None:
    return CallCost(call.args[0].scaled(TRAVERSAL)) if call.args else None


def _contains(call: Sizes) -> CallCost | None:
    if call.target is None or not call.args:
        return None
    return CallCost(call.target.scaled(TRAVERSAL) * call.args[0].scaled(TRAVERSAL))


def _format(call: Sizes) -> CallCost | None:
    return CallCost(call.target.scaled(TRAVERSAL)) if call.target is not None else None


def _bytes(call: Sizes) -> CallCost | None:
    if "string_to_bytes" not in call.call.overloads:
        return _ONE
    text = call.args[0]
    return CallCost(text.scaled(TRAVERSAL), Range(text.least, min(MOST, text.most * 4)))


def _string(call: Sizes) -> CallCost | None:
    if "bytes_to_string" not in call.call.overloads:
        return _ONE
    data = call.args[0]
    return CallCost(data.scaled(TRAVERSAL), Range(data.least // 4, data.most))


def _quote(call: Sizes) -> CallCost | None:
    text = call.args[0]
    size = Range(text.least + 2, min(MOST, text.most * 2 + 2))
    return CallCost(text.scaled(TRAVERSAL), size)


def _in(call: Sizes) -> CallCost | None:
    return CallCost(call.args[1]) if "in_list" in call.call.overloads else _ONE


def _add(call: Sizes) -> CallCost | None:
    left, right = call.args
    best: CallCost | None = None
    for overload in call.call.overloads:
        if overload == "add_list":
            found = CallCost(ONE, left + right)
        elif overload in ("add_string", "add_bytes"):
            found = CallCost((left + right).scaled(TRAVERSAL), left + right)
        else:
            found = _ONE
        best = found if best is None else _either(best, found)
    return best


def _either(one: CallCost, other: CallCost) -> CallCost:
    size = one.size if other.size is None else other.size
    if one.size is not None and other.size is not None:
        size = one.size.union(other.size)
    return CallCost(one.cost.union(other.cost), size)


def _compare(call: Sizes) -> CallCost | None:
    texts = {"string", "bytes", "equals", "not"}
    cost = EMPTY
    for overload in call.call.overloads:
        dear = overload.split("_")[-1] in texts or overload in ("equals", "not_equals")
        cost = cost.union(_least_of(call.args) if dear else ONE)
    return CallCost(cost) if call.call.overloads else _ONE


def _least_of(args: list[Range]) -> Range:
    most = min(args[0].most, args[1].most)
    return Range(1 if most > 0 else 0, most).scaled(TRAVERSAL)


def _equal(call: Sizes) -> CallCost | None:
    one, other = (arg.type for arg in call.call.args)
    if one == other and (fixed := _fixed_equality(one)) is not None:
        return CallCost(fixed)
    return CallCost(_least_of(call.args))


def _fixed_equality(kind: Type) -> Range | None:
    if kind.kind != "opaque" or _own_equality(kind.name):
        return None
    if kind.name == "kubernetes.NamedFormat":
        return Range(1, 64).scaled(TRAVERSAL)
    return ONE


def _own_equality(name: str) -> bool:
    """Whether equality of an opaque type is CEL's own, as for optionals."""
    return name in ("optional_type", "")


def shown_factor(cost: int, limit: int) -> str:
    """By how much an estimate exceeds its budget, as Kubernetes words it."""
    factor = cost / limit
    if factor > 100:
        return "more than 100x"
    return f"{factor:.6f}x" if factor < 1.5 else f"{factor:.1f}x"


def _table() -> dict[str, Rule]:
    groups: tuple[tuple[str, Rule], ...] = (
        ("check", _check),
        (
            "serviceAccount path group resource subresource namespace name allowed reason error "
            "errored masked prefixLength family isUnspecified isLoopback isLinkLocalMulticast "
            "isLinkLocalUnicast isGlobalUnicast format.named sign asInteger isInteger "
            "asApproximateFloat isGreaterThan isLessThan compareTo add sub major minor patch "
            "getScheme getHostname getHost getPort getEscapedPath getQuery",
            _nominal,
        ),
        ("fieldSelector labelSelector", _selector),
        ("isSorted sum max min indexOf lastIndexOf includes", _elements),
        ("url jsonpatch.escapeKey", _argument(TRAVERSAL, sized=True)),
        ("lowerAscii upperAscii substring trim", _target),
        ("cidr isIP isCIDR quantity isQuantity semver isSemver", _argument(TRAVERSAL)),
        ("ip.isCanonical", _argument(2 * TRAVERSAL)),
        ("find findAll", _matching),
        ("startsWith endsWith", _affix),
        ("_<_ _<=_ _>_ _>=_ _!=_", _compare),
    )
    single: dict[str, Rule] = {
        "replace": _replace,
        "split": _split,
        "join": _join,
        "matches": _matches,
        "ip": _ip,
        "containsIP": _contains_ip,
        "containsCIDR": _contains_cidr,
        "validate": _validate,
        "contains": _contains,
        "format": _format,
        "bytes": _bytes,
        "string": _string,
        "strings.quote": _quote,
        "@in": _in,
        "_+_": _add,
        "_==_": _equal,
    }
    return {name: rule for names, rule in groups for name in names.split()} | single


_RULES: Final = _table()


def call_cost(sizes: Sizes) -> CallCost:
    """The cost of a call without what its operands cost."""
    rule = _RULES.get(sizes.call.function)
    return (rule(sizes) if rule is not None else None) or _ONE
