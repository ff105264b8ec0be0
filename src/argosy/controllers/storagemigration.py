"""Stores the objects of a kind anew: each in the version in which its kind is stored today.

A migration notes the revision at which it began, and then writes every object that is older, with
nothing changed: the server stores it in today's version. Who was changed, deleted or made anew
meanwhile has been stored anew by that. So it may begin again at any time, after a restart too. Of
several migrations of one kind the oldest runs, the others wait. The definition of the kind tells
that it is being migrated, and is told at the end which version is left; not if it was changed
meanwhile. Source: upstream's storage version migrator, Kubernetes 1.36.
"""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

from argosy.api.extensions.definition import CustomResourceDefinition
from argosy.api.extensions.migration import (
    FAILED,
    RUNNING,
    SUCCEEDED,
    BetaMigration,
    StorageVersionMigration,
)
from argosy.api.meta import Condition, Object
from argosy.api.resource import Resource
from argosy.base.clock import Clock, timestamp
from argosy.base.errors import StatusError
from argosy.client.client import Client
from argosy.controllers.customresources import Kinds, defined
from argosy.controllers.ownership import Trace
from argosy.controllers.tracing import pages
from argosy.runtime.conditions import with_condition
from argosy.runtime.controller import DONE, Controller, Result, Watch
from argosy.runtime.informer import Informer
from argosy.runtime.manager import Manager

Json = dict[str, Any]

NAME: Final = "controllers/storagemigration"
DEFINITIONS: Final = CustomResourceDefinition.resource
PATIENCE: Final = 60.0
"""Seconds that a kind may take to be there."""
PAUSE: Final = 1.0
AT_ONCE: Final = 16
"""Objects that are written at the same time."""
NEEDED: Final = ("create", "delete", "list", "patch", "watch")
PASSING: Final = frozenset({429, 500, 503, 504})
"""Answers after which an object is tried again."""
MIGRATING: Final = "StorageMigrating"


class _FailedError(Exception):
    """The migration can't be done; the text says why."""


@dataclass(frozen=True)
class StorageMigrations:
    """Carries migrations out, one for each kind at a time. `kinds` are those that are served."""

    client: Client
    clock: Clock
    migrations: Informer[Any]
    built_in: tuple[Resource, ...]
    defined: Kinds
    missing: dict[str, float] = field(default_factory=dict)
    """By uids of migrations, since when their kind was looked for in vain by this process."""

    async def reconcile(self, migration: StorageVersionMigration) -> Result:
        """Begin, do and end a migration."""
        if migration.over:
            if migration.running:
                await self._end(migration)
            return DONE
        if not migration.running:
            if not self._first(migration):
                return DONE
            await self._tell_definition(migration, "True")
            text = "The migration is running"
            return await self._tell(migration, RUNNING, "True", "MigrationRunning", text)
        try:
            return await self._step(migration)
        except _FailedError as error:
            text = f"migration encountered unhandled error: {error}"
            reason = "StorageVersionMigrationFailed"
            return await self._tell(migration, FAILED, "True", reason, text)

    def _first(self, migration: StorageVersionMigration) -> bool:
        """Whether no other migration of the kind runs, and none that waits is older."""
        place = _place(migration)
        return not any(
            other.running or (not other.over and _place(other) < place)
            for other in self.migrations.items()
            if other.spec.resource == migration.spec.resource
        )

    async def _step(self, migration: StorageVersionMigration) -> Result:
        kind = self._kind(migration)
        if kind is None:
            # Not since its creation: a process that has just begun may not know of the kind yet.
            now = self.clock.monotonic()
            if now - self.missing.setdefault(migration.metadata.uid, now) < PATIENCE:
                return Result(PAUSE)
            raise _FailedError("resource does not exist in discovery")
        self.missing.pop(migration.metadata.uid, None)
        if not set(NEEDED) <= set(kind.verbs):
            name, needed = f"{kind.group}/{kind.version}/{kind.plural}", " ".join(NEEDED)
            raise _FailedError(f'resource "{name}" does not support operations: [{needed}]')
        if not migration.status.resource_version:
            return await self._note(migration, kind)
        await self._migrate(kind, int(migration.status.resource_version))
        reason = "StorageVersionMigrationSucceeded"
        return await self._tell(migration, SUCCEEDED, "True", reason, "")

    def _kind(self, migration: StorageVersionMigration) -> Resource | None:
        wanted = migration.spec.resource.qualified
        kinds: Iterable[Resource] = (*self.built_in, *self.defined())
        return next((kind for kind in kinds if kind.qualified == wanted), None)

    def forget(self, old: Object | None, new: Object | None) -> None:
        """Look for nothing for a migration that is gone."""
        if old is not None and (new is None or new.metadata.uid != old.metadata.uid):
            self.missing.pop(old.metadata.uid, None)

    async def _note(self, migration: StorageVersionMigration, kind: Resource) -> Result:
        """Note the revision before which objects are stored anew."""
        body = await self.client.call("GET", kind.path(), {"limit": "1"})
        revision = msgspec.json.decode(body)["metadata"]["resourceVersion"]
        await self._write(migration, {"resourceVersion": revision})
        return DONE

    async def _migrate(self, kind: Resource, upto: int) -> None:
        """Write all objects that are not newer. Raises StatusError for what passes."""
        async for page in pages(self.client, kind):
            old = [
                item.metadata for item in page.items if int(item.metadata.resource_version) <= upto
            ]
            for start in range(0, len(old), AT_ONCE):
                some = old[start : start + AT_ONCE]
                await asyncio.gather(*(self._rewrite(kind, meta) for meta in some))

    async def _rewrite(self, kind: Resource, meta: Trace) -> None:
        seen = {"uid": meta.uid, "resourceVersion": meta.resource_version}
        try:
            await self.client.merge(kind, meta.name, meta.namespace, {"metadata": seen})
        except StatusError as error:
            if error.code in PASSING or (error.code == 409 and await self._there(kind, meta)):
                raise
            if error.code not in (404, 409):  # gone, or written by somebody else: it is as it shall
                raise _FailedError(str(error)) from error

    async def _there(self, kind: Resource, meta: Trace) -> bool:
        """Whether the object is there still as it was seen."""
        try:
            body = await self.client.call("GET", kind.path(meta.name, meta.namespace))
        except StatusError as error:
            if error.code != 404:
                raise
            return False
        revision: str = msgspec.json.decode(body)["metadata"]["resourceVersion"]
        return revision == meta.resource_version

    async def _end(self, migration: StorageVersionMigration) -> None:
        await self._tell_definition(migration, "False")
        text = "Migration completed"
        await self._tell(migration, RUNNING, "False", "MigrationCompleted", text)

    # what is told

    async def _tell(
        self, migration: StorageVersionMigration, kind: str, status: str, reason: str, message: str
    ) -> Result:
        new = Condition(
            type=kind,
            status=status,
            reason=reason,
            message=message,
            observed_generation=migration.metadata.generation,
        )
        now = timestamp(self.clock.now())
        conditions = with_condition(migration.status.conditions, new, now)
        await self._write(migration, {"conditions": [_whole(item) for item in conditions]})
        return DONE

    async def _write(self, migration: StorageVersionMigration, status: Json) -> None:
        """Write to the status. Raises StatusError 409 where it has changed meanwhile."""
        meta = migration.metadata
        patch = {"metadata": {"resourceVersion": meta.resource_version}, "status": status}
        try:
            await self.client.merge(migration.resource, meta.name, "", patch, subresource="status")
        except StatusError as error:
            if error.code != 404:
                raise

    async def _tell_definition(self, migration: StorageVersionMigration, status: str) -> None:
        """Tell of the migration in the kind's definition, if it has one. Raises StatusError 409."""
        name = migration.spec.resource.qualified
        try:
            body = await self.client.call("GET", DEFINITIONS.path(name))
        except StatusError as error:
            if error.code != 404:
                raise
            return
        found = msgspec.json.decode(body)
        now = timestamp(self.clock.now())
        told = _began(migration, found) if status == "True" else _ended(migration, found)
        patch = {"resourceVersion": found["metadata"]["resourceVersion"]}
        changed = {**told, "conditions": _set(found, told["conditions"], now)}
        await self.client.merge(
            DEFINITIONS, name, "", {"metadata": patch, "status": changed}, subresource="status"
        )


def _place(migration: StorageVersionMigration) -> tuple[str, str]:
    """Where it stands in line."""
    return migration.metadata.creation_timestamp or "", migration.metadata.name


def _whole(condition: Condition) -> Json:
    plain: Json = msgspec.to_builtins(condition)
    return {**plain, "reason": condition.reason, "message": condition.message}


def _began(migration: StorageVersionMigration, definition: Mapping[str, Any]) -> Json:
    text = f"Migration {migration.metadata.name} is running"
    return {"conditions": _migrating(definition, "True", "MigrationRunning", text)}


def _ended(migration: StorageVersionMigration, definition: Mapping[str, Any]) -> Json:
    """What a definition is told at the end: the version that is left, if it is the same still."""
    generation = definition["metadata"].get("generation")
    known = _known(definition)
    same = known is not None and known.get("observedGeneration") == generation
    if not migration.status.holds(SUCCEEDED):
        text = "The migration has failed"
        return {"conditions": _migrating(definition, "False", "MigrationFailed", text)}
    text = "The migration has succeeded" + (
        " and the stored versions have been updated"
        if same
        else " but the stored versions have not been updated due to a generation mismatch"
    )
    told: Json = {"conditions": _migrating(definition, "False", "MigrationSucceeded", text)}
    if same:
        versions = definition["spec"]["versions"]
        told["storedVersions"] = [one["name"] for one in versions if one.get("storage")]
    return told


def _known(definition: Mapping[str, Any]) -> Mapping[str, Any] | None:
    conditions = (definition.get("status") or {}).get("conditions") or ()
    return next((item for item in conditions if item["type"] == MIGRATING), None)


def _migrating(definition: Mapping[str, Any], status: str, reason: str, message: str) -> Json:
    generation = definition["metadata"].get("generation")
    return {
        "type": MIGRATING,
        "status": status,
        "reason": reason,
        "message": message,
        "observedGeneration": generation,
    }


def _set(definition: Mapping[str, Any], new: Json, now: str) -> list[Json]:
    """The definition's conditions with this one."""
    old = _known(definition)
    flipped = old is None or old["status"] != new["status"]
    since = now if flipped or old is None else old.get("lastTransitionTime") or now
    conditions = (definition.get("status") or {}).get("conditions") or ()
    others = [dict(item) for item in conditions if item["type"] != MIGRATING]
    return [*others, {**new, "lastTransitionTime": since}]


def storage_migrations(manager: Manager, resources: Iterable[Resource]) -> Controller[Any] | None:
    """The controller; None where migrations are not served. `resources` nobody defines."""
    built_in = tuple(resources)
    kinds = (StorageVersionMigration, BetaMigration)
    kind = next((kind for kind in kinds if kind.resource in built_in), None)
    if kind is None:
        return None
    informer: Informer[Any] = manager.informer(kind)
    definitions = manager.informer(CustomResourceDefinition)
    controller = StorageMigrations(
        manager.client_as(NAME),
        manager.clock,
        informer,
        built_in,
        defined(definitions, built_in),
    )

    informer.subscribe(controller.forget)

    def waiting(changed: StorageVersionMigration) -> Iterable[tuple[str, str]]:
        return [
            other.key
            for other in informer.items()
            if other.spec.resource == changed.spec.resource and not other.over
        ]

    return Controller(
        name=NAME,
        informer=informer,
        reconcile=controller.reconcile,
        watches=(Watch(informer, waiting),),
    )
