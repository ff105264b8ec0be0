"""The kind `Database`: its definition (`kubectl explain databases`) is made from these structs."""

from typing import Annotated, ClassVar

from msgspec import Meta

from argosy.api.meta import Condition, Object, View
from argosy.api.resource import AGE, NAME, Column, Resource
from argosy.api.structs import Builtin, ListMap, Rule

QUANTITY = Builtin("io.k8s.apimachinery.pkg.api.resource.Quantity")
CONDITION = Builtin("io.k8s.apimachinery.pkg.apis.meta.v1.Condition")
READY = 'status.conditions[?(@.type=="Ready")].status'


class DatabaseSpec(View, frozen=True, kw_only=True):
    """What is wanted. Each replica is a server of its own: nothing is copied between them."""

    image: str = "postgres:18"
    command: tuple[str, ...] = ()
    runtime_class_name: str | None = None
    replicas: Annotated[int, Meta(ge=0, le=9)] = 1
    memory: Annotated[int | str, QUANTITY] = "256Mi"
    storage: Annotated[int | str, QUANTITY, Rule("self == oldSelf", message="is fixed")] = "1Gi"
    backup: Annotated[str, Meta(description="When, as cron has it; empty: never.")] = "@daily"


class DatabaseStatus(View, frozen=True, kw_only=True):
    """What is there."""

    observed_generation: int = 0
    ready_replicas: int = 0
    conditions: Annotated[tuple[Annotated[Condition, CONDITION], ...], ListMap("type")] = ()


class Database(Object, frozen=True, kw_only=True):
    """A PostgreSQL database with a password, storage and backups."""

    resource: ClassVar[Resource] = Resource(
        group="example.com",
        version="v1",
        kind="Database",
        plural="databases",
        short_names=("db",),
        status=True,
        columns=(NAME, Column("Ready", READY), AGE),
    )

    spec: DatabaseSpec = DatabaseSpec()
    status: DatabaseStatus = DatabaseStatus()
