"""The DaemonSet controller: reads, lets `plan` decide, writes."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from argosy.api.core import Node, Pod
from argosy.api.daemonsets import DaemonSet, DaemonSetStatus
from argosy.api.meta import Key
from argosy.api.revisions import ControllerRevision
from argosy.base.clock import Clock
from argosy.base.errors import StatusError
from argosy.controllers.claiming import adopters
from argosy.controllers.daemonsets.backoff import Backoff
from argosy.controllers.daemonsets.daemonpods import HASH, pod
from argosy.controllers.daemonsets.nodes import Known
from argosy.controllers.daemonsets.plan import Plan, Seen, make_plan
from argosy.controllers.podcontrol import RECHECK, PodControl, pod_control
from argosy.controllers.revisions import History, history
from argosy.controllers.statuses import status_body, write_status
from argosy.runtime.controller import DONE, Controller, Result, Watch
from argosy.runtime.events import Note
from argosy.runtime.informer import Informer
from argosy.runtime.manager import Manager

NAME = "controllers/daemonsets"
SELECTS_ALL = Note(
    "SelectingAll",
    "This daemon set is selecting all pods. A non-empty selector is required.",
    "Warning",
)


@dataclass(frozen=True)
class DaemonSets:
    """Runs DaemonSets: one pod for each node that takes it."""

    sets: Informer[DaemonSet]
    nodes: Informer[Node]
    control: PodControl
    history: History
    known: Known
    backoff: Backoff
    clock: Clock

    async def reconcile(self, owner: DaemonSet) -> Result:
        """Bring `owner` one step on, once the cache shows what was written for it."""
        if owner.metadata.deletion_timestamp is not None:
            return DONE  # its history may be gone already: nothing can be told for sure
        if not owner.selected.requirements:
            await self.control.events.record(owner, SELECTS_ALL)
            return DONE
        if not await self.control.settled(owner):
            return Result(after=RECHECK)
        collisions = owner.status.collision_count or 0
        known = await self.history.claimed(owner, owner.selected)
        past = await self.history.current(owner, known, owner.spec.template, collisions)
        pods = await self.control.claim(owner, owner.selected, self.control.candidates(owner))
        hashed = past.revision.metadata.labels.get(HASH, past.revision.metadata.name)
        plan = make_plan(owner, self._seen(owner, hashed, pods, past.collisions))
        await self._commit(owner, hashed, plan)
        await self.history.forget(_outlived(owner, past.others, pods))
        if not self.control.expectations.met(owner.metadata.uid):
            return Result(after=RECHECK)
        return Result(after=plan.after)

    def _seen(self, owner: DaemonSet, hashed: str, pods: Sequence[Pod], collisions: int) -> Seen:
        uid, generation = owner.metadata.uid, owner.metadata.generation
        return Seen(
            hash=hashed,
            nodes=sorted(self.nodes.items(), key=lambda node: node.metadata.name),
            pods=pods,
            held=lambda node: self.backoff.left((uid, generation, node)),
            collisions=collisions,
            now=self.clock.now(),
        )

    async def _commit(self, owner: DaemonSet, hashed: str, plan: Plan) -> None:
        """Write all of the plan; where pods are refused, the status nevertheless."""
        for node in plan.failed:
            self.backoff.taken((owner.metadata.uid, owner.metadata.generation, node))
        for note in plan.notes:
            await self.control.events.record(owner, note)
        failure: StatusError | ConnectionError | None = None
        try:
            await self.control.create(owner, [pod(owner, hashed, node) for node in plan.create])
            await self.control.delete(owner, plan.delete)
        except (StatusError, ConnectionError) as error:
            failure = error
        await self._tell(owner, plan.status)
        if failure is not None:
            raise failure

    async def _tell(self, owner: DaemonSet, status: DaemonSetStatus) -> None:
        if status != owner.status:
            client = self.control.claims.client
            written = await write_status(client, owner, status_body(status))
            await self.sets.reached(written["metadata"]["resourceVersion"])

    def affected(self, node: Node) -> Iterable[Key]:
        """All sets, where a node came, went, or is one for others than before."""
        if self.nodes.get(*node.key) is None:
            self.known.forget(node)
        elif not self.known.news(node):
            return ()
        return [owner.key for owner in self.sets.items()]


def _outlived(
    owner: DaemonSet, others: Sequence[ControllerRevision], pods: Sequence[Pod]
) -> list[ControllerRevision]:
    """The oldest revisions beyond the limit, of those that no pod is made of."""
    live = {item.metadata.labels.get(HASH) for item in pods}
    spare = [item for item in others if item.metadata.labels.get(HASH) not in live]
    return spare[: max(len(others) - owner.spec.revision_history_limit, 0)]


def daemon_sets(manager: Manager) -> Controller[DaemonSet]:
    """The controller, on the manager's caches."""
    sets, nodes = manager.informer(DaemonSet), manager.informer(Node)
    control = pod_control(manager, NAME, "daemonset-controller")
    past = history(manager, control.claims.client, HASH)
    backoff = Backoff(manager.clock)
    controller = DaemonSets(sets, nodes, control, past, Known(), backoff, manager.clock)
    control.expectations.follow(sets)
    revisions = manager.informer(ControllerRevision)
    selecting = adopters(sets, lambda owner: owner.selected)
    return Controller(
        name=NAME,
        informer=sets,
        reconcile=controller.reconcile,
        owns=(control.pods, revisions),
        watches=(
            Watch(control.pods, selecting),
            Watch(revisions, selecting),
            Watch(nodes, controller.affected),
        ),
    )
