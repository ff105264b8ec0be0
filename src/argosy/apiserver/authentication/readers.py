"""All ways of saying who one is, put together in upstream's order."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from argosy.apiserver.authentication.accounts import ServiceAccountTokens
from argosy.apiserver.authentication.authenticator import OPEN_PATHS, Authenticator
from argosy.apiserver.authentication.bootstraptokens import BootstrapTokens
from argosy.apiserver.authentication.certificates import ClientCertificates
from argosy.apiserver.authentication.keys import Keys
from argosy.apiserver.authentication.legacy import LegacyTokens
from argosy.apiserver.authentication.tokens import RemoteReader, Tokens
from argosy.base.clock import Clock
from argosy.store.interface import Record

if TYPE_CHECKING:
    from argosy.apiserver.authentication.configuration import AuthenticationConfiguration


def authenticator(
    tokens: Tokens,
    keys: Keys,
    look: Callable[[str], Record | None],
    clock: Clock,
    *,
    configuration: "AuthenticationConfiguration | None" = None,
) -> Authenticator:
    """The authenticator of a server whose objects `look` finds; others' tokens as configured."""
    remote: tuple[RemoteReader, ...] = ()
    open_paths: frozenset[str] | None = OPEN_PATHS
    if configuration is not None:
        from argosy.apiserver.authentication.oidc import (
            Issuers,
            issued_tokens,
        )  # most start without

        named = {one.issuer.url: issued_tokens(one, clock) for one in configuration.jwt}
        remote = (Issuers(named),)
        if configuration.anonymous is not None:
            open_paths = configuration.anonymous.paths
    readers = (
        ServiceAccountTokens(keys, look, clock),
        LegacyTokens(keys, look),
        BootstrapTokens(look, clock),
    )
    return Authenticator(tokens, readers, remote, ClientCertificates(clock), open_paths)
