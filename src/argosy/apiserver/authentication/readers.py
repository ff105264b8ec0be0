"""All ways of saying who one is, put together in upstream's order."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from argosy.apiserver.authentication.accounts import ServiceAccountTokens
from argosy.apiserver.authentication.authenticator import OPEN_PATHS, Authenticator
from argosy.apiserver.authentication.bootstraptokens import BootstrapTokens
from argosy.apiserver.authentication.certificates import ClientCertificates, authorities
from argosy.apiserver.authentication.frontproxy import Claims, FrontProxy, ProxyRules
from argosy.apiserver.authentication.keys import Keys
from argosy.apiserver.authentication.legacy import LegacyTokens, Used
from argosy.apiserver.authentication.tokens import RemoteReader, Tokens
from argosy.apiserver.guards import Guards
from argosy.apiserver.outbound import Outbound
from argosy.base.clock import Clock
from argosy.store.interface import Record

if TYPE_CHECKING:
    from argosy.apiserver.authentication.configured import Issuing
    from argosy.apiserver.authentication.tokenwebhook import TokenWebhookRules


def authenticator(
    tokens: Tokens,
    keys: Keys,
    look: Callable[[str], Record | None],
    clock: Clock,
    *,
    issued: "Issuing | None" = None,
    guards: Guards | None = None,
    used: Used | None = None,
    outbound: Outbound | None = None,
) -> Authenticator:
    """The authenticator of a server whose objects `look` finds; others' tokens as `issued`."""
    guards = guards or Guards()
    remote: tuple[RemoteReader, ...] = ()
    open_paths: frozenset[str] | None = OPEN_PATHS
    if issued is not None:
        remote = (issued.issuers,)
        if issued.found.anonymous is not None:
            open_paths = issued.found.anonymous.paths
    if guards.token_webhook is not None and outbound is not None:
        remote = (*remote, _webhook(guards.token_webhook, outbound, clock))
    proxy, claims = _front_proxy(guards.front_proxy, clock)
    issuers = None if guards.client_authority is None else authorities(guards.client_authority)
    readers = (
        ServiceAccountTokens(keys, look, clock),
        LegacyTokens(keys, look, clock, used or Used()),
        BootstrapTokens(look, clock),
    )
    known = ClientCertificates(clock, issuers)
    return Authenticator(tokens, readers, remote, known, open_paths, proxy, claims)


def _front_proxy(rules: ProxyRules | None, clock: Clock) -> tuple[FrontProxy | None, Claims]:
    if rules is None:
        return None, Claims()
    certificates = ClientCertificates(clock, authorities(rules.authority))
    return FrontProxy(rules, certificates), Claims.of(rules)


def _webhook(rules: "TokenWebhookRules", outbound: Outbound, clock: Clock) -> RemoteReader:
    from argosy.apiserver.authentication.tokenwebhook import GROUP, SECONDS, TokenWebhook
    from argosy.apiserver.reviewer import Reviewer

    version = f"{GROUP}/{rules.version}"
    reviewer = Reviewer(outbound, rules.remote, clock, version, "TokenReview", SECONDS)
    return TokenWebhook(reviewer, rules.ttl)
