"""Jobs as people run them with a stock kubectl: processes of this machine come to their ends."""

import json
from typing import Any

from tests.e2e.kubectl import Kubectl

Json = dict[str, Any]


def job(name: str, script: str, **spec: Any) -> Json:
    container = {"name": "main", "image": "host", "command": ["sh", "-c", script]}
    pod = {"runtimeClassName": "host", "restartPolicy": "Never", "containers": [container]}
    spec = {"template": {"spec": pod}, **spec}
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": name}, "spec": spec}


def shown(kubectl: Kubectl, *place: str) -> Json:
    found: Json = json.loads(kubectl.ok("get", *place, "-o", "json"))
    return found


def test_a_job_of_three(kubectl: Kubectl) -> None:
    body = job(
        "three",
        "echo $JOB_COMPLETION_INDEX at $HOSTNAME",
        completions=3,
        parallelism=2,
        completionMode="Indexed",
    )
    kubectl.ok("apply", "-f", "-", stdin=body)
    kubectl.ok("wait", "--for=condition=complete", "job/three", "--timeout=25s")
    status = shown(kubectl, "job", "three")["status"]
    assert (status["succeeded"], status["completedIndexes"]) == (3, "0-2")
    assert status["uncountedTerminatedPods"] == {} and "active" not in status
    pods = shown(kubectl, "pods", "-l", "job-name=three")["items"]
    assert sorted(pod["spec"]["hostname"] for pod in pods) == ["three-0", "three-1", "three-2"]
    assert not any(pod["metadata"].get("finalizers") for pod in pods)
    logs = kubectl.ok("logs", "-l", "job-name=three")
    assert sorted(line.split()[0] for line in logs.splitlines()) == ["0", "1", "2"]
    header, row = (line.split() for line in kubectl.ok("get", "job", "three").splitlines())
    assert row[:3] == ["three", "Complete", "3/3"]
    kubectl.ok("delete", "job", "three", "--wait=true")
    assert shown(kubectl, "jobs")["items"] == []


def test_a_job_that_fails(kubectl: Kubectl) -> None:
    kubectl.ok("apply", "-f", "-", stdin=job("bad", "exit 3", backoffLimit=0))
    kubectl.ok("wait", "--for=condition=failed", "job/bad", "--timeout=25s")
    status = shown(kubectl, "job", "bad")["status"]
    reasons = {item["type"]: item["reason"] for item in status["conditions"]}
    assert reasons == {"FailureTarget": "BackoffLimitExceeded", "Failed": "BackoffLimitExceeded"}
    assert status["failed"] == 1
    assert "BackoffLimitExceeded" in kubectl.ok("describe", "job", "bad")


def test_a_job_made_of_a_cron_job(kubectl: Kubectl) -> None:
    template = job("", "echo by hand")["spec"]
    cron = {
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "metadata": {"name": "yearly"},
        "spec": {"schedule": "@yearly", "jobTemplate": {"spec": template}},
    }
    kubectl.ok("apply", "-f", "-", stdin=cron)
    kubectl.ok("create", "job", "now", "--from=cronjob/yearly")
    kubectl.ok("wait", "--for=condition=complete", "job/now", "--timeout=25s")
    assert kubectl.ok("logs", "job/now") == "by hand\n"
    found = shown(kubectl, "cronjob", "yearly")
    assert "lastScheduleTime" not in found.get("status", {})
    kubectl.ok("delete", "cronjob", "yearly")


def test_suspend_and_resume(kubectl: Kubectl) -> None:
    kubectl.ok("apply", "-f", "-", stdin=job("later", "true", suspend=True))
    kubectl.ok("wait", "--for=condition=suspended", "job/later", "--timeout=25s")
    assert shown(kubectl, "pods", "-l", "job-name=later")["items"] == []
    kubectl.ok("patch", "job", "later", "-p", '{"spec":{"suspend":false}}')
    kubectl.ok("wait", "--for=condition=complete", "job/later", "--timeout=25s")
