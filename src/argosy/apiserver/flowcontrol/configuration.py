"""Flow schemas and priority levels as they stand in the store, followed as somebody asks.

The defaults count before they are written, as default roles do. The mandatory ones count always. A
schema whose level is not there counts as not there.
"""

from collections.abc import Callable
from typing import TypeVar

import msgspec

from argosy.api.resources.control import FLOW_CONTROL, FLOW_SCHEMA, PRIORITY_LEVEL
from argosy.apiserver.authorization.followed import Followed
from argosy.apiserver.flowcontrol.defaults import MANDATORY, defaults
from argosy.apiserver.flowcontrol.levels import Levels
from argosy.apiserver.flowcontrol.matching import Classifier, Schema
from argosy.apiserver.flowcontrol.objects import FlowSchema, PriorityLevel
from argosy.store.interface import Store

T = TypeVar("T", FlowSchema, PriorityLevel)


class Configuration:
    """What the objects say. `changed` is called when they say something else."""

    def __init__(self, store: Store, levels: Levels, changed: Callable[[], None]) -> None:
        self._table = _Table()
        self._followed = Followed(store, f"/{FLOW_CONTROL}/", self._table)
        self._levels = levels
        self._changed = changed
        self._classifier = Classifier([])

    def classifier(self) -> Classifier:
        """The schemas, by all that is durable; the levels are brought up to it too."""
        self._followed.catch_up()
        if self._table.stale:
            self._table.stale = False
            self._configure()
            self._changed()
        return self._classifier

    def _configure(self) -> None:
        table = self._table
        levels = _with_mandatory(table.levels, table.default_levels)
        self._levels.configure(levels)
        schemas = _with_mandatory(table.schemas, table.default_schemas)
        used = [Schema(one) for one in schemas.values()]
        self._classifier = Classifier([one for one in used if one.level in levels])


def _with_mandatory(found: dict[str, T], known: dict[str, T]) -> dict[str, T]:
    return {**{name: known[name] for name in MANDATORY}, **found}


class _Table:
    """Objects by name; `stale` when they are not what they were."""

    def __init__(self) -> None:
        self._schema = msgspec.json.Decoder(FlowSchema)
        self._level = msgspec.json.Decoder(PriorityLevel)
        self.default_schemas: dict[str, FlowSchema] = {}
        self.default_levels: dict[str, PriorityLevel] = {}
        for kind, item in defaults():
            name = item["metadata"]["name"]
            if kind == FLOW_SCHEMA.kind:
                self.default_schemas[name] = msgspec.convert(item, FlowSchema)
            else:
                self.default_levels[name] = msgspec.convert(item, PriorityLevel)
        self._unwritten = {*self._keys()}
        self.clear()

    def clear(self) -> None:
        self.stale = True
        unwritten = self._unwritten
        self.schemas = {
            name: one
            for name, one in self.default_schemas.items()
            if FLOW_SCHEMA.key(name=name) in unwritten
        }
        self.levels = {
            name: one
            for name, one in self.default_levels.items()
            if PRIORITY_LEVEL.key(name=name) in unwritten
        }

    def put(self, key: str, value: bytes) -> None:
        self._unwritten.discard(key)
        self.stale = True
        _, _, plural, name = key.split("/")
        if plural == FLOW_SCHEMA.plural:
            self.schemas[name] = self._schema.decode(value)
        elif plural == PRIORITY_LEVEL.plural:
            level = self._level.decode(value)
            if (level.spec.type == "Exempt") != (name == "exempt"):
                raise ValueError("only `exempt` is exempt")
            self.levels[name] = level

    def drop(self, key: str) -> None:
        self._unwritten.discard(key)
        self.stale = True
        _, _, plural, name = key.split("/")
        (self.schemas if plural == FLOW_SCHEMA.plural else self.levels).pop(name, None)

    def _keys(self) -> list[str]:
        return [
            *(FLOW_SCHEMA.key(name=name) for name in self.default_schemas),
            *(PRIORITY_LEVEL.key(name=name) for name in self.default_levels),
        ]
