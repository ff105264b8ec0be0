"""What is wrong with an `AuthorizationConfiguration`, in upstream's words.

Source: upstream's validation of the kind.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from argosy.api.names import subdomain_faults
from argosy.apiserver.authorization.configuration import (
    TYPES,
    WEBHOOK,
    AuthorizationConfiguration,
    AuthorizerRules,
    ConnectionInfo,
    MatchCondition,
    WebhookRules,
    seconds,
)
from argosy.base.errors import (
    FieldError,
    duplicate,
    invalid_value,
    not_supported,
    required,
    too_many,
)

LONGEST_TIMEOUT: Final = 30.0
MOST_CONDITIONS: Final = 64
BY_FILE: Final = "KubeConfigFile"
IN_CLUSTER: Final = "InClusterConfig"

Errors = Iterator[FieldError]


def faults(found: AuthorizationConfiguration) -> Errors:
    """What is wrong with it."""
    if not found.authorizers:
        yield required("authorizers", "at least one authorization mode must be defined")
    types: set[str] = set()
    names: set[str] = set()
    for i, one in enumerate(found.authorizers):
        path = f"authorizers[{i}]"
        if wrong := _type_fault(one.type, f"{path}.type", types):
            yield wrong
            continue
        types.add(one.type)
        yield from _name(one.name, f"{path}.name", names)
        names.add(one.name)
        yield from _webhook(one, path)


def misnamed(found: AuthorizationConfiguration) -> Iterator[str]:
    """Authorizers of the server's own that are not called as they are."""
    for one in found.authorizers:
        expected = one.type.lower()
        if one.type != WEBHOOK and one.name != expected:
            yield f"expected name {expected} for authorizer {one.type} instead of {one.name}"


def _type_fault(kind: str, path: str, before: set[str]) -> FieldError | None:
    if not kind:
        return required(path)
    if kind not in TYPES:
        return not_supported(path, kind, TYPES)
    return duplicate(path, kind) if kind in before and kind != WEBHOOK else None


def _name(name: str, path: str, before: set[str]) -> Errors:
    if not name:
        yield required(path)
    elif name in before:
        yield duplicate(path, name)
    elif wrong := subdomain_faults(name):
        yield invalid_value(path, name, f"authorizer name is invalid: {', '.join(wrong)}")


def _webhook(one: AuthorizerRules, path: str) -> Errors:
    if one.type != WEBHOOK:
        if one.webhook is not None:
            detail = "may only be specified when type=Webhook"
            yield invalid_value(f"{path}.webhook", "non-null", detail)
    elif one.webhook is None:
        yield required(f"{path}.webhook", "required when type=Webhook")
    else:
        yield from _rules(one.webhook, path)


def _rules(rules: WebhookRules, path: str) -> Errors:
    yield from _timeout(rules.timeout, f"{path}.timeout")
    yield from _ttl(rules.authorized_ttl, f"{path}.authorizedTTL")
    yield from _ttl(rules.unauthorized_ttl, f"{path}.unauthorizedTTL")
    yield from _one_of(
        rules.subject_access_review_version,
        f"{path}.subjectAccessReviewVersion",
        ("v1", "v1beta1"),
    )
    field = f"{path}.matchConditionSubjectAccessReviewVersion"
    if rules.match_condition_subject_access_review_version:
        yield from _one_of(rules.match_condition_subject_access_review_version, field, ("v1",))
    elif rules.match_conditions:
        yield required(field, "required if match conditions are specified")
    yield from _one_of(rules.failure_policy, f"{path}.failurePolicy", ("NoOpinion", "Deny"))
    yield from _connection(rules.connection_info, f"{path}.connectionInfo")
    yield from _conditions(rules.match_conditions, f"{path}.matchConditions")


def _one_of(value: str, path: str, allowed: Sequence[str]) -> Errors:
    if not value:
        yield required(path)
    elif value not in allowed:
        yield not_supported(path, value, allowed)


def _timeout(text: str, path: str) -> Errors:
    try:
        long = seconds(text)
    except ValueError as error:
        yield invalid_value(path, text, str(error))
        return
    if long == 0:
        yield required(path)
    elif not 0 < long <= LONGEST_TIMEOUT:
        yield invalid_value(path, text, "must be > 0s and <= 30s")


def _ttl(text: str, path: str) -> Errors:
    try:
        if seconds(text) < 0:
            yield invalid_value(path, text, "must be > 0s")
    except ValueError as error:
        yield invalid_value(path, text, str(error))


def _connection(info: ConnectionInfo, path: str) -> Errors:
    file, field = info.kube_config_file, f"{path}.kubeConfigFile"
    if info.type == IN_CLUSTER:
        if file is not None:
            yield invalid_value(field, file, "can only be set when type=KubeConfigFile")
        yield invalid_value(f"{path}.type", info.type, "is not allowed for an API server")
    elif info.type != BY_FILE:
        yield from _one_of(info.type, f"{path}.type", (IN_CLUSTER, BY_FILE))
    elif not file:
        yield required(field)
    elif not Path(file).is_absolute():
        yield invalid_value(field, file, "must be an absolute path")
    elif not Path(file).exists():
        detail = f"error loading file: stat {file}: no such file or directory"
        yield invalid_value(field, file, detail)
    elif not Path(file).is_file():
        yield invalid_value(field, file, "must be a regular file")


def _conditions(conditions: Sequence[MatchCondition], path: str) -> Errors:
    if len(conditions) > MOST_CONDITIONS:
        yield too_many(path, len(conditions), MOST_CONDITIONS)
        return
    before: set[str] = set()
    for i, one in enumerate(conditions):
        field = f"{path}[{i}].expression"
        if not one.expression.strip():
            yield required(field)
        elif one.expression in before:
            yield duplicate(field, one.expression)
        else:
            before.add(one.expression)
            yield from _expression(one.expression, field)


def _expression(text: str, path: str) -> Errors:
    from argosy.apiserver.authorization.conditions import fault  # few configurations have any

    if why := fault(text):
        yield invalid_value(path, text, why)
