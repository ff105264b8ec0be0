"""`argosy operators`: run the AI platform's controllers against a cluster until told to stop."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from argosy.base import log
from argosy.cli.connecting import (
    NO_CLUSTER,
    Context,
    Kubeconfig,
    access,
    connected,
    only_option,
    what_helps,
)
from argosy.cli.terminal import fail, say

if TYPE_CHECKING:
    from argosy.client.kubeconfig import Access
    from argosy.cluster.foreign import Wanted
    from argosy.scheduler.profiles import Setup

Only = Annotated[
    str,
    typer.Option(
        metavar="KINDS",
        help="Which: trainjobs, modelversions, inferenceservices  [default: all]",
        show_default=False,
    ),
]
OFF = ("", "0")


def operators(
    kubeconfig: Kubeconfig = None,
    context: Context = "",
    only: Only = "",
    leader_elect: Annotated[
        bool, typer.Option(help="Work only while no other instance does, by a Lease.")
    ] = False,
    leader_elect_namespace: Annotated[
        str,
        typer.Option(
            help="Where the Lease is  [default: the pod's namespace, or argosy-system]",
            show_default=False,
        ),
    ] = "",
    pod_image: Annotated[
        str,
        typer.Option(
            metavar="IMAGE",
            help="The image of pods that read and serve models; host is a process of the node.",
        ),
    ] = "host",
    scheduler: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help="Also place the pods that have this schedulerName.",
            show_default=False,
        ),
    ] = "",
    scheduler_config: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Place the pods of a KubeSchedulerConfiguration's profiles, as it says.",
            show_default=False,
        ),
    ] = None,
    metrics_bind_address: Annotated[
        str,
        typer.Option(metavar="HOST:PORT", help="Where metrics are answered; 0 is nowhere."),
    ] = "0",
    health_probe_bind_address: Annotated[
        str,
        typer.Option(metavar="HOST:PORT", help="Where probes are answered; 0 is nowhere."),
    ] = "0",
    log_level: Annotated[str, typer.Option(help="debug, info, warning or error.")] = "warning",
) -> None:
    """Run the AI platform's controllers against a cluster, and stay until SIGTERM or Ctrl-C.

    They are those of argosy up: TrainJobs, ModelVersions and InferenceServices. Kinds that the
    cluster does not serve are waited for; argosy install brings their definitions.
    """
    from argosy.base.errors import StatusError
    from argosy.client.kubeconfig import POD_FOLDER
    from argosy.cluster.foreign import Wanted, chosen
    from argosy.cluster.manifests import NAMESPACE
    from argosy.runtime.health import address

    if log_level not in ("debug", "info", "warning", "error"):
        fail(f"unknown log level {log_level!r}", "use debug, info, warning or error")
    log.configure(log_level)
    try:
        kinds = chosen(only_option(only))
        asked = (metrics_bind_address, health_probe_bind_address)
        doors = tuple(dict.fromkeys(address(text) for text in asked if text not in OFF))
    except ValueError as error:
        fail(str(error), "for example: --only trainjobs --metrics-bind-address :8080")
    if scheduler and scheduler_config:
        fail("--scheduler and --scheduler-config: one of them", "the file has names of its own")
    setup = _setup(scheduler_config) if scheduler_config else None
    found = access(kubeconfig, context)
    in_pod = found.token_file == POD_FOLDER / "token"
    place = leader_elect_namespace or (found.namespace if in_pod else NAMESPACE)
    wanted = Wanted(
        kinds=kinds,
        image=pod_image,
        namespace=place * leader_elect,
        doors=doors,
        scheduler=", ".join(profile.name for profile in setup.profiles) if setup else scheduler,
        setup=setup,
    )
    try:
        asyncio.run(_run(found, wanted))
    except StatusError as error:
        fail(
            str(error), what_helps(error, "the account must be allowed what argosy install grants")
        )
    except ConnectionError as error:
        fail(str(error), what_helps(error, NO_CLUSTER))
    except OSError as error:
        hint = "--metrics-bind-address and --health-probe-bind-address say where to listen"
        fail(error.strerror or str(error), hint)


def _setup(file: Path) -> "Setup":
    from argosy.base.clock import SystemClock
    from argosy.scheduler.config.reading import ConfigError
    from argosy.scheduler.config.setup import configured

    try:
        return configured(file, SystemClock())
    except ConfigError as error:
        fail(str(error), error.hint)


async def _run(found: "Access", wanted: "Wanted") -> None:
    from argosy.base.clock import SystemClock
    from argosy.cluster.foreign import Foreign, until_signalled

    clock = SystemClock()
    async with connected(found, clock, "argosy") as client:
        await until_signalled(Foreign(client, clock, wanted, say))
