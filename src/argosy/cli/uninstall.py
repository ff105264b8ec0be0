"""`argosy uninstall`: take away what `argosy install` brought."""

import asyncio
from typing import TYPE_CHECKING, Annotated

import typer

from argosy.cli.connecting import NO_CLUSTER, Context, Kubeconfig, access, connected, what_helps
from argosy.cli.install import line
from argosy.cli.terminal import fail, say

if TYPE_CHECKING:
    from argosy.client.kubeconfig import Access


def uninstall(
    kubeconfig: Kubeconfig = None,
    context: Context = "",
    keep_crds: Annotated[
        bool, typer.Option("--keep-crds", help="Leave the definitions, and the objects of them.")
    ] = False,
    delete_data: Annotated[
        bool,
        typer.Option(
            "--delete-data", help="Delete the definitions even though there are objects of them."
        ),
    ] = False,
) -> None:
    """Take away what argosy install has brought to a cluster, and nothing else.

    The namespace goes if nothing of anybody else's is in it.
    """
    from argosy.base.errors import StatusError
    from argosy.cluster.install import InstallError

    if keep_crds and delete_data:
        fail("--keep-crds and --delete-data exclude each other", "give one of them")
    found = access(kubeconfig, context)
    try:
        asyncio.run(_uninstall(found, keep_crds, delete_data))
    except InstallError as error:
        fail(str(error), error.hint)
    except StatusError as error:
        fail(str(error), what_helps(error, "who uninstalls must be an admin of the cluster"))
    except OSError as error:
        fail(str(error), what_helps(error, NO_CLUSTER))


async def _uninstall(found: "Access", keep: bool, data: bool) -> None:
    from argosy.base.clock import SystemClock
    from argosy.cluster.install import FIELD_MANAGER
    from argosy.cluster.uninstall import Removal

    clock = SystemClock()
    async with connected(found, clock, FIELD_MANAGER) as client:
        await Removal(client, clock, line, say, keep, data).run()
