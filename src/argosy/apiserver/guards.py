"""How a server is guarded where that is not as usual: who is asked, who is believed, what is on."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from argosy.apiserver.admission.configuration import AdmissionRules
    from argosy.apiserver.authentication.configuration import AuthenticationConfiguration
    from argosy.apiserver.authentication.frontproxy import ProxyRules
    from argosy.apiserver.authentication.tokenwebhook import TokenWebhookRules
    from argosy.apiserver.authorization.configuration import AuthorizationConfiguration


@dataclass(frozen=True, slots=True, kw_only=True)
class Guards:
    """All of it. The two files are followed; `client_authority` (PEM) issues the clients'
    certificates, and has to be named where TLS trusts others too.
    """

    authentication: "AuthenticationConfiguration | None" = None
    authentication_file: Path | None = None
    authorization: "AuthorizationConfiguration | None" = None
    authorization_file: Path | None = None
    token_webhook: "TokenWebhookRules | None" = None
    front_proxy: "ProxyRules | None" = None
    client_authority: bytes | None = None
    admission: "AdmissionRules | None" = None
