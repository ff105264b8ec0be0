"""A plan as JSON, and in words."""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

from argosy.scheduler.defrag.ground import Value
from argosy.scheduler.defrag.moving import Step
from argosy.scheduler.defrag.plan import Goal, Plan
from argosy.scheduler.packing.columns import MILLI

Json = dict[str, Any]
FREES: Mapping[str, str] = MappingProxyType(
    {"Node": "node {}", "GPU": "GPU {}", "GPUs": "GPUs of {}", "Room": "room on {}"}
)


def plain(plan: Plan) -> Json:
    """The plan as JSON; amounts of GPUs are in thousandths of one (`Milli`)."""
    steps = iter(range(1, plan.moves + 1))
    return {
        "summary": summary(plan),
        "before": _state(plan.before),
        "after": _state(plan.after),
        "goals": [_goal(goal, steps) for goal in plan.goals],
        "cordon": sorted({step.source for goal in plan.goals for step in goal.steps}),
        "schedulable": ["/".join(pod.key) for pod in plan.helped],
        "waiting": plan.waiting,
        "nodes": plan.nodes,
        "pods": plan.pods,
        "movable": plan.movable,
        "kept": dict(plan.kept.most_common()),
        "passed": dict(plan.passed.most_common()),
        "complete": plan.looked,
    }


def summary(plan: Plan) -> str:
    """What the plan comes to, or why it is empty."""
    if not plan.goals:
        return _empty(plan)
    won = plan.after - plan.before
    parts = [
        _counted(won.nodes, "node") if won.nodes else "",
        _counted(won.gpus, "GPU") if won.gpus else "",
    ]
    freed = " and ".join(part for part in parts if part)
    verb = "frees" if plan.moves == 1 else "free"
    text = f"{_counted(plan.moves, 'move')} {verb} {freed or 'stranded GPUs'}"
    if plan.before.milli != plan.after.milli:
        text += f"; stranded GPUs: {_gpus(plan.before)} before, {_gpus(plan.after)} after"
    if plan.helped:
        text += f"; waiting pods that then fit: {len(plan.helped)} of {plan.waiting}"
    return f"{text}."


def _empty(plan: Plan) -> str:
    if not plan.nodes:
        return "Nothing to move: the cluster has no nodes."
    if not plan.pods:
        return "Nothing to move: no pods are on the nodes but the nodes' own."
    if not plan.movable:
        return f"Nothing to move: no pod may be moved ({_reasons(plan.kept)})."
    if not plan.passed:
        return "Nothing to move: no node could be freed, and no GPU is stranded."
    tried = _counted(plan.passed.total(), "way")
    return f"Nothing to move: {tried} to free something won't do ({_reasons(plan.passed)})."


def _reasons(counts: Mapping[str, int]) -> str:
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return "; ".join(f"{why}: {number}" for why, number in ordered)


def _goal(goal: Goal, steps: Iterator[int]) -> Json:
    return {
        "kind": goal.candidate.kind,
        "name": goal.candidate.name,
        "frees": FREES[goal.candidate.kind].format(goal.candidate.name),
        "gain": {
            "nodes": goal.gain.nodes,
            "gpus": goal.gain.gpus,
            "strandedMilli": goal.gain.milli,
        },
        "gainPerMoveMilli": round(goal.per_move),
        "moves": [_move(step, next(steps)) for step in goal.steps],
    }


def _move(step: Step, number: int) -> Json:
    pod, placement = step.occupant.pod, step.placement
    owner = pod.controller
    return {
        "step": number,
        "pod": "/".join(pod.key),
        "controller": f"{owner.kind}/{owner.name}" if owner is not None else "",
        "from": step.source,
        "to": placement.node,
        "devices": [
            f"{item.pool}/{item.device}"
            for grant in placement.grants
            if grant.allocation is not None
            for item in grant.allocation.devices.results
        ],
    }


def _state(value: Value) -> Json:
    return {"freeNodes": value.nodes, "freeGPUs": value.gpus, "strandedMilli": value.milli}


def _gpus(value: Value) -> str:
    return f"{value.milli / MILLI:.1f}"


def _counted(number: int, what: str) -> str:
    return f"{number} {what}" + ("" if number == 1 else "s")
