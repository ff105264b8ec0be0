"""What the index of volumes is fed by: which kinds, and what becomes of their changes."""

from collections.abc import Callable
from typing import Any

from argosy.api.storage import (
    CSIDriver,
    CSINode,
    CSIStorageCapacity,
    PersistentVolume,
    PersistentVolumeClaim,
    StorageClass,
    VolumeAttachment,
)
from argosy.runtime.informer import Informer
from argosy.runtime.manager import Manager
from argosy.scheduler.volumes.binding import VolumeBinder
from argosy.scheduler.volumes.index import Volumes

Source = tuple[Informer[Any], Callable[[Any, Any], None]]
Put = Callable[[Any, Any], bool]


def sources(
    manager: Manager, volumes: Volumes, binder: VolumeBinder, wake: Callable[[], None]
) -> tuple[Source, ...]:
    """The informers with their subscribers; `wake` is called where a change may help a pod."""

    def into(put: Put) -> Callable[[Any, Any], None]:
        def changed(old: Any, new: Any) -> None:
            if put(old, new):
                wake()

        return changed

    def claim(old: PersistentVolumeClaim | None, new: PersistentVolumeClaim | None) -> None:
        if volumes.put_claim(old, new):
            wake()
        for each in (old, new):
            if each is not None:
                binder.told(each.key)

    return (
        (manager.informer(StorageClass), into(volumes.put_class)),
        (manager.informer(CSIDriver), into(volumes.put_driver)),
        (manager.informer(CSINode), into(volumes.limits.put_node)),
        (manager.informer(CSIStorageCapacity), into(volumes.room.put)),
        (manager.informer(VolumeAttachment), into(volumes.limits.put_attachment)),
        (manager.informer(PersistentVolume), into(volumes.put_volume)),
        (manager.informer(PersistentVolumeClaim), claim),
    )
