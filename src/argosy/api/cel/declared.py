"""The signatures of Kubernetes' functions, for the engine's type checker.

A line is `name: id target.(arguments) result; …`, with `_` for a function that is nobody's member.
A is any type, and `authz.` is kubernetes.authorization. What cel-go offers and the engine's
checker lacks is here as well: comparisons of numbers across types, and the text of an address.
"""

import json
from functools import lru_cache
from typing import Any, Final

_COMPARED: Final = "int uint double"
_ORDERED: Final = "bool string bytes timestamp duration"
_EXTENSIONS: Final = (
    ("optional", 2),
    ("two-var-comprehensions", 0),
    ("sets", 0),
    ("lists", 2),
    ("bindings", 0),
)
_REPLACED: Final = ("_<_", "_<=_", "_>_", "_>=_", "string")

_LINES: Final = """
sum: list_int_sum_int list(int).() int; list_uint_sum_uint list(uint).() uint
sum: list_double_sum_double list(double).() double
sum: list_duration_sum_duration list(duration).() duration
indexOf: list_a_index_of_int list(A).(A) int; string_index_of_string string.(string) int
indexOf: string_index_of_string_int string.(string,int) int
lastIndexOf: list_a_last_index_of_int list(A).(A) int
lastIndexOf: string_last_index_of_string string.(string) int
lastIndexOf: string_last_index_of_string_int string.(string,int) int
includes: list_includes_dyn_dyn dyn.(dyn) bool
charAt: string_char_at_int string.(int) string
format: string_format string.(list(dyn)) string
join: list_join list(string).() string; list_join_string list(string).(string) string
lowerAscii: string_lower_ascii string.() string
upperAscii: string_upper_ascii string.() string
replace: string_replace_string_string string.(string,string) string
replace: string_replace_string_string_int string.(string,string,int) string
split: string_split_string string.(string) list(string)
split: string_split_string_int string.(string,int) list(string)
substring: string_substring_int string.(int) string
substring: string_substring_int_int string.(int,int) string
trim: string_trim string.() string
strings.quote: strings_quote _.(string) string
jsonpatch.escapeKey: string_jsonpatch_escapeKey_string _.(string) string
find: string_find_string string.(string) string
findAll: string_find_all_string string.(string) list(string)
findAll: string_find_all_string_int string.(string,int) list(string)
url: string_to_url _.(string) kubernetes.URL
isURL: is_url_string _.(string) bool
getScheme: url_get_scheme kubernetes.URL.() string
getHost: url_get_host kubernetes.URL.() string
getHostname: url_get_hostname kubernetes.URL.() string
getPort: url_get_port kubernetes.URL.() string
getEscapedPath: url_get_escaped_path kubernetes.URL.() string
getQuery: url_get_query kubernetes.URL.() map(string,list(string))
quantity: string_to_quantity _.(string) kubernetes.Quantity
isQuantity: is_quantity_string _.(string) bool
sign: quantity_sign _.(kubernetes.Quantity) int
sign: quantity_sign_member kubernetes.Quantity.() int
asInteger: quantity_get_int kubernetes.Quantity.() int
isInteger: quantity_is_integer kubernetes.Quantity.() bool
asApproximateFloat: quantity_get_float kubernetes.Quantity.() double
add: quantity_add kubernetes.Quantity.(kubernetes.Quantity) kubernetes.Quantity
add: quantity_add_int kubernetes.Quantity.(int) kubernetes.Quantity
sub: quantity_sub kubernetes.Quantity.(kubernetes.Quantity) kubernetes.Quantity
sub: quantity_sub_int kubernetes.Quantity.(int) kubernetes.Quantity
isGreaterThan: quantity_is_greater_than kubernetes.Quantity.(kubernetes.Quantity) bool
isGreaterThan: semver_is_greater_than kubernetes.Semver.(kubernetes.Semver) bool
isLessThan: quantity_is_less_than kubernetes.Quantity.(kubernetes.Quantity) bool
isLessThan: semver_is_less_than kubernetes.Semver.(kubernetes.Semver) bool
compareTo: quantity_compare_to kubernetes.Quantity.(kubernetes.Quantity) int
compareTo: semver_compare_to kubernetes.Semver.(kubernetes.Semver) int
semver: string_to_semver _.(string) kubernetes.Semver
semver: string_bool_to_semver _.(string,bool) kubernetes.Semver
isSemver: is_semver_string _.(string) bool; is_semver_string_bool _.(string,bool) bool
major: semver_major kubernetes.Semver.() int
minor: semver_minor kubernetes.Semver.() int
patch: semver_patch kubernetes.Semver.() int
ip: string_to_ip _.(string) net.IP; cidr_ip net.CIDR.() net.IP
isIP: is_ip _.(string) bool
ip.isCanonical: ip_is_canonical _.(string) bool
family: ip_family net.IP.() int
isUnspecified: ip_is_unspecified net.IP.() bool
isLoopback: ip_is_loopback net.IP.() bool
isLinkLocalMulticast: ip_is_link_local_multicast net.IP.() bool
isLinkLocalUnicast: ip_is_link_local_unicast net.IP.() bool
isGlobalUnicast: ip_is_global_unicast net.IP.() bool
cidr: string_to_cidr _.(string) net.CIDR
isCIDR: is_cidr _.(string) bool
containsIP: cidr_contains_ip_string net.CIDR.(string) bool
containsIP: cidr_contains_ip_ip net.CIDR.(net.IP) bool
containsCIDR: cidr_contains_cidr_string net.CIDR.(string) bool
containsCIDR: cidr_contains_cidr net.CIDR.(net.CIDR) bool
prefixLength: cidr_prefix_length net.CIDR.() int
masked: cidr_masked net.CIDR.() net.CIDR
format.named: format-named _.(string) optional_type(kubernetes.NamedFormat)
validate: format-validate kubernetes.NamedFormat.(string) optional_type(list(string))
optional.unwrap: optional_unwrap _.(list(optional_type(A))) list(A)
unwrapOpt: optional_unwrapOpt list(optional_type(A)).() list(A)
path: authorizer_path authz.Authorizer.(string) authz.PathCheck
group: authorizer_group authz.Authorizer.(string) authz.GroupCheck
serviceAccount: authorizer_serviceaccount authz.Authorizer.(string,string) authz.Authorizer
resource: groupcheck_resource authz.GroupCheck.(string) authz.ResourceCheck
subresource: resourcecheck_subresource authz.ResourceCheck.(string) authz.ResourceCheck
namespace: resourcecheck_namespace authz.ResourceCheck.(string) authz.ResourceCheck
name: resourcecheck_name authz.ResourceCheck.(string) authz.ResourceCheck
fieldSelector: authorizer_fieldselector authz.ResourceCheck.(string) authz.ResourceCheck
labelSelector: authorizer_labelselector authz.ResourceCheck.(string) authz.ResourceCheck
check: pathcheck_check authz.PathCheck.(string) authz.Decision
check: resourcecheck_check authz.ResourceCheck.(string) authz.Decision
errored: decision_errored authz.Decision.() bool
error: decision_error authz.Decision.() string
allowed: decision_allowed authz.Decision.() bool
reason: decision_reason authz.Decision.() string
string: string_to_string _.(string) string; int64_to_string _.(int) string
string: uint64_to_string _.(uint) string; double_to_string _.(double) string
string: bytes_to_string _.(bytes) string; bool_to_string _.(bool) string
string: timestamp_to_string _.(timestamp) string; duration_to_string _.(duration) string
string: ip_to_string _.(net.IP) string; cidr_to_string _.(net.CIDR) string
"""

FORMATS: Final = (
    "dns1123Label dns1123Subdomain dns1035Label qualifiedName dns1123LabelPrefix "
    "dns1123SubdomainPrefix dns1035LabelPrefix labelValue uri uuid byte date datetime"
).split()


_AUTHORIZATION: Final = "kubernetes.authorization."


def spec(text: str) -> dict[str, Any]:
    """A type as the engine's configuration writes it: `map(string,list(A))`."""
    name, _, rest = text.partition("(")
    if name == "A":
        return {"type_name": "A", "is_type_param": True}
    if not rest:
        return {"type_name": name.replace("authz.", _AUTHORIZATION)}
    return {"type_name": name, "params": [spec(part) for part in _split(rest[:-1])]}


def _split(text: str) -> list[str]:
    parts, depth = [""], 0
    for letter in text:
        depth += (letter == "(") - (letter == ")")
        if letter == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += letter
    return [part for part in parts if part]


def _overload(text: str) -> dict[str, Any]:
    ident, signature, result = text.split()
    target, _, args = signature.partition(".(")
    made: dict[str, Any] = {
        "id": ident,
        "args": [spec(arg) for arg in _split(args[:-1])],
        "return": spec(result),
    }
    return made if target == "_" else {**made, "target": spec(target)}


def _generated() -> list[str]:
    lines = [f"format.{name}: format.{name} _.() kubernetes.NamedFormat" for name in FORMATS]
    for kind in f"{_COMPARED} {_ORDERED}".split():
        lines.append(f"isSorted: list_{kind}_is_sorted_bool list({kind}).() bool")
        lines.append(f"max: list_{kind}_max_{kind} list({kind}).() {kind}")
        lines.append(f"min: list_{kind}_min_{kind} list({kind}).() {kind}")
    for symbol, name in (("<", "less"), ("<=", "less_equals"), (">", "greater")):
        lines += _comparison(symbol, name)
    return lines + _comparison(">=", "greater_equals")


def _comparison(symbol: str, name: str) -> list[str]:
    same = [(kind, kind) for kind in _ORDERED.split()]
    crossed = [(one, two) for one in _COMPARED.split() for two in _COMPARED.split()]
    short = {"int": "int64", "uint": "uint64"}
    lines = []
    for one, two in same + crossed:
        tail = short.get(two, two)
        head = f"{name}_{tail}" if one == two else f"{name}_{short.get(one, one)}_{tail}"
        lines.append(f"_{symbol}_: {head} _.({one},{two}) bool")
    return lines


@lru_cache(maxsize=1)
def _functions() -> list[dict[str, Any]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for line in [*_LINES.strip().splitlines(), *_generated()]:
        name, _, rest = line.partition(": ")
        found.setdefault(name, []).extend(_overload(part.strip()) for part in rest.split(";"))
    return [{"name": name, "overloads": overloads} for name, overloads in found.items()]


def configuration(variables: dict[str, str]) -> str:
    """The engine's configuration for an environment with these variables, by their types."""
    extensions = [
        {"name": name, **({"version": version} if version else {})} for name, version in _EXTENSIONS
    ]
    return json.dumps(
        {
            "extensions": extensions,
            "stdlib": {"exclude_functions": [{"name": name} for name in _REPLACED]},
            "variables": [{"name": name, **spec(kind)} for name, kind in variables.items()],
            "functions": _functions(),
        }
    )
