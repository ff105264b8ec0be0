"""What is wrong with an `AuthenticationConfiguration`, in upstream's words.

Source: upstream's validation of the kind.
"""

import ssl
from collections.abc import Iterator, Sequence
from typing import Final
from urllib.parse import urlsplit

from argosy.apiserver.authentication.configuration import (
    AuthenticationConfiguration,
    ClaimMappings,
    ClaimValidationRule,
    Issuer,
    JWTAuthenticator,
    PlainClaim,
    PrefixedClaim,
    UserValidationRule,
)
from argosy.apiserver.authentication.extrakeys import prefixed_path_faults
from argosy.apiserver.authentication.tokens import ISSUER
from argosy.base.errors import (
    FieldError,
    duplicate,
    forbidden_field,
    invalid_value,
    required,
    too_many,
)

MOST_ISSUERS: Final = 64
MATCH_ANY: Final = "MatchAny"
RESERVED: Final = ("kubernetes.io", "k8s.io")
UNVERIFIED: Final = (
    "claims.email_verified must be used in claimMappings.username.expression or "
    "claimMappings.extra[*].valueExpression or claimValidationRules[*].expression when "
    "claims.email is used in claimMappings.username.expression"
)

Errors = Iterator[FieldError]


def faults(found: AuthenticationConfiguration) -> Errors:
    """What is wrong with it."""
    if len(found.jwt) > MOST_ISSUERS:
        yield too_many("jwt", len(found.jwt), MOST_ISSUERS)
        return
    for i, one in enumerate(found.jwt):
        path = f"jwt[{i}]"
        yield from _issuer(one.issuer, f"{path}.issuer")
        yield from _rules(one.claim_validation_rules, f"{path}.claimValidationRules")
        yield from _mappings(one.claim_mappings, f"{path}.claimMappings")
        yield from _unverified_mail(one, f"{path}.claimMappings.username.expression")
        yield from _user_rules(one.user_validation_rules, f"{path}.userValidationRules")
    yield from _repeated([one.issuer.url for one in found.jwt], "issuer.url")
    yield from _repeated([one.issuer.discovery_url for one in found.jwt], "issuer.discoveryURL")
    if found.anonymous is not None and not found.anonymous.enabled and found.anonymous.conditions:
        shown = [item.path for item in found.anonymous.conditions]
        detail = "enabled should be set to true when conditions are defined"
        yield invalid_value("anonymous.conditions", shown, detail)


def _repeated(values: Sequence[str], field: str) -> Errors:
    for i, value in enumerate(values):
        if value and value in values[:i]:
            yield duplicate(f"jwt[{i}].{field}", value)


def _issuer(issuer: Issuer, path: str) -> Errors:
    if not issuer.url:
        yield required(f"{path}.url")
    else:
        yield from _url(issuer.url, f"{path}.url")
    if issuer.url == ISSUER:
        detail = f"URL must not overlap with disallowed issuers: [{ISSUER}]"
        yield invalid_value(f"{path}.url", issuer.url, detail)
    if issuer.discovery_url:
        field = f"{path}.discoveryURL"
        yield from _url(issuer.discovery_url, field)
        if issuer.discovery_url.rstrip("/") == issuer.url.rstrip("/"):
            detail = "discoveryURL must be different from URL"
            yield invalid_value(field, issuer.discovery_url, detail)
    yield from _audiences(issuer, path)
    if issuer.certificate_authority and not _is_pem(issuer.certificate_authority):
        detail = "data does not contain any valid RSA or ECDSA certificates"
        yield invalid_value(f"{path}.certificateAuthority", "<omitted>", detail)
    if issuer.egress_selector_type:
        detail = "this server selects no egress"
        yield forbidden_field(f"{path}.egressSelectorType", detail)


def _url(url: str, path: str) -> Errors:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        yield invalid_value(path, url, str(error))
        return
    if parts.scheme != "https":
        yield invalid_value(path, url, "URL scheme must be https")
    if parts.username is not None or parts.password is not None:
        yield invalid_value(path, url, "URL must not contain a username or password")
    if parts.query:
        yield invalid_value(path, url, "URL must not contain a query")
    if parts.fragment:
        yield invalid_value(path, url, "URL must not contain a fragment")
    if not parts.hostname or port == 0:
        yield invalid_value(path, url, "URL must name a host")


def _audiences(issuer: Issuer, path: str) -> Errors:
    field = f"{path}.audiences"
    if not issuer.audiences:
        yield required(field, f"at least one {field} is required")
        return
    for i, audience in enumerate(issuer.audiences):
        if not audience:
            yield required(f"{field}[{i}]")
        if audience in issuer.audiences[:i]:
            yield duplicate(f"{field}[{i}]", audience)
    policy = issuer.audience_match_policy
    if len(issuer.audiences) > 1 and policy != MATCH_ANY:
        detail = "audienceMatchPolicy must be MatchAny for multiple audiences"
        yield invalid_value(f"{path}.audienceMatchPolicy", policy, detail)
    elif policy not in ("", MATCH_ANY):
        detail = "audienceMatchPolicy must be empty or MatchAny for single audience"
        yield invalid_value(f"{path}.audienceMatchPolicy", policy, detail)


def _is_pem(text: str) -> bool:
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=text)
    except (ssl.SSLError, ValueError, TypeError):
        return False
    return True


def _rules(rules: Sequence[ClaimValidationRule], path: str) -> Errors:
    for i, rule in enumerate(rules):
        field = f"{path}[{i}]"
        if rule.claim and rule.expression:
            yield invalid_value(field, rule.claim, "claim and expression can't both be set")
        elif rule.expression:
            yield from _rule_expression(rule, f"{field}")
        elif not rule.claim:
            yield required(field, "claim or expression is required")
        elif rule.message:
            detail = "may not be specified when claim is set"
            yield invalid_value(f"{field}.message", rule.message, detail)
        if rule.claim and rule.claim in [other.claim for other in rules[:i]]:
            yield duplicate(f"{field}.claim", rule.claim)
        if rule.expression and rule.expression in [other.expression for other in rules[:i]]:
            yield duplicate(f"{field}.expression", rule.expression)


def _rule_expression(rule: ClaimValidationRule, path: str) -> Errors:
    if rule.required_value:
        detail = "may not be specified when expression is set"
        yield invalid_value(f"{path}.requiredValue", rule.required_value, detail)
    yield from _expression(rule.expression, f"{path}.expression", rule=True)


def _user_rules(rules: Sequence[UserValidationRule], path: str) -> Errors:
    for i, rule in enumerate(rules):
        field = f"{path}[{i}].expression"
        if not rule.expression:
            yield required(field)
        elif rule.expression in [other.expression for other in rules[:i]]:
            yield duplicate(field, rule.expression)
        else:
            yield from _expression(rule.expression, field, rule=True, of_user=True)


def _expression(text: str, path: str, *, rule: bool = False, of_user: bool = False) -> Errors:
    from argosy.apiserver.authentication.expressions import fault  # few configurations have any

    if why := fault(text, "user" if of_user else "claims", rule=rule):
        yield invalid_value(path, text, why)


def _unverified_mail(one: JWTAuthenticator, path: str) -> Errors:
    """An address that nobody has verified is no name."""
    name = one.claim_mappings.username.expression
    if not name:
        return
    from argosy.apiserver.authentication.expressions import mentions

    others = [rule.expression for rule in one.claim_validation_rules]
    others += [extra.value_expression for extra in one.claim_mappings.extra]
    verified = any(mentions(text, "email_verified") for text in (name, *filter(None, others)))
    if mentions(name, "email") and not verified:
        yield invalid_value(path, name, UNVERIFIED)


def _mappings(mappings: ClaimMappings, path: str) -> Errors:
    yield from _prefixed(mappings.username, f"{path}.username")
    if not mappings.username.claim and not mappings.username.expression:
        yield required(f"{path}.username", "claim or expression is required")
    yield from _prefixed(mappings.groups, f"{path}.groups")
    yield from _either(mappings.uid, f"{path}.uid")
    for i, one in enumerate(mappings.extra):
        field = f"{path}.extra[{i}]"
        yield from _extra_key(one.key, f"{field}.key")
        if one.key in [other.key for other in mappings.extra[:i]]:
            yield duplicate(f"{field}.key", one.key)
        if not one.value_expression:
            yield required(f"{field}.valueExpression")
        else:
            yield from _expression(one.value_expression, f"{field}.valueExpression")


def _extra_key(key: str, path: str) -> Errors:
    if wrong := list(prefixed_path_faults(key, path)):
        yield from wrong
        if not all(key.partition("/")):
            return
    domain = key.partition("/")[0]
    if key != key.lower():
        yield invalid_value(path, key, "must be lowercase")
    if domain in RESERVED or domain.endswith(tuple(f".{name}" for name in RESERVED)):
        detail = "k8s.io, kubernetes.io and their subdomains are reserved for Kubernetes use"
        yield invalid_value(path, key, detail)


def _either(mapping: PlainClaim | PrefixedClaim, path: str) -> Errors:
    if mapping.claim and mapping.expression:
        yield invalid_value(path, "", "claim and expression can't both be set")
    elif mapping.expression:
        yield from _expression(mapping.expression, f"{path}.expression")


def _prefixed(mapping: PrefixedClaim, path: str) -> Errors:
    yield from _either(mapping, path)
    if mapping.expression and mapping.prefix is not None:
        detail = "may not be specified when expression is set"
        yield invalid_value(f"{path}.prefix", mapping.prefix, detail)
    if mapping.claim and mapping.prefix is None:
        detail = (
            "prefix is required when claim is set. It can be set to an empty string to disable "
            "prefixing"
        )
        yield required(f"{path}.prefix", detail)
