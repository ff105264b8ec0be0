"""What a TrainJob's pods look like: the runtime's template with the job's changes."""

from typing import Any

import pytest

from argosy.api.trainer import TrainingRuntimeSpec, TrainJob
from argosy.training import pods as made
from tests.training.builders import job, runtime

Json = dict[str, Any]


def pods(found: TrainJob, by: TrainingRuntimeSpec, attempt: int = 0) -> list[Json]:
    wanted = made.pods(found, by, attempt, made.nodes(found, by))
    return [dict(item.body) for item in wanted]


def container(found: TrainJob, by: TrainingRuntimeSpec, rank: int = 0) -> Json:
    [only] = pods(found, by)[rank]["spec"]["containers"]
    assert isinstance(only, dict)
    return only


def env(found: TrainJob, by: TrainingRuntimeSpec, rank: int = 0) -> dict[str, str]:
    return {item["name"]: item["value"] for item in container(found, by, rank)["env"]}


def test_names_are_jobsets_and_tell_rank_and_attempt() -> None:
    first, second = pods(job(), runtime(), attempt=3)
    assert [item["metadata"]["name"] for item in (first, second)] == [
        "j-node-0-0-3",
        "j-node-0-1-3",
    ]
    # The hostname is the same in each attempt: peers find each other again.
    assert [item["spec"]["hostname"] for item in (first, second)] == ["j-node-0-0", "j-node-0-1"]
    assert first["spec"]["subdomain"] == "j"
    assert second["metadata"]["labels"] == {
        "jobset.sigs.k8s.io/jobset-name": "j",
        "batch.kubernetes.io/job-completion-index": "1",
        "training.argosy.dev/attempt": "3",
    }
    assert first["spec"]["schedulingGroup"] == {"podGroupName": "j-3"}
    assert first["metadata"]["ownerReferences"][0]["uid"] == "uid-j"
    assert first["metadata"]["namespace"] == "default"


def test_the_service_finds_the_pods_before_they_are_ready() -> None:
    body = made.service(job()).body
    assert body["metadata"]["name"] == "j"
    assert body["spec"] == {
        "clusterIP": "None",
        "selector": {"jobset.sigs.k8s.io/jobset-name": "j"},
        "publishNotReadyAddresses": True,
    }


def test_the_template_is_kept_but_pods_never_restart() -> None:
    given = {
        "spec": {
            "restartPolicy": "OnFailure",
            "terminationGracePeriodSeconds": 5,
            "containers": [
                {"name": "side", "image": "side"},
                {"name": "node", "image": "runtime", "workingDir": "/w"},
            ],
        },
        "metadata": {"labels": {"team": "a"}, "annotations": {"note": "b"}},
    }
    pod = pods(job(trainer={"image": "mine"}), runtime(template=given, torch=False))[0]
    assert pod["spec"]["restartPolicy"] == "Never"
    assert pod["spec"]["terminationGracePeriodSeconds"] == 5
    assert pod["metadata"]["labels"]["team"] == "a"
    assert pod["metadata"]["annotations"] == {"note": "b"}
    side, node = pod["spec"]["containers"]
    assert side == {"name": "side", "image": "side"}
    assert (node["image"], node["workingDir"]) == ("mine", "/w")


def test_without_a_container_called_node_the_first_one_trains() -> None:
    given = {"spec": {"containers": [{"name": n, "image": n} for n in ("a", "b")]}}
    [a, b] = pods(job(trainer={"args": ["x"]}), runtime(template=given))[0]["spec"]["containers"]
    assert a["args"] == ["x"] and "args" not in b


OVERRIDES: list[tuple[Json, str, Any]] = [
    ({}, "image", "runtime"),
    ({"image": "mine"}, "image", "mine"),
    ({}, "command", ["train"]),
    ({"command": ["other"]}, "command", ["other"]),
    ({}, "args", ["--runtime"]),
    ({"args": ["--job"]}, "args", ["--job"]),
    ({}, "resources", {"requests": {"cpu": "1"}}),
    ({"resourcesPerNode": {"limits": {"cpu": "2"}}}, "resources", {"limits": {"cpu": "2"}}),
    ({}, "terminationMessagePolicy", "FallbackToLogsOnError"),
]


@pytest.mark.parametrize(("trainer", "field", "value"), OVERRIDES)
def test_the_job_changes_what_it_names(trainer: Json, field: str, value: Any) -> None:
    given = {"args": ["--runtime"], "resources": {"requests": {"cpu": "1"}}}
    assert container(job(trainer=trainer), runtime(container=given))[field] == value


def test_devices_of_the_runtime_stay_when_the_job_changes_the_resources() -> None:
    given = {"resources": {"claims": [{"name": "gpu"}], "requests": {"cpu": "1"}}}
    found = job(trainer={"resourcesPerNode": {"requests": {"cpu": "2"}}})
    assert container(found, runtime(container=given))["resources"] == {
        "claims": [{"name": "gpu"}],
        "requests": {"cpu": "2"},
    }


def test_the_runtimes_own_choice_of_termination_message_stays() -> None:
    given = {"terminationMessagePolicy": "File"}
    assert container(job(), runtime(container=given))["terminationMessagePolicy"] == "File"


def test_torch_gets_its_rendezvous() -> None:
    found = job(trainer={"numNodes": 3, "numProcPerNode": 4})
    assert env(found, runtime(), 2) == {
        "PET_NNODES": "3",
        "PET_NPROC_PER_NODE": "4",
        "PET_NODE_RANK": "2",
        "PET_MASTER_ADDR": "j-node-0-0.j",
        "PET_MASTER_PORT": "29400",
    }
    assert env(job(), runtime())["PET_NPROC_PER_NODE"] == "1"


def test_without_torch_there_are_no_variables() -> None:
    assert "env" not in container(job(), runtime(torch=False))


def test_the_jobs_variables_win_over_the_runtimes_and_the_rendezvous_over_both() -> None:
    def given(**values: str) -> list[Json]:
        return [{"name": name, "value": value} for name, value in values.items()]

    found = job(trainer={"env": given(B="job", C="job", PET_NODE_RANK="7")})
    values = env(found, runtime(container={"env": given(A="runtime", B="runtime")}), 1)
    assert list(values)[:3] == ["A", "B", "C"]
    assert (values["A"], values["B"], values["C"]) == ("runtime", "job", "job")
    assert values["PET_NODE_RANK"] == "1"


def test_a_template_is_not_changed_by_what_is_made_of_it() -> None:
    by = runtime(container={"env": [{"name": "A", "value": "1"}]})
    before = by.template.spec.replicated_jobs[0].template["spec"]["template"]
    text = repr(before)
    pods(job(trainer={"image": "mine", "env": [{"name": "A", "value": "2"}]}), by)
    assert repr(before) == text
