"""The StatefulSet controller: reads, lets `plan` decide, writes."""

from collections.abc import Iterable
from dataclasses import dataclass

from argosy.api.core import Pod
from argosy.api.meta import Key
from argosy.api.revisions import ControllerRevision
from argosy.api.statefulsets import StatefulSet, StatefulSetStatus
from argosy.api.storage import PersistentVolumeClaim
from argosy.base.clock import Clock
from argosy.base.errors import StatusError
from argosy.controllers.claiming import ByNamespace, adopters
from argosy.controllers.podcontrol import RECHECK, PodControl, pod_control
from argosy.controllers.revisions import History, by_number, history
from argosy.controllers.statefulsets.identity import member
from argosy.controllers.statefulsets.plan import Plan, Seen, leaving, make_plan
from argosy.controllers.statefulsets.writing import Writer
from argosy.controllers.statuses import status_body, write_status
from argosy.runtime.controller import DONE, Controller, Result, Watch
from argosy.runtime.informer import Informer
from argosy.runtime.manager import Manager

NAME = "controllers/statefulsets"
HASH = "controller.kubernetes.io/hash"


@dataclass(frozen=True)
class StatefulSets:
    """Runs StatefulSets: their pods one by one, or all at once, each with its claims."""

    sets: Informer[StatefulSet]
    claims: Informer[PersistentVolumeClaim]
    control: PodControl
    history: History
    writer: Writer
    known: ByNamespace[StatefulSet]
    clock: Clock

    async def reconcile(self, owner: StatefulSet) -> Result:
        """Bring `owner` one step on, once the cache shows what was written for it."""
        if not await self.control.settled(owner):
            return Result(after=RECHECK)
        candidates = [pod for pod in self.control.candidates(owner) if member(owner, pod)]
        pods = await self.control.claim(owner, owner.selected, candidates)
        if owner.metadata.deletion_timestamp is not None:
            await self._tell(owner, leaving(owner, pods, self.clock.now()).status)
            return DONE
        plan = make_plan(owner, await self._seen(owner, pods))
        await self._commit(owner, plan)
        if not self.control.expectations.met(owner.metadata.uid):
            return Result(after=RECHECK)
        return Result(after=plan.after)

    async def _seen(self, owner: StatefulSet, pods: list[Pod]) -> Seen:
        collisions = owner.status.collision_count or 0
        known = await self.history.claimed(owner, owner.selected)
        now = await self.history.current(owner, known, owner.spec.template, collisions)
        named = (r for r in now.others if r.metadata.name == owner.status.current_revision)
        namespace = owner.metadata.namespace
        return Seen(
            current=next(named, now.revision),
            update=now.revision,
            revisions=by_number((*now.others, now.revision)),
            collisions=now.collisions,
            pods=pods,
            claim=lambda name: self.claims.get(namespace, name),
            now=self.clock.now(),
        )

    async def _commit(self, owner: StatefulSet, plan: Plan) -> None:
        """Write all of the plan; where pods or claims are refused, the status nevertheless."""
        failure: StatusError | ConnectionError | None = None
        try:
            await self.writer.carry_out(owner, plan)
        except (StatusError, ConnectionError) as error:
            failure = error
        await self._tell(owner, plan.status)
        if failure is not None:
            raise failure
        await self.history.forget(plan.forget)

    async def _tell(self, owner: StatefulSet, status: StatefulSetStatus) -> None:
        if status != owner.status:
            client = self.control.claims.client
            written = await write_status(client, owner, status_body(status))
            await self.sets.reached(written["metadata"]["resourceVersion"])

    def claiming(self, claim: PersistentVolumeClaim) -> Iterable[Key]:
        """The sets that may have a claim of this name."""
        name = claim.metadata.name
        for owner in self.known.within(claim.metadata.namespace):
            templates = owner.spec.volume_claim_templates
            stems = (f"{item['metadata']['name']}-{owner.metadata.name}-" for item in templates)
            if any(name.startswith(stem) for stem in stems):
                yield owner.key


def stateful_sets(manager: Manager) -> Controller[StatefulSet]:
    """The controller, on the manager's caches."""
    sets, claims = manager.informer(StatefulSet), manager.informer(PersistentVolumeClaim)
    control = pod_control(manager, NAME, "statefulset-controller")
    past = history(manager, control.claims.client, HASH)
    known = ByNamespace(sets, lambda owner: True)
    writer = Writer(control, claims)
    controller = StatefulSets(sets, claims, control, past, writer, known, manager.clock)
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
            Watch(claims, controller.claiming),
        ),
    )
