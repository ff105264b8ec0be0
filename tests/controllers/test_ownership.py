"""The graph of owners: what it keeps, and whom it has looked at."""

from argosy.api.core import ConfigMap, Node
from argosy.controllers.ownership import Graph, Reference, Trace
from argosy.controllers.ownership import Node as Item

MAP, NODE = ConfigMap.resource, Node.resource
FG = "foregroundDeletion"


class Seen:
    """A graph, and what it asks for."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.lost: list[str] = []
        kinds = {(item.group, item.kind): item for item in (MAP, NODE)}
        self.graph = Graph(kinds, lambda node: self.asked.append(node.uid), self.lost.append)

    def put(self, uid: str, *owners: Reference, finalizer: str = "") -> None:
        """An object; with a finalizer it is being deleted."""
        trace = Trace(
            uid=uid,
            namespace="default",
            name=uid,
            owner_references=owners,
            finalizers=(finalizer,) if finalizer else (),
            deletion_timestamp="now" if finalizer else None,
        )
        self.graph.observe(MAP, trace)

    def told(self) -> list[str]:
        """Whom it asked for since the last time."""
        asked, self.asked[:] = sorted(set(self.asked)), []
        return asked

    @property
    def kept(self) -> list[str]:
        return sorted(self.graph.nodes)


def to(uid: str, *, kind: str = "ConfigMap", name: str = "", block: bool = False) -> Reference:
    return Reference("v1", kind, name or uid, uid, block)


def test_objects_that_own_nothing_and_are_nobodys_pass_by() -> None:
    it = Seen()
    it.put("plain")
    it.put("held", finalizer="a.b/c")
    it.graph.gone("plain")
    assert (it.kept, it.told()) == ([], [])


def test_an_owner_that_was_not_seen_is_asked_for_once() -> None:
    it = Seen()
    it.put("one", to("owner"))
    it.put("two", to("owner"))
    assert it.kept == ["one", "owner", "two"]
    assert it.asked == ["owner"]
    it.put("owner")
    assert it.graph.nodes["owner"].seen


def test_the_end_of_an_owner_concerns_its_dependents() -> None:
    it = Seen()
    it.put("one", to("owner"))
    it.told()
    it.graph.gone("owner")
    assert (it.told(), it.lost, it.kept) == (["one"], ["owner"], ["one"])
    it.put("one")
    assert it.kept == []


def test_a_reference_that_is_taken_away_is_forgotten() -> None:
    it = Seen()
    it.put("one", to("owner"), to("other"))
    it.put("one", to("other"))
    assert it.kept == ["one", "other"]
    it.told()
    it.graph.gone("owner")
    assert it.told() == []


def test_a_dependent_that_blocks_no_more_concerns_its_owner() -> None:
    it = Seen()
    it.put("one", to("owner", block=True))
    assert [item.uid for item in it.graph.nodes["owner"].blocked_by] == ["one"]
    it.told()
    it.put("one", to("owner"))
    assert it.told() == ["owner"]
    assert it.graph.nodes["owner"].blocked_by == []


def test_who_waits_is_kept_and_looked_at_with_its_dependents() -> None:
    it = Seen()
    it.put("one", to("owner"))
    it.put("owner")
    it.told()
    it.put("owner", finalizer=FG)
    assert it.told() == ["one", "owner"]
    it.put("owner", finalizer=FG)
    assert it.told() == []
    it.put("alone", finalizer="orphan")
    assert it.told() == ["alone"]
    assert it.graph.nodes["alone"].orphaning


def test_the_end_of_a_dependent_concerns_an_owner_that_waits() -> None:
    it = Seen()
    it.put("owner", finalizer=FG)
    it.put("one", to("owner", block=True))
    it.told()
    it.graph.gone("one")
    assert (it.told(), it.kept) == (["owner"], ["owner"])


def test_an_owner_that_waits_hears_of_an_end_that_nobody_saw() -> None:
    it = Seen()
    it.put("owner", finalizer=FG)
    it.put("one", to("owner", block=True))
    it.graph.doubt("one")
    it.told()
    it.graph.absent(it.graph.nodes["one"])
    assert (it.told(), it.kept) == (["owner"], ["owner"])


def test_who_takes_an_object_for_another_is_looked_at() -> None:
    it = Seen()
    it.put("owner", to("top"))
    it.told()
    it.put("wrong", to("owner", name="nobody"))
    assert it.told() == ["wrong"]
    it.put("early", to("late", kind="Node"))
    it.told()
    it.put("late")
    assert it.told() == ["early"]


def test_what_a_list_lacks_is_doubtful() -> None:
    it = Seen()
    it.put("one", to("owner"))
    assert it.graph.of(MAP) == {"one", "owner"}
    it.told()
    it.graph.doubt("one")
    it.graph.doubt("stranger")
    assert it.told() == ["one"]
    assert not it.graph.nodes["one"].seen


def test_all_who_name_an_owner_share_its_uid() -> None:
    it = Seen()
    for uid in ("one", "two"):
        it.put(uid, to("-".join(("ow", "ner")), block=True))
    one, two = it.graph.nodes["one"], it.graph.nodes["two"]
    assert one.owners[0] is two.owners[0]
    assert one.blocking is one.owners


def test_who_waits_for_whom() -> None:
    it = Seen()
    it.put("a", to("c", block=True), finalizer=FG)
    it.put("b", to("a", block=True), finalizer=FG)
    it.put("c", to("b", block=True), finalizer=FG)
    it.put("d", to("a", block=True))
    nodes: dict[str, Item] = it.graph.nodes
    assert nodes["b"].waits_for(nodes["a"])
    assert not nodes["d"].waits_for(nodes["a"])
