"""`argosy backup`: save the objects of a cluster in one file."""

from pathlib import Path
from typing import Annotated

import typer

from argosy.cli.terminal import fail, say
from argosy.cli.up import default_data_dir


def backup(
    file: Annotated[Path, typer.Argument(help="The file to write.", show_default=False)],
    data_dir: Annotated[
        Path | None,
        typer.Option(
            help="The cluster's folder  [default: ~/.local/share/argosy]", show_default=False
        ),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace FILE where it exists.")] = False,
) -> None:
    """Save a cluster's objects in FILE, also while `argosy up` runs.

    FILE is there complete and checked, or not at all. It holds all objects, secrets among them,
    and nothing else: no certificates, no kubeconfig, and not what is in volumes. What the cluster
    encrypts on the disk is encrypted in FILE too; the keys are not in it. `argosy restore` brings
    the objects back.
    """
    from argosy.cluster.backup import BackupError, back_up

    folder = (data_dir or default_data_dir()).expanduser().absolute()
    try:
        done = back_up(folder, file.expanduser().absolute(), force=force)
    except BackupError as error:
        fail(str(error), error.hint)
    say(f"saved {done.objects} objects at revision {done.revision} in {file}")
    if done.sealed:
        say(f"{done.sealed} of them are encrypted, and need their keys; the others are plain text")
    else:
        say("none of them is encrypted: keep the file as you would keep their secrets")
