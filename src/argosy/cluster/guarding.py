"""How the embedded cluster is guarded, as `argosy up` was asked for it: files read, flags checked.

The flags are kube-apiserver's, and so are the words about those that can't be.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from argosy.apiserver.configfile import ConfigurationError
from argosy.apiserver.guards import Guards

if TYPE_CHECKING:
    from argosy.apiserver.admission.configuration import AdmissionRules
    from argosy.apiserver.authentication.configuration import AuthenticationConfiguration
    from argosy.apiserver.authentication.frontproxy import ProxyRules
    from argosy.apiserver.authentication.tokenwebhook import TokenWebhookRules
    from argosy.apiserver.authorization.configuration import AuthorizationConfiguration

VERSION: Final = "v1beta1"
"""Of reviews, where no flag says which: upstream's default."""
STANDARD: Final = {"username": "X-Remote-User", "group": "X-Remote-Group", "uid": "X-Remote-Uid"}

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Guarding:
    """The flags, as they were given; lists are separated by commas, durations are in Go's form."""

    authentication_config: Path | None = None
    authorization_config: Path | None = None
    authorization_mode: str = ""
    authorization_webhook: Path | None = None
    authorization_version: str = VERSION
    authorized_ttl: str = "5m0s"
    unauthorized_ttl: str = "30s"
    token_webhook: Path | None = None
    token_version: str = VERSION
    token_ttl: str = "2m0s"
    proxy_authority: Path | None = None
    proxy_names: str = ""
    proxy_usernames: str = ""
    proxy_groups: str = ""
    proxy_extra: str = ""
    proxy_uids: str = ""
    enable_admission: str = ""
    disable_admission: str = ""
    admission_config: Path | None = None


def guards(asked: Guarding, client_authority: bytes) -> Guards:
    """What was asked for. Raises ConfigurationError.

    `client_authority`, PEM, issues the certificates of the cluster's own clients.
    """
    proxy = _proxy(asked, client_authority)
    return Guards(
        authentication=_authentication(asked),
        authentication_file=asked.authentication_config,
        authorization=_authorization(asked),
        authorization_file=asked.authorization_config,
        token_webhook=_token_webhook(asked),
        front_proxy=proxy,
        client_authority=None if proxy is None else client_authority,
        admission=_admission(asked),
    )


def secret_files(asked: Guarding) -> list[Path]:
    """Those that hold what shows webhooks who asks. Raises ConfigurationError."""
    files = [asked.authorization_webhook, asked.token_webhook]
    found = _authorization(asked)
    for one in () if found is None or asked.authorization_config is None else found.authorizers:
        if one.webhook is not None and one.webhook.connection_info.kube_config_file:
            files.append(Path(one.webhook.connection_info.kube_config_file))
    return [file for file in files if file is not None]


def _authentication(asked: Guarding) -> "AuthenticationConfiguration | None":
    if asked.authentication_config is None:
        return None
    from argosy.apiserver.authentication.configuration import load

    return load(asked.authentication_config)


def _authorization(asked: Guarding) -> "AuthorizationConfiguration | None":
    if asked.authorization_config is None:
        if not asked.authorization_mode and asked.authorization_webhook is None:
            return None
        from argosy.apiserver.authorization.configuration import of_modes

        return of_modes(
            _listed(asked.authorization_mode) or ("Node", "RBAC"),
            asked.authorization_webhook,
            version=asked.authorization_version,
            authorized_ttl=asked.authorized_ttl,
            unauthorized_ttl=asked.unauthorized_ttl,
        )
    if asked.authorization_mode or asked.authorization_webhook is not None:
        raise ConfigurationError(
            "--authorization-config can not be specified when --authorization-mode or "
            "--authorization-webhook-* flags are defined"
        )
    from argosy.apiserver.authorization.configuration import load

    return load(asked.authorization_config)


def _token_webhook(asked: Guarding) -> "TokenWebhookRules | None":
    if asked.token_webhook is None:
        return None
    from argosy.apiserver.authentication.tokenwebhook import VERSIONS, TokenWebhookRules
    from argosy.apiserver.authorization.configuration import seconds
    from argosy.apiserver.remotes import RemoteError, read

    if asked.token_version not in VERSIONS:
        shown = ", ".join(f'"{version}"' for version in sorted(VERSIONS))
        raise ConfigurationError(
            f'unsupported authentication webhook version "{asked.token_version}", '
            f"supported versions are {shown}"
        )
    try:
        remote = read(asked.token_webhook, "authentication webhook")
        ttl = seconds(asked.token_ttl)
    except (RemoteError, ValueError) as error:
        raise ConfigurationError(str(error)) from None
    return TokenWebhookRules(remote=remote, version=asked.token_version, ttl=ttl)


def _proxy(asked: Guarding, client_authority: bytes) -> "ProxyRules | None":
    named = {
        "username": _headers("requestheader-username-headers", asked.proxy_usernames),
        "group": _headers("requestheader-group-headers", asked.proxy_groups),
        "uid": _headers("requestheader-uid-headers", asked.proxy_uids),
        "extra": _headers("requestheader-extra-headers-prefix", asked.proxy_extra),
    }
    names = _words("requestheader-allowed-names", asked.proxy_names)
    if named["uid"] and STANDARD["uid"].lower() not in named["uid"]:
        raise ConfigurationError(
            "--requestheader-uid-headers is set without specifying the standard X-Remote-Uid "
            "header - API aggregation will not work"
        )
    if asked.proxy_authority is None:
        return None
    from argosy.apiserver.authentication.certificates import authorities
    from argosy.apiserver.authentication.frontproxy import ProxyRules

    file = asked.proxy_authority
    try:
        authority = file.read_bytes()
        found = authorities(authority)
    except OSError as error:
        raise ConfigurationError(f"reading {file}: {error.strerror or error}") from None
    except ValueError:
        raise ConfigurationError(f"reading {file}: it holds no certificates (PEM)") from None
    if not names and set(found) & set(authorities(client_authority)):
        log.warning("any client of the cluster's own authority may name any user: a front proxy's")
    return ProxyRules(
        authority=authority,
        names=frozenset(names),
        username=named["username"],
        uid=named["uid"],
        group=named["group"],
        extra=named["extra"],
    )


def _admission(asked: Guarding) -> "AdmissionRules | None":
    enabled, disabled = _listed(asked.enable_admission), _listed(asked.disable_admission)
    if not enabled and not disabled and asked.admission_config is None:
        return None
    from argosy.apiserver.admission.configuration import AdmissionRules, load

    rules = AdmissionRules(enabled=frozenset(enabled), disabled=frozenset(disabled))
    return rules if asked.admission_config is None else load(asked.admission_config, rules)


def _headers(flag: str, text: str) -> tuple[str, ...]:
    return tuple(word.lower() for word in _words(flag, text))


def _words(flag: str, text: str) -> tuple[str, ...]:
    words = tuple(word.strip() for word in text.split(",")) if text else ()
    if not all(words):
        raise ConfigurationError(f'empty value in "{flag}"')
    return words


def _listed(text: str) -> Sequence[str]:
    return tuple(text.split(",")) if text else ()
