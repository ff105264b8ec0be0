"""`argosy install`: bring the AI platform to a cluster, or print what would be brought."""

import asyncio
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from argosy.cli.connecting import (
    NO_CLUSTER,
    Context,
    Kubeconfig,
    access,
    connected,
    only_option,
    what_helps,
)
from argosy.cli.operators import Only
from argosy.cli.terminal import fail, say

if TYPE_CHECKING:
    from argosy.client.kubeconfig import Access
    from argosy.cluster.manifests import Settings


def install(
    kubeconfig: Kubeconfig = None,
    context: Context = "",
    namespace: Annotated[
        str, typer.Option("--namespace", "-n", help="Where the controllers run.")
    ] = "argosy-system",
    image: Annotated[
        str,
        typer.Option(
            help="The image of the controllers: any with argosy on its PATH  "
            "[default: argosy:VERSION]",
            show_default=False,
        ),
    ] = "",
    pod_image: Annotated[
        str,
        typer.Option(
            metavar="IMAGE",
            help="The image of pods that read and serve models  [default: that of --image]",
            show_default=False,
        ),
    ] = "",
    replicas: Annotated[
        int, typer.Option(min=0, help="Instances of the controllers; one of them works.")
    ] = 1,
    only: Only = "",
    with_scheduler: Annotated[
        bool,
        typer.Option("--with-scheduler", help="Also place pods with schedulerName: argosy."),
    ] = False,
    output: Annotated[
        str,
        typer.Option(
            "--output", "-o", metavar="FORMAT", help="yaml: print the objects, and do nothing."
        ),
    ] = "",
    chart: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Write a Helm chart of the same objects there, and do nothing.",
            show_default=False,
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Ask the cluster what would come of it.")
    ] = False,
    force_conflicts: Annotated[
        bool, typer.Option("--force-conflicts", help="Take back fields that others have changed.")
    ] = False,
) -> None:
    """Bring what the AI platform's controllers need to a cluster, and run them there.

    Definitions of their kinds, an account with the least rights that they use, a Deployment, and a
    Service for its metrics. To run it again is an upgrade; argosy uninstall takes it away.
    """
    from argosy.base.manifest import dumped
    from argosy.cluster.chart import chart as charted
    from argosy.cluster.chart import written
    from argosy.cluster.foreign import chosen
    from argosy.cluster.manifests import Settings, manifests

    if output not in ("", "yaml"):
        fail(
            f"unknown output format {output!r}", "-o yaml prints the objects; --chart DIR for Helm"
        )
    try:
        settings = Settings(
            kinds=chosen(only_option(only)),
            namespace=namespace,
            pod_image=pod_image,
            replicas=replicas,
            scheduler=with_scheduler,
        )
    except ValueError as error:
        fail(str(error), "for example: --only trainjobs,modelversions")
    settings = replace(settings, image=image) if image else settings
    if output:
        sys.stdout.write(dumped(*manifests(settings)))
    elif chart is not None:
        try:
            written(charted(settings), chart)
        except OSError as error:
            fail(f"writing {chart}: {error.strerror}", "choose a folder that you may write to")
        say(f"helm install argosy {chart} --namespace {namespace} --create-namespace")
    else:
        _carried_out(access(kubeconfig, context), settings, dry=dry_run, force=force_conflicts)


def _carried_out(found: "Access", settings: "Settings", *, dry: bool, force: bool) -> None:
    from argosy.base.errors import StatusError
    from argosy.cluster.install import InstallError

    try:
        asyncio.run(_install(found, settings, dry=dry, force=force))
    except InstallError as error:
        fail(str(error), error.hint)
    except StatusError as error:
        conflict = error.reason == "Conflict"
        usual = "who installs must be an admin of the cluster"
        hint = "--force-conflicts takes these fields back" if conflict else usual
        fail(str(error), what_helps(error, hint))
    except OSError as error:
        fail(str(error), what_helps(error, NO_CLUSTER))


async def _install(found: "Access", settings: "Settings", *, dry: bool, force: bool) -> None:
    from argosy.base.clock import SystemClock
    from argosy.cluster.install import FIELD_MANAGER, Installation

    clock = SystemClock()
    async with connected(found, clock, FIELD_MANAGER) as client:
        await Installation(client, clock, settings, line, say, dry, force).run()


def line(text: str) -> None:
    """A line of what a command is for."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()
