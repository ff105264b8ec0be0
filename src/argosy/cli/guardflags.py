"""Flags of `argosy up` that say how the cluster is guarded: kube-apiserver's, by its names."""

from pathlib import Path
from typing import Annotated

import typer


def _file(name: str, what: str) -> typer.models.OptionInfo:
    option: typer.models.OptionInfo = typer.Option(
        name, metavar="FILE", help=what, show_default=False
    )
    return option


def _list(name: str, what: str) -> typer.models.OptionInfo:
    option: typer.models.OptionInfo = typer.Option(
        name, metavar="NAME,…", help=what, show_default=False
    )
    return option


def _ttl(name: str, what: str) -> typer.models.OptionInfo:
    option: typer.models.OptionInfo = typer.Option(name, metavar="DURATION", help=what)
    return option


AuthorizationConfig = Annotated[
    Path | None,
    _file(
        "--authorization-config",
        "An AuthorizationConfiguration: who is asked what is allowed, in which order.",
    ),
]
AuthorizationMode = Annotated[
    str,
    _list(
        "--authorization-mode",
        "The same in short: Node, RBAC, Webhook, AlwaysAllow, AlwaysDeny  [default: Node,RBAC]",
    ),
]
AuthorizationWebhook = Annotated[
    Path | None,
    _file(
        "--authorization-webhook-config-file",
        "A kubeconfig whose server is asked by the mode Webhook.",
    ),
]
AuthorizationVersion = Annotated[
    str,
    typer.Option(
        "--authorization-webhook-version",
        metavar="VERSION",
        help="The version of the SubjectAccessReviews that it is sent.",
    ),
]
AuthorizedTTL = Annotated[
    str, _ttl("--authorization-webhook-cache-authorized-ttl", "How long its yes holds.")
]
UnauthorizedTTL = Annotated[
    str, _ttl("--authorization-webhook-cache-unauthorized-ttl", "How long its no holds.")
]
TokenWebhook = Annotated[
    Path | None,
    _file(
        "--authentication-token-webhook-config-file",
        "A kubeconfig whose server is asked whose a token is.",
    ),
]
TokenVersion = Annotated[
    str,
    typer.Option(
        "--authentication-token-webhook-version",
        metavar="VERSION",
        help="The version of the TokenReviews that it is sent.",
    ),
]
TokenTTL = Annotated[
    str, _ttl("--authentication-token-webhook-cache-ttl", "How long its answers hold.")
]
ProxyAuthority = Annotated[
    Path | None,
    _file(
        "--requestheader-client-ca-file",
        "Certificates of the authority of a proxy that says who asks, in headers.",
    ),
]
ProxyNames = Annotated[
    str,
    _list(
        "--requestheader-allowed-names",
        "Common names of the proxy's certificate; none allows any of the authority.",
    ),
]
ProxyUsernames = Annotated[
    str, _list("--requestheader-username-headers", "Headers with the user: X-Remote-User.")
]
ProxyGroups = Annotated[
    str, _list("--requestheader-group-headers", "Headers with the groups: X-Remote-Group.")
]
ProxyExtra = Annotated[
    str,
    _list("--requestheader-extra-headers-prefix", "Beginnings of other headers: X-Remote-Extra-."),
]
ProxyUids = Annotated[
    str, _list("--requestheader-uid-headers", "Headers with the uid: X-Remote-Uid.")
]
EnableAdmission = Annotated[
    str, _list("--enable-admission-plugins", "Admission plugins to run beside the usual ones.")
]
DisableAdmission = Annotated[
    str, _list("--disable-admission-plugins", "Admission plugins not to run.")
]
AdmissionConfig = Annotated[
    Path | None,
    _file(
        "--admission-control-config-file",
        "An AdmissionConfiguration: what PodSecurity and EventRateLimit are told.",
    ),
]
