"""StorageVersionMigrations as the controller that carries them out sees them."""

from typing import ClassVar

import msgspec

from argosy.api.meta import Condition, Object
from argosy.api.resource import Resource
from argosy.api.resources.built_in import also
from argosy.api.resources.storage import STORAGE_VERSION_MIGRATION

RUNNING = "Running"
SUCCEEDED = "Succeeded"
FAILED = "Failed"


class Migrated(msgspec.Struct, frozen=True, kw_only=True):
    """The kind whose objects are stored anew."""

    group: str = ""
    resource: str = ""

    @property
    def qualified(self) -> str:
        """Its name, as its definition is called."""
        return f"{self.resource}.{self.group}" if self.group else self.resource


class Spec(msgspec.Struct, frozen=True, kw_only=True):
    """What is wanted."""

    resource: Migrated = Migrated()


class Status(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """How far it has come: objects that are newer than `resource_version` need nothing."""

    conditions: tuple[Condition, ...] = ()
    resource_version: str = ""

    def holds(self, kind: str) -> bool:
        """Whether a condition is true."""
        return any(item.type == kind and item.status == "True" for item in self.conditions)


class StorageVersionMigration(Object, frozen=True, kw_only=True):
    """A migration."""

    resource: ClassVar[Resource] = STORAGE_VERSION_MIGRATION

    spec: Spec = Spec()
    status: Status = Status()

    @property
    def running(self) -> bool:
        """Whether it is under way."""
        return self.status.holds(RUNNING)

    @property
    def over(self) -> bool:
        """Whether it came to its end, a good or a bad one."""
        return self.status.holds(SUCCEEDED) or self.status.holds(FAILED)


class BetaMigration(StorageVersionMigration, frozen=True, kw_only=True):
    """The same, on servers that have no other."""

    resource: ClassVar[Resource] = also(STORAGE_VERSION_MIGRATION, "v1beta1")
