"""The field manager against a model of ownership that knows nothing of tries.

The model sees an object as a flat table from places to values, and ownership as a set of writers
for each place. A list item is a place of its own, with its fields below it.
"""

from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from argosy.apiserver.fieldmanager.fieldset import has
from argosy.base.errors import StatusError
from tests.apiserver.fieldmanager.writers import Writers, deployment

Place = tuple[str, ...]
Table = dict[Place, Any]

LEAVES: tuple[Place, ...] = (
    ("replicas",),
    ("label", "x"),
    ("label", "y"),
    ("finalizer", "p"),
    ("finalizer", "q"),
)
ITEMS: tuple[Place, ...] = (("container", "a"), ("container", "b"))
FIELDS = ("image", "command")
PLACES = (*LEAVES, *ITEMS, *((*item, name) for item in ITEMS for name in FIELDS))


class Writer(NamedTuple):
    name: str
    operation: str


class Write(NamedTuple):
    writer: Writer
    table: Table
    force: bool


@dataclass(frozen=True)
class Model:
    table: Table = field(default_factory=dict)
    owners: dict[Place, frozenset[Writer]] = field(default_factory=dict)

    def conflicts(self, writer: Writer, wanted: Table) -> set[tuple[Writer, Place]]:
        return {
            (other, place)
            for place, value in wanted.items()
            if place in self.table and self.table[place] != value
            for other in self.owners[place] - {writer}
        }

    def apply(self, writer: Writer, wanted: Table) -> "Model":
        dropped = {
            place
            for place, owners in self.owners.items()
            if owners == {writer} and place not in wanted
        }
        table = {
            place: value
            for place, value in self.table.items()
            if place not in dropped and place[:2] not in dropped
        } | wanted
        after = self.changed(writer, table)
        owners = {
            place: (held - {writer}) | ({writer} if place in wanted else set())
            for place, held in after.owners.items()
        }
        return replace(after, owners=owners)

    def changed(self, writer: Writer, table: Table) -> "Model":
        """What differs is the writer's now."""
        owners = {
            place: self.owners[place]
            if place in self.table and self.table[place] == value
            else frozenset({writer})
            for place, value in table.items()
        }
        return Model(table, owners)


def as_object(table: Table) -> dict[str, Any]:
    labels = {place[1]: value for place, value in table.items() if place[0] == "label"}
    containers: dict[str, dict[str, Any]] = {}
    for place, value in table.items():
        if place[0] == "container":
            fields = {name: [value] if name == "command" else value for name in place[2:]}
            containers.setdefault(place[1], {"name": place[1]}).update(fields)
    spec: dict[str, Any] = {"replicas": table[("replicas",)]} if ("replicas",) in table else {}
    if containers:
        spec["template"] = {"spec": {"containers": list(containers.values())}}
    metadata: dict[str, Any] = {"labels": labels} if labels else {}
    finalizers = [place[1] for place in table if place[0] == "finalizer"]
    if finalizers:
        metadata["finalizers"] = finalizers
    return deployment(spec, **metadata)


def as_table(body: dict[str, Any]) -> Table:
    table: Table = {("label", name): value for name, value in labels_of(body).items()}
    table |= {("finalizer", name): True for name in body["metadata"].get("finalizers", [])}
    spec = body.get("spec", {})
    if "replicas" in spec:
        table[("replicas",)] = spec["replicas"]
    for item in spec.get("template", {}).get("spec", {}).get("containers", []):
        table[("container", item["name"])] = True
        if "image" in item:
            table[("container", item["name"], "image")] = item["image"]
        if "command" in item:
            table[("container", item["name"], "command")] = item["command"][0]
    return table


def labels_of(body: dict[str, Any]) -> dict[str, str]:
    labels: dict[str, str] = body["metadata"].get("labels", {})
    return labels


def steps(place: Place) -> list[str]:
    match place:
        case ("replicas",):
            return ["f:spec", "f:replicas"]
        case ("label", name):
            return ["f:metadata", "f:labels", f"f:{name}"]
        case ("finalizer", name):
            return ["f:metadata", "f:finalizers", f'v:"{name}"']
        case (_, name, *below):
            item = ["f:template", "f:spec", "f:containers", f'k:{{"name":"{name}"}}']
            return ["f:spec", *item, *(f"f:{step}" for step in below)]
    raise AssertionError(place)


def owners(cluster: Writers) -> dict[Place, frozenset[Writer]]:
    found: dict[Place, set[Writer]] = {}
    for entry in cluster.entries():
        writer = Writer(entry["manager"], entry["operation"])
        for place in PLACES:
            if has(entry["fieldsV1"], steps(place)):
                found.setdefault(place, set()).add(writer)
    return {place: frozenset(writers) for place, writers in found.items()}


@st.composite
def tables(draw: st.DrawFn) -> Table:
    chosen = draw(st.frozensets(st.sampled_from(PLACES), max_size=6))
    table: Table = {}
    for place in sorted(chosen):
        if place[0] == "container":
            table[place[:2]] = True
        presence = place[0] == "finalizer" or place in ITEMS
        table[place] = True if presence else draw(st.sampled_from([1, 2]))
    return {
        place: str(value) if isinstance_text(place) else value for place, value in table.items()
    }


def isinstance_text(place: Place) -> bool:
    return place[0] == "label" or place[2:] != ()


APPLIERS = st.sampled_from("abc").map(lambda name: Writer(name, "Apply"))
UPDATERS = st.sampled_from("au").map(lambda name: Writer(name, "Update"))
WRITES = st.lists(st.builds(Write, APPLIERS | UPDATERS, tables(), st.booleans()), max_size=5)


def carry_out(cluster: Writers, write: Write) -> bool:
    """Whether the write was let through."""
    body = as_object(write.table)
    if write.writer.operation == "Update":
        cluster.put(write.writer.name, body)
        return True
    try:
        cluster.apply(write.writer.name, body, force=write.force)
    except StatusError as error:
        assert error.reason == "Conflict"
        return False
    return True


def carried_out(writes: list[Write]) -> Writers:
    # Somebody must have created the object, or an update would find nobody tracking it.
    cluster = Writers(live=as_object({}))
    cluster.apply("a", as_object({("label", "x"): "1"}))
    for write in writes:
        carry_out(cluster, write)
    return cluster


@settings(max_examples=120)
@given(WRITES)
def test_agrees_with_the_model(writes: list[Write]) -> None:
    cluster, model = Writers(), Model()
    for write in writes:
        wanted = write.table
        allowed = carry_out(cluster, write)
        if write.writer.operation == "Update":
            tracked = cluster.entries() or not model.table
            assume(tracked)
            model = model.changed(write.writer, wanted)
        elif allowed:
            model = model.apply(write.writer, wanted)
        if cluster.live is not None:
            assume(cluster.entries() or not model.table)
            assert as_table(cluster.live) == model.table
            assert owners(cluster) == model.owners


@settings(max_examples=80)
@given(WRITES, APPLIERS, tables())
def test_conflict_iff_another_owner_differs(
    writes: list[Write], writer: Writer, wanted: Table
) -> None:
    cluster = carried_out(writes)
    model = Model(as_table(cluster.live or {}), owners(cluster))
    expected = model.conflicts(writer, wanted)
    try:
        cluster.apply(writer.name, as_object(wanted))
    except StatusError as error:
        assert len(error.details["causes"]) == len(expected) > 0
    else:
        assert not expected


@settings(max_examples=80)
@given(WRITES, APPLIERS, tables())
def test_never_loses_another_managers_field(
    writes: list[Write], writer: Writer, wanted: Table
) -> None:
    cluster = carried_out(writes)
    table, before = as_table(cluster.live or {}), owners(cluster)
    assume(carry_out(cluster, Write(writer, wanted, False)))
    after, kept = as_table(cluster.live or {}), owners(cluster)
    for place, writers in before.items():
        # An item goes with its last owner, and with it what others set in it.
        item_stays = place[:2] not in ITEMS or place[:2] in after
        if writers - {writer} and item_stays:
            assert after[place] == table[place]
            assert kept[place] >= writers - {writer}


@settings(max_examples=80)
@given(WRITES, APPLIERS, tables(), st.booleans())
def test_apply_twice_is_once(
    writes: list[Write], writer: Writer, wanted: Table, force: bool
) -> None:
    cluster = carried_out(writes)
    assume(carry_out(cluster, Write(writer, wanted, force)))
    once = cluster.live
    assert carry_out(cluster, Write(writer, wanted, False))
    assert cluster.live == once


@settings(max_examples=80)
@given(WRITES, tables())
def test_apply_then_remove_restores(writes: list[Write], wanted: Table) -> None:
    cluster = carried_out(writes)
    table, before = as_table(cluster.live or {}), owners(cluster)
    stranger = Writer("stranger", "Apply")
    assume(carry_out(cluster, Write(stranger, wanted, False)))
    assert carry_out(cluster, Write(stranger, {}, False))
    assert as_table(cluster.live or {}) == table
    assert owners(cluster) == before
