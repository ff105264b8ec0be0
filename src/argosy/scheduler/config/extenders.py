"""The extenders of a configuration, as they are asked: files read, certificates looked at."""

from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

from argosy.client.https import transport
from argosy.client.kubeconfig import Access, KubeconfigError
from argosy.scheduler.config.checks import seconds
from argosy.scheduler.config.forms import Extender as Form
from argosy.scheduler.config.forms import TLSConfig
from argosy.scheduler.config.reading import ConfigError
from argosy.scheduler.extenders.extender import Extender

USUAL_SECONDS = 5.0


def extenders(forms: Sequence[Form]) -> tuple[Extender, ...]:
    """All of them, in the order in which they filter. Raises ConfigError."""
    return tuple(_made(form, f"extenders[{index}]") for index, form in enumerate(forms))


def _made(form: Form, path: str) -> Extender:
    extender = Extender(
        access=_access(form, path),
        filter_verb=form.filter_verb,
        prioritize_verb=form.prioritize_verb,
        bind_verb=form.bind_verb,
        weight=form.weight,
        seconds=seconds(form.http_timeout) or USUAL_SECONDS,
        by_name=form.node_cache_capable,
        managed=frozenset(resource.name for resource in form.managed_resources),
        ignorable=form.ignorable,
    )
    try:
        transport(extender.access)
    except KubeconfigError as error:
        raise ConfigError(f"{path}.tlsConfig: {error}") from None
    return extender


def _access(form: Form, path: str) -> Access:
    """Where it is, and how it is known. As upstream has it: `enableHTTPS` without an authority
    takes any certificate."""
    tls = form.tls_config or TLSConfig()
    authority = tls.ca_data or _content(tls.ca_file, f"{path}.tlsConfig.caFile")
    if tls.insecure and authority:
        text = "specifying a root certificates file with the insecure flag is not allowed"
        raise ConfigError(f"{path}.tlsConfig: {text}")
    certificate = tls.cert_data or _content(tls.cert_file, f"{path}.tlsConfig.certFile")
    key = tls.key_data or _content(tls.key_file, f"{path}.tlsConfig.keyFile")
    if bool(certificate) != bool(key):
        text = "certificate and key must be specified together"
        raise ConfigError(f"{path}.tlsConfig: {text}")
    try:
        address = urlsplit(form.url_prefix)
        found = bool(address.hostname) and address.port != 0
    except ValueError:
        found = False
    if not found:
        text = "it has no host, or no port that can be"
        raise ConfigError(f"{path}.urlPrefix: Invalid value: {form.url_prefix!r}: {text}")
    return Access(
        form.url_prefix.rstrip("/"),
        ca=authority.decode(errors="replace"),
        certificate=certificate,
        key=key,
        insecure=tls.insecure or (form.enable_https and not authority),
        server_name=tls.server_name,
    )


def _content(file: str, path: str) -> bytes:
    if not file:
        return b""
    try:
        return Path(file).read_bytes()
    except OSError as error:
        raise ConfigError(f"{path}: reading {file}: {error.strerror or error}") from None
    except ValueError as error:  # what no file can be called
        raise ConfigError(f"{path}: reading {file!r}: {error}") from None
