"""The AI platform's controllers: training runs, model versions, services of models."""

from collections.abc import Sequence

from argosy.api.core import Pod
from argosy.api.kserve import InferenceService
from argosy.api.modelversion import ModelVersion
from argosy.api.resource import Resource
from argosy.api.scheduling import PodGroup
from argosy.api.trainer import TrainingRuntime, TrainJob
from argosy.base.clock import timestamp
from argosy.models.modelversion import model_versions
from argosy.runtime.manager import Manager
from argosy.serving.inferenceservice import inference_services
from argosy.training.trainjob import train_jobs
from tests.serving.builders import DIGEST, MODEL
from tests.simulation.actors import User
from tests.simulation.engine import Scenario
from tests.simulation.scenarios.bodies import alive, collect, conditions
from tests.simulation.world import Invariant, Json, Step, World
from tests.training.builders import runtime_json


def _training(manager: Manager, served: Sequence[Resource]) -> None:
    manager.add(train_jobs(manager))
    collect(manager, TrainJob.resource, Pod.resource, PodGroup.resource)


def one_attempt() -> Invariant:
    """Pods of two attempts never run at once."""

    def check(world: World, step: Step) -> None:
        if step.concerns(Pod.resource) and step.before is None:
            attempts = {pod["metadata"]["name"].rpartition("-")[2] for pod in alive(world)}
            assert len(attempts) <= 1, f"attempts {sorted(attempts)} at once"

    return check


def _first_attempt_fails(pod: Json, age: float) -> str:
    if age < 4:
        return ""
    return "Failed" if pod["metadata"]["name"] == "j-node-0-1-0" else "Succeeded"


async def _train(user: User) -> None:
    meta = {"name": "r", "namespace": "default"}
    await user.create(TrainingRuntime.resource, {"metadata": meta, "spec": runtime_json()})
    await user.pause(5)
    spec = {"runtimeRef": {"name": "r", "kind": "TrainingRuntime"}}
    meta = {"name": "j", "namespace": "default"}
    await user.create(TrainJob.resource, {"metadata": meta, "spec": spec})
    await user.pause(5)


TRAINING = Scenario(
    name="train-job",
    controllers=_training,
    script=_train,
    final=lambda world: {
        "jobs": [conditions(item).get("Complete") for item in world.all(TrainJob.resource)],
        "pods": {
            pod["metadata"]["name"]: pod["status"]["phase"] for pod in world.all(Pod.resource)
        },
    },
    expected={
        "jobs": ["True JobsCompleted"],
        "pods": {"j-node-0-0-1": "Succeeded", "j-node-0-1-1": "Succeeded"},
    },
    invariants=(one_attempt,),
    fate=_first_attempt_fails,
    writes=120,
)


def _serving(manager: Manager, served: Sequence[Resource]) -> None:
    manager.add(inference_services(manager))
    manager.add(model_versions(manager))


async def _infer(user: User) -> None:
    model = {"predictor": {"model": MODEL}}
    meta = {"name": "s", "namespace": "default"}
    await user.create(InferenceService.resource, {"metadata": meta, "spec": model})
    await user.pause(10)
    spec = {
        "model": "m",
        "version": "1",
        "storageUri": "pvc://models/1.onnx",
        "modelFormat": {"name": "onnx"},
    }
    meta = {"name": "m-1", "namespace": "default"}
    await user.create(ModelVersion.resource, {"metadata": meta, "spec": spec})
    patch = {"status": {"digest": DIGEST}}
    await user.merge(ModelVersion.resource, "m-1", patch, subresource="status")
    await user.pause()
    for pod in alive(user.world):
        if pod["metadata"]["name"].startswith("s"):
            await user.delete(Pod.resource, pod["metadata"]["name"])


SERVING = Scenario(
    name="inference-service",
    controllers=_serving,
    script=_infer,
    final=lambda world: {
        "services": [
            conditions(item).get("Ready", "").partition(" ")[0]
            for item in world.all(InferenceService.resource)
        ],
        "pods": len([pod for pod in alive(world) if conditions(pod).get("Ready") == "True"]),
        "digests": [item["status"].get("digest") for item in world.all(ModelVersion.resource)],
    },
    expected={"services": ["True"], "pods": 1, "digests": [DIGEST]},
    writes=120,
)


def _registry(manager: Manager, served: Sequence[Resource]) -> None:
    manager.add(model_versions(manager))
    collect(manager, ModelVersion.resource, Pod.resource)


def measured_once() -> Invariant:
    """What was measured stays, and of what isn't trained yet nothing is read."""

    def check(world: World, step: Step) -> None:
        if step.concerns(ModelVersion.resource) and step.before is not None and step.after:
            before, after = (item["status"].get("digest") for item in (step.before, step.after))
            assert before in (None, after), f"{before} was measured, now {after}"
        if step.concerns(Pod.resource) and step.before is None and "/trained-" in step.key:
            [job] = world.all(TrainJob.resource)
            assert conditions(job).get("Complete", "").startswith("True"), "it is not trained"

    return check


async def _register(user: User) -> None:
    await _train(user)
    for name, reference in (("given", {}), ("trained", {"trainJobRef": {"name": "j"}})):
        spec: Json = {
            "model": "m",
            "version": name,
            "storageUri": "pvc://models/1.onnx",
            "modelFormat": {"name": "onnx"},
            **reference,
        }
        meta = {"name": name, "namespace": "default"}
        await user.create(ModelVersion.resource, {"metadata": meta, "spec": spec})
        await user.pause(10)
    for pod in alive(user.world):
        await user.delete(Pod.resource, pod["metadata"]["name"])
    await user.pause()
    done = {"type": "Complete", "status": "True", "reason": "ByHand", "message": ""}
    told = [{**done, "lastTransitionTime": timestamp(user.clock.now())}]
    patch = {"status": {"conditions": told}}
    await user.merge(TrainJob.resource, "j", patch, subresource="status")


REGISTERED = Scenario(
    name="model-versions",
    controllers=_registry,
    script=_register,
    final=lambda world: {
        "digests": {
            item["metadata"]["name"]: [item["status"].get("digest"), item["status"].get("size")]
            for item in world.all(ModelVersion.resource)
        },
        "pods": len(world.all(Pod.resource)),
    },
    expected={"digests": {"given": [DIGEST, 7], "trained": [DIGEST, 7]}, "pods": 0},
    invariants=(measured_once,),
    fate=lambda pod, age: "Succeeded" if age > 2 else "",
    report=f'{{"digest": "{DIGEST}", "size": 7}}',
    writes=120,
)

PLATFORM = (TRAINING, SERVING, REGISTERED)
