"""What failures mean, by exit code and by condition."""

import pytest

from argosy.api.batch import ExitCodes, FailurePolicy, FailureRule, Job, JobSpec, PodCondition
from argosy.api.core import (
    ContainerState,
    ContainerStateTerminated,
    ContainerStatus,
    Pod,
    PodStatus,
)
from argosy.api.meta import Condition, ObjectMeta
from argosy.controllers.jobs.policies import Meaning, meaning
from tests.controllers.jobs.kit import states, working

DISRUPTED = Condition(type="DisruptionTarget", status="True")


def ended(name: str, code: int) -> ContainerStatus:
    state = ContainerState(terminated=ContainerStateTerminated(exit_code=code))
    return ContainerStatus(name=name, state=state)


def pod(*containers: ContainerStatus, conditions: tuple[Condition, ...] = ()) -> Pod:
    status = PodStatus(phase="Failed", container_statuses=containers, conditions=conditions)
    return Pod(metadata=ObjectMeta(name="p", namespace="n"), status=status)


def codes(action: str, operator: str, *values: int, container: str | None = None) -> FailureRule:
    found = ExitCodes(operator=operator, values=values, container_name=container)
    return FailureRule(action=action, on_exit_codes=found)


IGNORED = FailureRule(action="Ignore", on_pod_conditions=(PodCondition(type="DisruptionTarget"),))


@pytest.mark.parametrize(
    ("rules", "failed", "counted", "action"),
    [
        ((), pod(ended("a", 1)), True, ""),
        ((codes("Ignore", "In", 2),), pod(ended("a", 1)), True, ""),
        ((codes("Ignore", "In", 1, 2),), pod(ended("a", 1)), False, "Ignore"),
        ((codes("Count", "NotIn", 2), IGNORED), pod(ended("a", 1)), True, "Count"),
        ((codes("Ignore", "NotIn", 2),), pod(ended("a", 0)), True, ""),
        ((codes("Ignore", "In", 1, container="b"),), pod(ended("a", 1)), True, ""),
        (
            (codes("Ignore", "In", 1, container="b"),),
            pod(ended("a", 2), ended("b", 1)),
            False,
            "Ignore",
        ),
        ((IGNORED,), pod(ended("a", 1)), True, ""),
        ((IGNORED,), pod(conditions=(DISRUPTED,)), False, "Ignore"),
        ((codes("FailIndex", "In", 1),), pod(ended("a", 1)), True, "FailIndex"),
    ],
)
def test_the_first_rule_that_fits(
    rules: tuple[FailureRule, ...], failed: Pod, counted: bool, action: str
) -> None:
    job = Job(spec=JobSpec(pod_failure_policy=FailurePolicy(rules=rules)))
    assert meaning(job, failed) == Meaning(counted=counted, action=action)


def test_why_a_job_fails() -> None:
    rules = (
        codes("FailJob", "In", 42, container="a"),
        FailureRule(action="FailJob", on_pod_conditions=(PodCondition(type="Config"),)),
    )
    job = Job(spec=JobSpec(pod_failure_policy=FailurePolicy(rules=rules)))
    assert meaning(job, pod(ended("a", 42))).message == (
        "Container a for pod n/p failed with exit code 42 matching FailJob rule at index 0"
    )
    told = pod(conditions=(Condition(type="Config", status="True"),))
    assert (
        meaning(job, told).message
        == "Pod n/p has condition Config matching FailJob rule at index 1"
    )


async def test_in_a_cluster() -> None:
    policy = {
        "rules": [
            {"action": "FailJob", "onExitCodes": {"operator": "In", "values": [42]}},
            {"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget"}]},
        ]
    }
    async with working() as it:
        await it.start(podFailurePolicy=policy, backoffLimit=0, parallelism=2, completions=2)
        first, second = await it.pods()
        disrupted = {"type": "DisruptionTarget", "status": "True"}
        await it.end(first, "Failed", conditions=[disrupted])
        await it.clock.advance(11)
        job = await it.job()
        assert (job.status.failed, job.status.active) == (0, 2)
        assert (await it.pods("Failed"))[0].metadata.finalizers == ()
        await it.exit(second, 42)
        job = await it.job()
        assert states(job) == dict.fromkeys(("FailureTarget", "Failed"), "PodFailurePolicy")
        assert "exit code 42" in job.status.conditions[0].message
