"""Backups of the embedded cluster's data folder: of its objects, and of nothing else.

Not in a backup are `pki` and `kubeconfig`, which `argosy up` makes anew where they are missing
(who needs the old kubeconfigs to work keeps a copy of both), and what is in the volumes of pods.
"""

from pathlib import Path

from argosy.base.clock import Clock
from argosy.store import backup
from argosy.store.interface import StoreOpenError

STORE = "store"


class BackupError(Exception):
    """It can't be done; the text says why, `hint` what would help."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.hint = hint


def back_up(data_dir: Path, file: Path, *, force: bool) -> backup.Facts:
    """Save the objects of the cluster in `data_dir`, which may be running. Raises BackupError."""
    if file.exists() and not force:
        raise BackupError(f"{file} exists", "choose another name, or replace it with --force")
    if not file.parent.is_dir():
        raise BackupError(f"there is no folder {file.parent}", "make it, or choose another one")
    try:
        return backup.back_up(data_dir / STORE, file)
    except StoreOpenError as error:
        raise BackupError(str(error), error.hint) from None


def restore(file: Path, data_dir: Path, clock: Clock, *, force: bool) -> backup.Facts:
    """Make a backup's objects those of the cluster in `data_dir`. Raises BackupError.

    With `force` they replace what the cluster there had; all else in the folder stays.
    """
    try:
        if not force and data_dir.exists() and any(data_dir.iterdir()):
            hint = "choose another folder, or replace the objects of the cluster there with --force"
            raise BackupError(f"{data_dir} is not empty", hint)
        return backup.restore(file, data_dir / STORE, clock.now())
    except OSError as error:
        hint = "choose a folder that you may write to with --data-dir"
        raise BackupError(f"using the data folder {data_dir}: {error.strerror}", hint) from None
    except StoreOpenError as error:
        raise BackupError(str(error), error.hint) from None
