"""Claims and volumes under any interleaving: two never share one, and in the end all is tidy.

A small store with revisions stands for the server. Workers hold views as old as they like and make
one write at a time, as the controllers do; users write in between.
"""

import itertools
from typing import Any

import msgspec
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from argosy.api.meta import Object
from argosy.api.storage import PersistentVolume, PersistentVolumeClaim
from argosy.apiserver.mergepatch import merge
from argosy.controllers.volumes.binding import Write, claim_phase, next_write, phase, unbind
from argosy.controllers.volumes.claimplan import Bind, Known, Lose, decide
from argosy.controllers.volumes.volumeplan import Fate, fate

Json = dict[str, Any]
Place = tuple[str, str]
NAMES = st.sampled_from(["a", "b", "c"])
SIZES = st.integers(1, 3)
WORKERS = st.integers(0, 2)
KINDS = st.sampled_from(["PersistentVolume", "PersistentVolumeClaim"])
MOSTLY = st.integers(0, 2).map(bool)


class Conflict(Exception):
    """The object is not what the writer thought it to be."""


class Server:
    """Objects by kind and name."""

    def __init__(self) -> None:
        self.objects: dict[Place, Json] = {}
        self._numbers = itertools.count(1)

    def create(self, kind: str, name: str, spec: Json) -> None:
        if (kind, name) in self.objects:
            return
        number = str(next(self._numbers))
        meta = {"name": name, "uid": f"u{number}", "resourceVersion": number, "namespace": ""}
        status = {"phase": "Pending"}
        self.objects[kind, name] = {"metadata": meta, "spec": spec, "status": status}

    def write(self, step: Write[Any]) -> Json:
        place = (type(step.of).__name__, step.of.metadata.name)
        before = self.objects.get(place)
        if before is None or before["metadata"]["resourceVersion"] != step.revision:
            raise Conflict
        after: Any = merge(before, step.body)
        assert set(step.patch) <= ({"status"} if step.subresource else {"metadata", "spec"})
        had = before["spec"].get("volumeName")
        assert not had or after["spec"].get("volumeName") == had, "the server would refuse that"
        after["metadata"]["resourceVersion"] = str(next(self._numbers))
        self.objects[place] = after
        return dict(after)

    def claims(self) -> dict[str, PersistentVolumeClaim]:
        return self._all(PersistentVolumeClaim)

    def volumes(self) -> dict[str, PersistentVolume]:
        return self._all(PersistentVolume)

    def _all(self, kind: type[Any]) -> dict[str, Any]:
        found = self.objects.items()
        return {
            name: msgspec.convert(one, kind)
            for (known, name), one in found
            if known == kind.__name__
        }


class Worker:
    """What a worker knows, and what it is about to bind."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self.pair: tuple[PersistentVolume, PersistentVolumeClaim] | None = None
        self.look()

    def look(self) -> None:
        self._claims, self._volumes = self._server.claims(), self._server.volumes()

    def bind_on(self) -> None:
        """The next write of a binding, if there is one."""
        if self.pair is None:
            return
        step = next_write(*self.pair)
        if step is None:
            self.pair = None
            return
        written = self._wrote(step)
        if written is None:
            self.pair = None
        elif isinstance(written, PersistentVolume):
            self.pair = (written, self.pair[1])
        elif isinstance(written, PersistentVolumeClaim):
            self.pair = (self.pair[0], written)

    def claim(self, name: str) -> None:
        """What the controller of claims does, as far as this worker knows."""
        claim = self._claims.get(name)
        if claim is None or self.pair is not None:
            return
        named = self._volumes.get(claim.spec.volume_name)
        match decide(claim, Known(named=named, volumes=list(self._volumes.values()))):
            case Bind(volume):
                self.pair = (volume, claim)
            case Lose():
                self._wrote(claim_phase(claim, "Lost"))

    def volume(self, name: str) -> None:
        """What the controller of volumes does."""
        volume = self._volumes.get(name)
        if volume is None:
            return
        match fate(volume, self._of(volume)):
            case Fate.UNBIND:
                self._wrote(unbind(volume))
            case Fate.RECLAIM if volume.status.phase != "Released":
                self._wrote(phase(volume, "Released"))
            case Fate.AVAILABLE | Fate.BOUND as found if volume.status.phase != found.value:
                self._wrote(phase(volume, found.value))

    def _of(self, volume: PersistentVolume) -> PersistentVolumeClaim | None:
        reference = volume.spec.claim_ref
        for known in (self._claims, self._server.claims()):
            claim = known.get(reference.name) if reference is not None else None
            if claim is not None and reference and claim.metadata.uid == reference.uid:
                return claim
        return None

    def _wrote(self, step: Write[Any] | None) -> Object | None:
        if step is None:
            return None
        try:
            written: Object = msgspec.convert(self._server.write(step), type(step.of))
        except Conflict:
            return None
        return written


class Binding(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.server = Server()
        self.workers = [Worker(self.server) for _ in range(3)]
        self.given: dict[str, str] = {}

    @rule(name=NAMES, size=SIZES, named=st.one_of(st.none(), NAMES))
    def make_claim(self, name: str, size: int, named: str | None) -> None:
        spec: Json = {"accessModes": ["RWO"], "resources": {"requests": {"storage": size}}}
        self.server.create("PersistentVolumeClaim", name, {**spec, "volumeName": named or ""})

    @rule(name=NAMES, size=SIZES, kept=st.one_of(st.none(), NAMES))
    def make_volume(self, name: str, size: int, kept: str | None) -> None:
        spec: Json = {"accessModes": ["RWO"], "capacity": {"storage": size}}
        if kept:
            spec["claimRef"] = {"namespace": "", "name": kept}
        self.server.create("PersistentVolume", name, spec)

    @rule(claim=NAMES, volume=NAMES)
    def ask(self, claim: str, volume: str) -> None:
        """Somebody writes into a claim which volume it is to have."""
        found = self.server.claims().get(claim)
        if found is not None and not found.spec.volume_name:
            self.server.write(Write(found, {"spec": {"volumeName": volume}}))

    @rule(kind=KINDS, name=NAMES, sure=st.integers(0, 3))
    def drop(self, kind: str, name: str, sure: int) -> None:
        if not sure:
            self.server.objects.pop((kind, name), None)

    @rule(worker=WORKERS, name=NAMES, fresh=MOSTLY, steps=st.integers(1, 5))
    def see_to_claim(self, worker: int, name: str, fresh: bool, steps: int) -> None:
        me = self.workers[worker]
        if fresh:
            me.look()
        me.claim(name)
        for _ in range(steps):
            me.bind_on()

    @rule(worker=WORKERS, name=NAMES, fresh=MOSTLY)
    def see_to_volume(self, worker: int, name: str, fresh: bool) -> None:
        if fresh:
            self.workers[worker].look()
        self.workers[worker].volume(name)

    @rule()
    def tell_all(self) -> None:
        for worker in self.workers:
            worker.look()

    @rule()
    def see_to_all_volumes(self) -> None:
        for name in ("a", "b", "c"):
            self.see_to_volume(0, name, True)

    @initialize(sizes=st.lists(SIZES, min_size=6, max_size=6))
    def begin(self, sizes: list[int]) -> None:
        for name, size, more in zip("abc", sizes[:3], sizes[3:], strict=True):
            self.make_claim(name, size, None)
            self.make_volume(name, more, None)
        self.see_to_all_volumes()
        self.tell_all()

    @rule(worker=WORKERS)
    def restart(self, worker: int) -> None:
        self.workers[worker] = Worker(self.server)

    @invariant()
    def a_bound_claim_has_its_volume_for_itself(self) -> None:
        """As long as it is the volume that it was given, and not another one of that name."""
        volumes = self.server.volumes()
        for claim in self.server.claims().values():
            volume, uid = volumes.get(claim.spec.volume_name), claim.metadata.uid
            if volume is None:
                continue
            reference = volume.spec.claim_ref
            if reference is not None and reference.uid == uid:
                self.given.setdefault(uid, volume.metadata.uid)
            elif self.given.get(uid) == volume.metadata.uid:
                assert claim.status.phase != "Bound", "the volume is not the claim's"

    def teardown(self) -> None:
        """Everybody works on what is there, until nothing changes."""
        worker = Worker(self.server)
        for _ in range(50):
            before = {place: dict(one) for place, one in self.server.objects.items()}
            for name in ("a", "b", "c"):
                worker.look()
                worker.volume(name)
                worker.look()
                worker.claim(name)
                while worker.pair is not None:
                    worker.bind_on()
            if before == self.server.objects:
                break
        else:
            raise AssertionError("it never rests")
        self._tidy()

    def _tidy(self) -> None:
        claims, volumes = self.server.claims(), self.server.volumes()
        for claim in claims.values():
            mine = [
                one
                for one in volumes.values()
                if one.spec.claim_ref and one.spec.claim_ref.uid == claim.metadata.uid
            ]
            assert len(mine) <= 1, "one claim has two volumes"
            if claim.status.phase == "Bound":
                assert [one.metadata.name for one in mine] == [claim.spec.volume_name]
                assert mine[0].status.phase == "Bound"
            elif claim.status.phase == "Pending" and not claim.spec.volume_name:
                free = [one for one in volumes.values() if one.status.phase == "Available"]
                asked = int(claim.spec.resources.requests["storage"])
                assert not [
                    one
                    for one in free
                    if one.spec.claim_ref is None and int(one.spec.capacity["storage"]) >= asked
                ], "a claim waits beside a volume that suits it"
        held = [one.spec.volume_name for one in claims.values() if one.status.phase == "Bound"]
        assert len(held) == len(set(held)), "two claims have one volume"


TestBinding = Binding.TestCase
TestBinding.settings = settings(max_examples=40, stateful_step_count=30, deadline=None)


def test_a_volume_is_given_up_when_its_claim_is_given_another_name() -> None:
    it = Binding()
    it.begin([1, 1, 1, 2, 2, 2])
    it.see_to_claim(0, "a", True, 1)
    first = it.server.volumes()["a"].spec.claim_ref
    assert first is not None and first.name == "a"
    it.ask("a", "c")
    it.teardown()
    assert it.server.claims()["a"].spec.volume_name == "c"
    taken = it.server.volumes()["a"].spec.claim_ref
    assert taken is None or taken.name != "a"


def test_of_two_that_see_the_same_one_takes_it() -> None:
    it = Binding()
    it.begin([1, 1, 1, 2, 2, 2])
    for name in ("b", "c"):
        it.server.objects.pop(("PersistentVolume", name))
    it.tell_all()
    it.see_to_claim(0, "a", False, 1)
    it.see_to_claim(1, "b", False, 5)
    it.see_to_claim(0, "a", False, 5)
    phases = [claim.status.phase for claim in it.server.claims().values()]
    assert phases == ["Bound", "Pending", "Pending"]
    it.teardown()
