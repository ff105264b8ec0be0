"""Which pods to move, and what that wins: a plan whose every step was made on the cluster's copy.

Greedy by what is won for each move. Each candidate is made once and taken back, to see what it
wins; then the best is made and stays, as long as it still wins as much as the next one promises.
What loses a free node or a free GPU, or strands more than it frees, is never made. A pod moves once
at most, and no pod comes to a node that was freed.
"""

import heapq
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from argosy.api.core import Pod
from argosy.api.disruption import PodDisruptionBudget
from argosy.api.dra import ResourceClaim
from argosy.api.meta import Object
from argosy.scheduler.defrag.allowance import Allowance
from argosy.scheduler.defrag.candidates import Candidate, Candidates, Rank
from argosy.scheduler.defrag.demands import typical_of
from argosy.scheduler.defrag.ground import Ground, Value
from argosy.scheduler.defrag.moving import Mover, Step
from argosy.scheduler.defrag.waiting import Waiting
from argosy.scheduler.explain.snapshot import Snapshot, state_of
from argosy.scheduler.framework import Plugin
from argosy.scheduler.kinds import FOREIGN, READ
from argosy.scheduler.packing.columns import MILLI

KINDS: tuple[type[Object], ...] = (*READ, *FOREIGN)
"""What is read of a cluster."""
MOST_LOOKED = 10_000
"""So many moves are made to see what candidates win, and as many to find the best again."""
LEAST = MILLI // 10
"""What a move must win where it frees neither a node nor a GPU: a tenth of one."""
_Entry = tuple[float, Rank, Candidate]


@dataclass(frozen=True, slots=True)
class Goal:
    """Something that is freed, by which moves, and what that wins."""

    candidate: Candidate
    steps: tuple[Step, ...]
    gain: Value

    @property
    def per_move(self) -> float:
        """Thousandths of a GPU."""
        return self.gain.worth / len(self.steps)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Goals in the order in which they are reached. `before` and `after` are of the whole cluster.

    `kept`: why pods can't be moved. `passed`: why candidates are not goals. `helped`: pods that
    wait and have a place afterwards, of `waiting`. `looked`: whether everything was looked at.
    """

    goals: Sequence[Goal]
    before: Value
    after: Value
    nodes: int
    pods: int
    movable: int
    waiting: int
    helped: Sequence[Pod]
    kept: Counter[str]
    passed: Counter[str]
    looked: bool

    @property
    def moves(self) -> int:
        """How many pods are moved."""
        return sum(len(goal.steps) for goal in self.goals)


def plan(snapshot: Snapshot, plugins: Sequence[Plugin], most: int) -> Plan:
    """At most `most` moves on a copy of the cluster that `snapshot` shows."""
    state = state_of(snapshot)
    waiting = Waiting(state, plugins, snapshot)
    waiting.settle()
    claims = snapshot.of(ResourceClaim).values()
    ground = Ground(state, typical_of(state, snapshot.of(Pod).values(), claims))
    found = Candidates(state, ground)
    allowance = Allowance(snapshot.of(PodDisruptionBudget).values())
    planning = _Planning(Mover(state, plugins, ground), ground, allowance, most)
    before = ground.total
    planning.run(found.all())
    return Plan(
        goals=planning.goals,
        before=before,
        after=ground.total,
        nodes=state.nodes.count,
        pods=found.movable + found.kept.total(),
        movable=found.movable,
        waiting=waiting.count,
        helped=waiting.helped() if planning.goals else [],
        kept=found.kept,
        passed=planning.passed,
        looked=planning.looked,
    )


class _Planning:
    """A plan that is being made."""

    def __init__(self, mover: Mover, ground: Ground, allowance: Allowance, most: int) -> None:
        self._mover = mover
        self._ground = ground
        self._allowance = allowance
        self._left = most
        self._budget = MOST_LOOKED
        self._gone: set[str] = set()
        self._arrived: set[int] = set()
        self.goals: list[Goal] = []
        self.passed: Counter[str] = Counter()
        self.looked = True

    def run(self, candidates: Sequence[Candidate]) -> None:
        """Reach goals until nothing is won any more."""
        heap: list[_Entry] = []
        for candidate in candidates:
            if self._budget < len(candidate.pods):
                self.looked = False
                break
            goal = self._tried(candidate)
            if goal is not None:
                self._mover.undo(goal.steps)
                heap.append((-goal.per_move, candidate.rank, candidate))
        heapq.heapify(heap)
        self._budget = MOST_LOOKED
        while heap and self._left > 0:
            if self._budget <= 0:
                self.looked = False
                break
            self._take(heap)

    def _take(self, heap: list[_Entry]) -> None:
        """Reach the best goal of all; or put it back where another one is better now."""
        _, rank, candidate = heapq.heappop(heap)
        goal = self._tried(candidate)
        if goal is None:
            return
        if heap and goal.per_move < -heap[0][0]:
            self._mover.undo(goal.steps)
            heapq.heappush(heap, (-goal.per_move, rank, candidate))
            return
        self._keep(goal)

    def _keep(self, goal: Goal) -> None:
        self.goals.append(goal)
        self._left -= len(goal.steps)
        pods = [step.occupant.pod for step in goal.steps]
        self._allowance.spend(pods)
        self._gone.update(pod.metadata.uid for pod in pods)
        rows = self._mover.rows(goal.steps)
        self._ground.settle((goal.candidate.row, *rows))
        self._arrived.update(rows)
        if goal.candidate.kind != "GPU":
            self._mover.close(goal.candidate.row)

    def _tried(self, candidate: Candidate) -> Goal | None:
        """The goal, reached; None where that can't be or wins nothing, and all is as before."""
        why = self._hindrance(candidate)
        if not why:
            goal = self._made(candidate)
            if isinstance(goal, Goal):
                return goal
            why = goal
        self.passed[why] += 1
        return None

    def _hindrance(self, candidate: Candidate) -> str:
        """Why it is not even tried."""
        pods = [one.pod for one in candidate.pods]
        if len(pods) > self._left:
            return "beyond the limit of moves"
        if candidate.kind == "Node" and candidate.row in self._arrived:
            return "filled by other moves"
        if any(pod.metadata.uid in self._gone for pod in pods):
            return "freed by other moves"
        if not self._allowance.allows(pods):
            return "kept by budgets"
        return ""

    def _made(self, candidate: Candidate) -> Goal | str:
        self._budget -= len(candidate.pods)
        within = candidate.kind == "GPU"
        steps = self._mover.move(candidate.pods, candidate.row, within=within)
        if steps is None:
            return "with pods that fit nowhere else"
        gain = self._ground.gain((candidate.row, *self._mover.rows(steps)))
        goal = Goal(candidate, tuple(steps), gain)
        if gain.better and (gain.nodes or gain.gpus or goal.per_move >= LEAST):
            return goal
        self._mover.undo(steps)
        return "winning nothing"
