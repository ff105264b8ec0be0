"""What to do next with an InferenceService: a table of situations."""

from collections.abc import Sequence
from typing import Any

import msgspec
import pytest

from argosy.api.core import Pod
from argosy.api.kserve import FailureInfo, InferenceService, InferenceServiceStatus
from argosy.api.meta import condition
from argosy.api.modelversion import ModelVersion
from argosy.runtime.commit import Plan
from argosy.serving.plan import make_plan, refused
from tests.serving.builders import DIGEST, NOW, container, pod, service, version

NEW = version("sha256:" + "b" * 64)


def plan(
    found: InferenceService | None = None,
    of: ModelVersion | None = None,
    pods: Sequence[Pod] = (),
) -> Plan:
    return make_plan(found or service(), of or version(), pods, NOW)


def names(of: ModelVersion | None = None, found: InferenceService | None = None) -> list[str]:
    """The names of the pods that are wanted."""
    wanted = plan(found, of).apply
    return [item.body["metadata"]["name"] for item in wanted if item.resource.kind == "Pod"]


def applied(found: Plan) -> list[str]:
    return [item.body["metadata"]["name"] for item in found.apply]


def deleted(found: Plan) -> list[str]:
    return [item.metadata.name for item in found.delete]


def status(found: Plan) -> InferenceServiceStatus:
    assert isinstance(found.status, InferenceServiceStatus)
    return found.status


def told(found: Plan) -> tuple[str, str, str]:
    item = condition(status(found).conditions, "Ready")
    assert item is not None
    return (item.status, item.reason, item.message)


def states(found: Plan) -> tuple[str, str, str]:
    """Transition, active state and target state."""
    model = status(found).model_status
    assert model.states is not None
    return (
        model.transition_status,
        model.states.active_model_state,
        model.states.target_model_state,
    )


def notes(found: Plan) -> list[tuple[str, str, str]]:
    return [(note.type, note.reason, note.message) for note in found.notes]


def test_a_fresh_service_gets_its_name_and_its_pods() -> None:
    found = plan(service(minReplicas=2))
    [name, first, second] = applied(found)
    assert name == "s-predictor"
    assert first.startswith("s-predictor-") and first.endswith("-0")
    assert second == first.removesuffix("0") + "1"
    assert told(found) == ("False", "Loading", "0 of 2 pods are ready")
    assert states(found) == ("InProgress", "Loading", "Loading")
    assert status(found).url == ""
    address = status(found).address
    assert address and address.url == "http://s-predictor.default.svc.cluster.local:8080"
    assert found.notes == []


def test_the_pod_serves_the_content_that_was_registered_and_no_other() -> None:
    [_, wanted] = plan().apply
    [server] = wanted.body["spec"]["containers"]
    arguments = dict(zip(server["args"][::2], server["args"][1::2], strict=True))
    assert arguments == {
        "--name": "s",
        "--version": "1",
        "--model": "/mnt/models/a/m.onnx",
        "--digest": DIGEST,
        "--host": "$(POD_IP)",
        "--port": "8080",
    }
    [volume] = wanted.body["spec"]["volumes"]
    assert volume["persistentVolumeClaim"] == {"claimName": "models", "readOnly": True}
    assert server["volumeMounts"] == [
        {"name": "model", "mountPath": "/mnt/models", "readOnly": True}
    ]


def test_the_predictor_says_where_and_how_it_runs() -> None:
    found = service(
        model={"env": [{"name": "A", "value": "1"}], "resources": {"requests": {"cpu": "1"}}},
        runtimeClassName="host",
        nodeSelector={"zone": "a"},
        tolerations=[{"key": "gpu"}],
    )
    spec = plan(found).apply[1].body["spec"]
    assert spec["runtimeClassName"] == "host"
    assert spec["nodeSelector"] == {"zone": "a"}
    assert spec["tolerations"] == [{"key": "gpu"}]
    [server] = spec["containers"]
    assert server["resources"] == {"requests": {"cpu": "1"}}
    assert [item["name"] for item in server["env"]] == ["POD_IP", "A"]


def test_the_service_finds_the_pods() -> None:
    [name, wanted] = plan().apply
    selector = name.body["spec"]["selector"]
    assert selector.items() <= wanted.body["metadata"]["labels"].items()
    assert name.body["spec"]["clusterIP"] == "None"


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        (version(), version(), True),
        (version(), NEW, False),
        (version(), version(storageUri="pvc://models/b/m.onnx"), False),
    ],
)
def test_what_the_pods_run_names_them(
    first: ModelVersion, second: ModelVersion, same: bool
) -> None:
    assert (names(first) == names(second)) is same


def test_a_ready_pod_makes_the_service_ready_with_its_url() -> None:
    [name] = names()
    found = plan(pods=[pod(name, ready=True)])
    assert applied(found) == ["s-predictor"]
    assert told(found) == ("True", "Loaded", "")
    assert states(found) == ("UpToDate", "Loaded", "Loaded")
    assert status(found).url == "http://10.0.0.1:8080"
    assert notes(found) == [("Normal", "InferenceServiceReady", "answers at http://10.0.0.1:8080")]


def test_readiness_is_told_once() -> None:
    [name] = names()
    pods = [pod(name, ready=True)]
    first = plan(pods=pods)
    known = service(status=msgspec.to_builtins(first.status))
    again = plan(known, pods=pods)
    assert again.notes == [] and again.status == first.status


NOT_READY = {
    "not ready": pod("x", ready=False),
    "leaving": pod("x", ready=True, leaving=True),
    "without an address": pod("x", ready=True, ip=""),
}


@pytest.mark.parametrize("found", NOT_READY.values(), ids=NOT_READY.keys())
def test_who_does_not_answer_is_not_counted(found: Pod) -> None:
    [name] = names()
    meta = msgspec.structs.replace(found.metadata, name=name)
    pods = [msgspec.structs.replace(found, metadata=meta)]
    assert told(plan(pods=pods)) == ("False", "Loading", "0 of 1 pods are ready")


def test_old_pods_answer_until_all_new_ones_do() -> None:
    two = service(minReplicas=2)
    old = [pod(name, ready=True, ip="10.0.0.9") for name in names(found=two)]
    first, second = names(NEW, two)
    found = plan(two, NEW, old)
    assert applied(found)[1:] == [first, second] and deleted(found) == []
    assert told(found)[0] == "True" and status(found).url == "http://10.0.0.9:8080"
    assert states(found) == ("InProgress", "Loaded", "Loading")
    found = plan(two, NEW, [*old, pod(first, ready=True), pod(second)])
    assert deleted(found) == [] and status(found).url == "http://10.0.0.1:8080"
    found = plan(two, NEW, [*old, pod(first, ready=True), pod(second, ready=True)])
    assert deleted(found) == [item.metadata.name for item in old]
    assert states(found) == ("UpToDate", "Loaded", "Loaded")
    leaving = [pod(item.metadata.name, leaving=True) for item in old]
    found = plan(two, NEW, [*leaving, pod(first, ready=True), pod(second, ready=True)])
    assert deleted(found) == []


def test_fewer_replicas_let_the_last_ones_go() -> None:
    pods = [pod(name, ready=True) for name in names(found=service(minReplicas=2))]
    assert deleted(plan(service(), pods=pods)) == [pods[1].metadata.name]


ENDED = {"terminated": {"exitCode": 3, "message": "digest is sha256:bb, not sha256:aa\n"}}
LOADS = {
    "ended": container(state=ENDED),
    "waiting to start again": container(
        state={"waiting": {"reason": "CrashLoopBackOff", "message": "back-off"}}, last=ENDED
    ),
    "starting again": container(state={"running": {}}, last=ENDED),
}


@pytest.mark.parametrize("found", LOADS.values(), ids=LOADS.keys())
def test_a_model_that_does_not_load_is_told_with_its_exit_code(found: dict[str, Any]) -> None:
    [name] = names()
    text = "digest is sha256:bb, not sha256:aa"
    failed = plan(pods=[pod(name, containers=[found])])
    assert told(failed) == ("False", "ModelLoadFailed", text)
    assert states(failed) == ("BlockedByFailedLoad", "FailedToLoad", "FailedToLoad")
    failure = status(failed).model_status.last_failure_info
    assert failure == FailureInfo(reason="ModelLoadFailed", message=text, exit_code=3)
    assert notes(failed) == [("Warning", "ModelLoadFailed", text)]
    known = service(status=msgspec.to_builtins(failed.status))
    assert plan(known, pods=[pod(name, containers=[found])]).notes == []


def test_a_new_version_that_does_not_load_leaves_the_old_one_answering() -> None:
    [old], [new] = names(), names(NEW)
    pods = [pod(old, ready=True), pod(new, containers=[container(state=ENDED)])]
    found = plan(service(), NEW, pods)
    assert deleted(found) == []
    assert told(found)[:2] == ("True", "ModelLoadFailed")
    assert states(found) == ("BlockedByFailedLoad", "Loaded", "FailedToLoad")


def test_a_failure_that_is_over_is_not_told_any_more() -> None:
    [name] = names()
    up = container(ready=True, state={"running": {}}, last=ENDED)
    found = plan(pods=[pod(name, ready=True, containers=[up])])
    assert told(found) == ("True", "Loaded", "")
    assert status(found).model_status.last_failure_info is None


def test_a_server_that_ended_well_has_not_failed() -> None:
    [name] = names()
    ended = container(state={"terminated": {"exitCode": 0}})
    assert told(plan(pods=[pod(name, containers=[ended])]))[1] == "Loading"


def test_a_server_that_said_nothing_is_told_by_its_code() -> None:
    [name] = names()
    silent = container(state={"terminated": {"exitCode": 137}})
    found = plan(pods=[pod(name, containers=[silent])])
    assert told(found)[2] == "the model server exited with code 137"


WAITS = {
    "the node": pod("x", containers=[container(state={"waiting": {"message": "no such image"}})]),
    "the scheduler": pod(
        "x", conditions=[{"type": "PodScheduled", "status": "False", "message": "no such image"}]
    ),
}


@pytest.mark.parametrize("found", WAITS.values(), ids=WAITS.keys())
def test_why_a_pod_waits_is_passed_on(found: Pod) -> None:
    [name] = names()
    meta = msgspec.structs.replace(found.metadata, name=name)
    pods = [msgspec.structs.replace(found, metadata=meta)]
    assert told(plan(pods=pods)) == ("False", "Loading", "no such image")


@pytest.mark.parametrize("phase", ["Failed", "Succeeded"])
def test_a_pod_that_ended_is_replaced_but_not_in_a_hurry(phase: str) -> None:
    [name] = names()
    found = plan(pods=[pod(name, phase=phase, age=4)])
    assert (deleted(found), found.after) == ([], 6.0)
    found = plan(pods=[pod(name, phase=phase, age=10)])
    assert (deleted(found), found.after) == ([name], None)
    assert deleted(plan(pods=[pod(name, phase=phase, age=10, leaving=True)])) == []


BLOCKED = [
    (
        service(model={"modelFormat": {"name": "gguf"}}),
        version(),
        "NoSupportingRuntime",
        'spec.predictor.model.modelFormat.name: Unsupported value: "gguf": '
        'supported values: "onnx"',
        "InvalidSpec",
    ),
    (
        service(),
        None,
        "ModelNotFound",
        'spec.predictor.model.storageUri: Not found: "model-registry://m/1": '
        "no such ModelVersion in this namespace",
        "InProgress",
    ),
    (
        service(),
        version(""),
        "ModelNotReady",
        'modelversion "m-1": it is not registered yet',
        "InProgress",
    ),
    (
        service(),
        version("", conditions=[{"type": "Ready", "status": "False", "message": "being read"}]),
        "ModelNotReady",
        'modelversion "m-1": being read',
        "InProgress",
    ),
]


@pytest.mark.parametrize(("found", "of", "reason", "message", "transition"), BLOCKED)
def test_what_is_in_the_way_is_told(
    found: InferenceService,
    of: ModelVersion | None,
    reason: str,
    message: str,
    transition: str,
) -> None:
    blocked = make_plan(found, of, [], NOW)
    assert (applied(blocked), deleted(blocked)) == ([], [])
    assert told(blocked) == ("False", reason, message)
    assert states(blocked) == (transition, "Pending", "Pending")
    assert notes(blocked) == [("Warning", reason, message)]
    # What answers already goes on.
    going = make_plan(found, of, [pod("old", ready=True)], NOW)
    assert deleted(going) == [] and told(going)[0] == "True"
    assert states(going)[1] == "Loaded"


def test_what_the_api_refuses_is_told_in_its_words() -> None:
    found = refused(service(), [pod("old", ready=True)], "pods are forbidden", NOW)
    assert told(found) == ("True", "FailedCreate", "pods are forbidden")
    assert (applied(found), deleted(found)) == ([], [])
    assert len(told(refused(service(), [], "x" * 100_000, NOW))[2]) == 32768


def test_a_service_that_is_being_deleted_is_left_alone() -> None:
    gone = service(metadata={"deletionTimestamp": "2026-01-01T00:00:00Z"})
    assert plan(gone) == Plan()
