"""`argosy restore`: make a cluster's folder from a backup."""

from pathlib import Path
from typing import Annotated

import typer

from argosy.base.clock import SystemClock
from argosy.cli.terminal import fail, say
from argosy.cli.up import default_data_dir


def restore(
    file: Annotated[
        Path, typer.Argument(help="A file of `argosy backup`.", show_default=False, metavar="FILE")
    ],
    data_dir: Annotated[
        Path | None,
        typer.Option(
            help="The cluster's folder  [default: ~/.local/share/argosy]", show_default=False
        ),
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Replace the objects of the cluster that is there.")
    ] = False,
) -> None:
    """Make the objects in FILE those of the cluster in a folder; `argosy up` then runs it.

    The folder must be empty, or else the objects there are replaced with --force, and all other
    things (certificates, kubeconfig, volumes) stay. Where there are none, `argosy up` makes new
    certificates and a new kubeconfig. Resource versions jump ahead, so clients that watched the
    cluster before are told to list again (410 Gone).
    """
    from argosy.cluster.backup import BackupError
    from argosy.cluster.backup import restore as restored

    folder = (data_dir or default_data_dir()).expanduser().absolute()
    try:
        done = restored(file.expanduser().absolute(), folder, SystemClock(), force=force)
    except BackupError as error:
        fail(str(error), error.hint)
    say(f"restored {done.objects} objects in {folder}, at revision {done.revision}")
    say(f"run it with: argosy up --data-dir {folder}")
