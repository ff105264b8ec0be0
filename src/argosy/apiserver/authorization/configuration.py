"""Who is asked whether something is allowed, and in which order: an `AuthorizationConfiguration`.

The file is upstream's: v1, v1beta1 or v1alpha1 of `apiserver.config.k8s.io`. The older flags
(`--authorization-mode`) say the same in fewer words, see `of_modes`. What is wrong with one is told
in `configurationfaults`. Source: Kubernetes' "Authorization", structured configuration (KEP-3221).
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import msgspec

from argosy.apiserver.configfile import (
    ConfigurationError,
    Document,
    Part,
    content,
    converted,
    refuse,
)

VERSIONS: Final = tuple(f"apiserver.config.k8s.io/{name}" for name in ("v1", "v1beta1", "v1alpha1"))
KIND: Final = "AuthorizationConfiguration"
WEBHOOK: Final = "Webhook"
TYPES: Final = ("AlwaysAllow", "AlwaysDeny", "Node", "RBAC", WEBHOOK)
"""Those of upstream but ABAC."""
AUTHORIZED_TTL: Final = "5m0s"
UNAUTHORIZED_TTL: Final = "30s"
LEGACY_NAME: Final = "default"


class ConnectionInfo(Part, frozen=True, kw_only=True):
    """Where the webhook is."""

    type: str = ""
    kube_config_file: str | None = None


class MatchCondition(Part, frozen=True, kw_only=True):
    """What must hold of a request so that the webhook is asked about it."""

    expression: str = ""


class WebhookRules(Part, frozen=True, kw_only=True):
    """What is asked of a webhook, and how long its answers hold."""

    authorized_ttl: str = msgspec.field(name="authorizedTTL", default="")
    cache_authorized_requests: bool | None = None
    unauthorized_ttl: str = msgspec.field(name="unauthorizedTTL", default="")
    cache_unauthorized_requests: bool | None = None
    timeout: str = ""
    subject_access_review_version: str = ""
    match_condition_subject_access_review_version: str = ""
    failure_policy: str = ""
    connection_info: ConnectionInfo = ConnectionInfo()
    match_conditions: tuple[MatchCondition, ...] = ()

    @property
    def allowed_for(self) -> float:
        """Seconds for which a yes holds."""
        kept = self.cache_authorized_requests is not False
        return seconds(self.authorized_ttl) or seconds(AUTHORIZED_TTL) if kept else 0.0

    @property
    def refused_for(self) -> float:
        """Seconds for which anything else holds."""
        kept = self.cache_unauthorized_requests is not False
        return seconds(self.unauthorized_ttl) or seconds(UNAUTHORIZED_TTL) if kept else 0.0


class AuthorizerRules(Part, frozen=True, kw_only=True):
    """One authorizer."""

    type: str = ""
    name: str = ""
    webhook: WebhookRules | None = None


class AuthorizationConfiguration(Document, frozen=True, kw_only=True):
    """The whole file."""

    authorizers: tuple[AuthorizerRules, ...] = ()

    @property
    def types(self) -> frozenset[str]:
        """Those of authorizers that are not webhooks."""
        return frozenset(one.type for one in self.authorizers) - {WEBHOOK}


def seconds(text: str) -> float:
    """Of a duration in Go's form; 0 for none. Raises ValueError."""
    from argosy.api.cel.values import CelError, parse_duration

    try:
        return parse_duration(text).ns / 1e9 if text else 0.0
    except CelError as error:
        raise ValueError(str(error)) from None


def load(file: Path) -> AuthorizationConfiguration:
    """What the file says. Raises ConfigurationError."""
    return understood(content(file), file)


def understood(found: Any, source: object) -> AuthorizationConfiguration:
    """What was read from `source`, as a configuration. Raises ConfigurationError."""
    made = converted(found, AuthorizationConfiguration, VERSIONS, KIND, source)
    checked(made, source)
    return made


def checked(found: AuthorizationConfiguration, source: object) -> None:
    """Raises ConfigurationError for what is not possible."""
    from argosy.apiserver.authorization.configurationfaults import faults, misnamed

    refuse(source, faults(found))
    if wrong := list(misnamed(found)):
        raise ConfigurationError(f"reading {source}: {'; '.join(wrong)}")


def of_modes(
    modes: Sequence[str],
    webhook: Path | None,
    *,
    version: str = "v1beta1",
    authorized_ttl: str = AUTHORIZED_TTL,
    unauthorized_ttl: str = UNAUTHORIZED_TTL,
) -> AuthorizationConfiguration:
    """What the older flags say. Raises ConfigurationError."""
    if not modes:
        raise ConfigurationError("at least one authorization-mode must be passed")
    for mode in modes:
        if mode not in TYPES:
            raise ConfigurationError(f'authorization-mode "{mode}" is not a valid mode')
    if len(set(modes)) < len(modes):
        shown = " ".join(f'"{mode}"' for mode in modes)
        raise ConfigurationError(f"authorization-mode [{shown}] has mode specified more than once")
    if webhook is None and WEBHOOK in modes:
        raise ConfigurationError(
            "authorization-mode Webhook's authorization config file not passed"
        )
    if webhook is not None and WEBHOOK not in modes:
        text = "cannot specify --authorization-webhook-config-file without mode Webhook"
        raise ConfigurationError(text)
    rules = WebhookRules(
        authorized_ttl=authorized_ttl,
        cache_authorized_requests=_lasts(authorized_ttl),
        unauthorized_ttl=unauthorized_ttl,
        cache_unauthorized_requests=_lasts(unauthorized_ttl),
        timeout="30s",
        failure_policy="NoOpinion",
        subject_access_review_version=version,
        connection_info=ConnectionInfo(
            type="KubeConfigFile",
            kube_config_file=None if webhook is None else str(webhook.absolute()),
        ),
    )
    found = AuthorizationConfiguration(
        authorizers=tuple(
            AuthorizerRules(type=mode, name=LEGACY_NAME, webhook=rules)
            if mode == WEBHOOK
            else AuthorizerRules(type=mode, name=mode.lower())
            for mode in modes
        )
    )
    checked(found, "the flags of authorization")
    return found


def _lasts(ttl: str) -> bool:
    try:
        return seconds(ttl) != 0
    except ValueError as error:
        raise ConfigurationError(str(error)) from None
