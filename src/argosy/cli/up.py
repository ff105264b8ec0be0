"""`argosy up`: run the embedded cluster until it is told to stop."""

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from argosy.base import log
from argosy.cli import guardflags as flags
from argosy.cli.terminal import fail, say

if TYPE_CHECKING:
    from argosy.api.features import Switches
    from argosy.cluster.auditing import Auditing
    from argosy.node.simulated.groups import Group

DEFAULT_PORT = 6443


def default_data_dir() -> Path:
    """`argosy` in the user's data folder (`XDG_DATA_HOME`)."""
    base = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(base) / "argosy"


def up(
    data_dir: Annotated[
        Path | None,
        typer.Option(
            help="Where the cluster keeps everything  [default: ~/.local/share/argosy]",
            show_default=False,
        ),
    ] = None,
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="The API's port; 0 takes any free one.")
    ] = DEFAULT_PORT,
    listen: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ADDR",
            help="An address to listen on; may be given several times  [default: 127.0.0.1]",
            show_default=False,
        ),
    ] = None,
    simulate_gpus: Annotated[
        str,
        typer.Option(
            metavar="SPEC",
            help="GPUs to pretend to have: 1, 8xH100, 2xA100(memory=40Gi),4xL4. They can be "
            "claimed and shared; they compute nothing.",
            show_default=False,
        ),
    ] = "",
    simulate_nodes: Annotated[
        list[str] | None,
        typer.Option(
            metavar="SPEC",
            help="Nodes to pretend to have: 1000x(cpu=64,memory=512Gi,gpu=8xH100),20x(cpu=8); may "
            "be given several times. Pods seem to run there; nothing does.",
            show_default=False,
        ),
    ] = None,
    feature_gates: Annotated[
        str,
        typer.Option(
            metavar="GATE=BOOL,…",
            help="Feature gates to open or close, as kube-apiserver takes them.",
            show_default=False,
        ),
    ] = "",
    runtime_config: Annotated[
        str,
        typer.Option(
            metavar="API=BOOL,…",
            help="API versions to serve or not: api/all=true, apps/v1=false, "
            "scheduling.k8s.io/v1alpha3=true.",
            show_default=False,
        ),
    ] = "",
    emulated_version: Annotated[
        str,
        typer.Option(
            metavar="MINOR",
            help="The Kubernetes minor to be: 1.36, or kube=1.36  [default: 1.37]",
            show_default=False,
        ),
    ] = "",
    authentication_config: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="An AuthenticationConfiguration: whose tokens (JWT) are taken beside our own.",
            show_default=False,
        ),
    ] = None,
    enable_priority_and_fairness: Annotated[
        bool,
        typer.Option(help="Divide the server fairly among its users; else only bound their sum."),
    ] = True,
    max_requests_inflight: Annotated[
        int, typer.Option(min=0, help="Requests in progress at once that read.")
    ] = 400,
    max_mutating_requests_inflight: Annotated[
        int,
        typer.Option(min=0, help="Those that write. With fairness, the sum of both is divided."),
    ] = 200,
    authorization_config: flags.AuthorizationConfig = None,
    authorization_mode: flags.AuthorizationMode = "",
    authorization_webhook_config_file: flags.AuthorizationWebhook = None,
    authorization_webhook_version: flags.AuthorizationVersion = "v1beta1",
    authorization_webhook_cache_authorized_ttl: flags.AuthorizedTTL = "5m0s",
    authorization_webhook_cache_unauthorized_ttl: flags.UnauthorizedTTL = "30s",
    authentication_token_webhook_config_file: flags.TokenWebhook = None,
    authentication_token_webhook_version: flags.TokenVersion = "v1beta1",
    authentication_token_webhook_cache_ttl: flags.TokenTTL = "2m0s",
    requestheader_client_ca_file: flags.ProxyAuthority = None,
    requestheader_allowed_names: flags.ProxyNames = "",
    requestheader_username_headers: flags.ProxyUsernames = "",
    requestheader_group_headers: flags.ProxyGroups = "",
    requestheader_extra_headers_prefix: flags.ProxyExtra = "",
    requestheader_uid_headers: flags.ProxyUids = "",
    enable_admission_plugins: flags.EnableAdmission = "",
    disable_admission_plugins: flags.DisableAdmission = "",
    admission_control_config_file: flags.AdmissionConfig = None,
    encryption_provider_config: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="An EncryptionConfiguration: which resources are encrypted on the disk.",
            show_default=False,
        ),
    ] = None,
    encryption_provider_config_automatic_reload: Annotated[
        bool,
        typer.Option(
            "--encryption-provider-config-automatic-reload",
            help="Follow that file while the cluster runs.",
        ),
    ] = False,
    audit_policy_file: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="An audit policy: what the audit log tells of which requests.",
            show_default=False,
        ),
    ] = None,
    audit_log_path: Annotated[
        str,
        typer.Option(
            metavar="FILE", help="Where the audit log goes; - is stdout.", show_default=False
        ),
    ] = "",
    audit_webhook_config_file: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="A kubeconfig whose server is sent the audit log too.",
            show_default=False,
        ),
    ] = None,
    audit_log_maxsize: Annotated[
        int, typer.Option(min=0, help="MiB after which a new audit log is begun.")
    ] = 100,
    audit_log_maxbackup: Annotated[
        int, typer.Option(min=0, help="Older audit logs that are kept; 0 keeps all.")
    ] = 100,
    audit_log_maxage: Annotated[
        int, typer.Option(min=0, help="Days that older audit logs are kept; 0 is forever.")
    ] = 366,
    scheduler_config: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="A KubeSchedulerConfiguration: the scheduler's profiles, plugins and extenders.",
            show_default=False,
        ),
    ] = None,
    log_level: Annotated[str, typer.Option(help="debug, info, warning or error.")] = "warning",
) -> None:
    """Start an embedded Kubernetes on this machine and stay until SIGTERM or Ctrl-C.

    The admin kubeconfig is at DATA_DIR/kubeconfig. The data stays; the pods end with the cluster.
    """
    # Only this command needs the cluster: the others start faster without it.
    from argosy.cluster.embedded import Options, StartError, run
    from argosy.cluster.guarding import Guarding
    from argosy.node.gpus import parse_gpus

    if log_level not in ("debug", "info", "warning", "error"):
        fail(f"unknown log level {log_level!r}", "use debug, info, warning or error")
    log.configure(log_level)
    try:
        gpus = parse_gpus(simulate_gpus) if simulate_gpus else ()
    except ValueError as error:
        fail(f"--simulate-gpus {simulate_gpus}: {error}", "for example: --simulate-gpus 2xH100")
    folder = (data_dir or default_data_dir()).expanduser().absolute()
    simulated = _simulated(simulate_nodes) if simulate_nodes else ()
    options = Options(
        data_dir=folder,
        port=port,
        listen=tuple(listen or ["127.0.0.1"]),
        gpus=gpus,
        simulated=simulated,
        switches=_switches(emulated_version, feature_gates, runtime_config),
        encryption_provider_config=encryption_provider_config,
        encryption_provider_config_reload=encryption_provider_config_automatic_reload,
        auditing=_auditing(
            audit_policy_file,
            audit_log_path,
            audit_webhook_config_file,
            size=audit_log_maxsize,
            backups=audit_log_maxbackup,
            days=audit_log_maxage,
        ),
        reading_inflight=max_requests_inflight,
        writing_inflight=max_mutating_requests_inflight,
        fair=enable_priority_and_fairness,
        scheduler_config=scheduler_config,
    )

    options = replace(
        options,
        guarding=Guarding(
            authentication_config=authentication_config,
            authorization_config=authorization_config,
            authorization_mode=authorization_mode,
            authorization_webhook=authorization_webhook_config_file,
            authorization_version=authorization_webhook_version,
            authorized_ttl=authorization_webhook_cache_authorized_ttl,
            unauthorized_ttl=authorization_webhook_cache_unauthorized_ttl,
            token_webhook=authentication_token_webhook_config_file,
            token_version=authentication_token_webhook_version,
            token_ttl=authentication_token_webhook_cache_ttl,
            proxy_authority=requestheader_client_ca_file,
            proxy_names=requestheader_allowed_names,
            proxy_usernames=requestheader_username_headers,
            proxy_groups=requestheader_group_headers,
            proxy_extra=requestheader_extra_headers_prefix,
            proxy_uids=requestheader_uid_headers,
            enable_admission=enable_admission_plugins,
            disable_admission=disable_admission_plugins,
            admission_config=admission_control_config_file,
        ),
    )

    def ready(url: str) -> None:
        say(f"argosy is ready at {url}")
        say(f"export KUBECONFIG={folder / 'kubeconfig'}")

    try:
        run(options, ready)
    except StartError as error:
        fail(str(error), error.hint)


def _simulated(specs: list[str]) -> "tuple[Group, ...]":
    from argosy.node.simulated.groups import parse_groups

    try:
        return parse_groups(specs)
    except ValueError as error:
        example = "1000x(cpu=64,memory=512Gi,gpu=8xH100)"
        fail(f"--simulate-nodes: {error}", f'for example: --simulate-nodes "{example}"')


def _auditing(
    policy: Path | None,
    path: str,
    webhook: Path | None,
    *,
    size: int,
    backups: int,
    days: int,
) -> "Auditing | None":
    places = bool(path) or webhook is not None
    if policy is None and not places:
        return None
    if policy is None or not places:
        fail(
            "half of an audit log: it needs a policy, and a place to go",
            "give --audit-policy-file with --audit-log-path or --audit-webhook-config-file",
        )
    from argosy.cluster.auditing import Auditing

    return Auditing(
        policy=policy, path=path, webhook=webhook, size=size, backups=backups, days=days
    )


def _switches(emulated_version: str, feature_gates: str, runtime_config: str) -> "Switches":
    from argosy.api.builtin import minors
    from argosy.api.features import parse_emulated_version, switches
    from argosy.api.kinds import RESOURCES
    from argosy.cluster.server import MINOR

    try:
        minor = parse_emulated_version(emulated_version, minors()) if emulated_version else MINOR
        chosen = switches(
            RESOURCES, minor, feature_gates=feature_gates, runtime_config=runtime_config
        )
    except ValueError as error:
        fail(str(error), "write GATE=true, apps/v1=false, and minors like 1.36")
    for text in chosen.gates.warnings():
        say(f"warning: {text}")
    return chosen
