"""Which cluster a command means, and the client for it."""

import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from argosy.cli.terminal import fail, say
from argosy.cli.up import default_data_dir

if TYPE_CHECKING:
    from argosy.base.clock import Clock
    from argosy.client.client import Client
    from argosy.client.kubeconfig import Access

Kubeconfig = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="The cluster  [default: $KUBECONFIG, a pod's own cluster, ~/.kube/config, "
        "or that of argosy up]",
        show_default=False,
    ),
]
Context = Annotated[
    str,
    typer.Option(help="A context of the kubeconfig  [default: its current]", show_default=False),
]
NO_CLUSTER = "is the cluster running? kubectl cluster-info asks the same one"


def access(kubeconfig: Path | None, context: str) -> "Access":
    """How to reach the cluster that is meant, which is told; ends the command where there is none.

    As kubectl has it, but a pod's own cluster comes before the files of its home.
    """
    from argosy.client.kubeconfig import KubeconfigError, in_cluster, load

    try:
        named = named_file(kubeconfig)
        here = in_cluster() if named is None and not context else None
        found = here or load(named or usual_file(), context)
    except KubeconfigError as error:
        fail(str(error), "name the cluster's kubeconfig with --kubeconfig")
    say(f"cluster: {found.server}")
    return found


def named_file(kubeconfig: Path | None) -> Path | None:
    """The file that the flag or the environment names."""
    named = str(kubeconfig or os.environ.get("KUBECONFIG", "").split(os.pathsep)[0])
    return Path(os.path.expanduser(named)) if named else None  # `~nobody` stays as it is


def usual_file() -> Path:
    """The user's own, or the one of `argosy up` where there is none."""
    own = Path.home() / ".kube" / "config"
    return own if own.exists() else default_data_dir() / "kubeconfig"


def what_helps(error: Exception, usual: str) -> str:
    """The hint on an error: `usual`, unless it is about who asks."""
    from argosy.base.errors import StatusError
    from argosy.client.credentials import CredentialsError

    if isinstance(error, StatusError) and error.code == 401:
        return "the kubeconfig's credentials are not taken (any more): kubectl auth whoami"
    if isinstance(error, CredentialsError):
        return "its user in the kubeconfig says where credentials come from"
    return usual


@asynccontextmanager
async def connected(
    found: "Access", clock: "Clock", manager: str
) -> AsyncGenerator["Client", None]:
    """A client that writes as `manager`; its connections end with the block.

    Raises ConnectionError where what comes in the block is no answer of an API server.
    """
    import msgspec

    from argosy.client.client import Client
    from argosy.client.https import transport
    from argosy.client.kubeconfig import KubeconfigError

    try:
        way = transport(found, clock)
    except KubeconfigError as error:
        fail(str(error), "name the cluster's kubeconfig with --kubeconfig")
    try:
        yield Client(way, manager)
    except msgspec.DecodeError as error:
        raise ConnectionError(f"{found.server}: not an API server's answer: {error}") from None
    finally:
        await way.close()


def only_option(text: str) -> list[str]:
    """`a,b` as a list."""
    return [name.strip() for name in text.split(",") if name.strip()]
