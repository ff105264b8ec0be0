"""The InferenceService controller: reads, lets `plan` decide, commits."""

from dataclasses import dataclass

from argosy.api.core import Pod, Service
from argosy.api.kserve import InferenceService
from argosy.api.meta import Key
from argosy.api.modelversion import ModelVersion
from argosy.base.clock import Clock
from argosy.runtime.commit import Committer
from argosy.runtime.controller import Controller, Result, Watch
from argosy.runtime.events import EventRecorder
from argosy.runtime.informer import Informer
from argosy.runtime.manager import Manager
from argosy.serving.plan import make_plan, refused

NAME = "serving/inferenceservice"
REGISTRY = "model-registry://"


@dataclass(frozen=True)
class InferenceServices:
    """Serves registered models."""

    services: Informer[InferenceService]
    pods: Informer[Pod]
    versions: Informer[ModelVersion]
    committer: Committer
    clock: Clock
    image: str = "host"

    async def reconcile(self, service: InferenceService) -> Result:
        """Bring `service` one step on."""
        pods, now = self.pods.owned_by(service.metadata.uid), self.clock.now()
        plan = make_plan(service, self._version(service), pods, now, image=self.image)
        await self.committer.commit(
            service, plan, refused=lambda error: refused(service, pods, error.message, now)
        )
        return Result(after=plan.after)

    def _version(self, service: InferenceService) -> ModelVersion | None:
        namespace, wanted = service.metadata.namespace, _wanted(service)
        found = [
            version
            for version in self.versions.items()
            if version.metadata.namespace == namespace and _address(version) == wanted
        ]
        return min(found, key=lambda version: version.metadata.name, default=None)

    def serving(self, version: ModelVersion) -> list[Key]:
        """The services that serve this version."""
        namespace, wanted = version.metadata.namespace, _address(version)
        return [
            service.key
            for service in self.services.items()
            if service.metadata.namespace == namespace and _wanted(service) == wanted
        ]


def _wanted(service: InferenceService) -> str:
    return service.spec.predictor.model.storage_uri


def _address(version: ModelVersion) -> str:
    return f"{REGISTRY}{version.spec.model}/{version.spec.version}"


def inference_services(manager: Manager, image: str = "host") -> Controller[InferenceService]:
    """The controller, on the manager's caches; its pods have `image`."""
    services, pods = manager.informer(InferenceService), manager.informer(Pod)
    versions, names = manager.informer(ModelVersion), manager.informer(Service)
    client = manager.client_as(NAME)
    events = EventRecorder(client, manager.clock, NAME)
    committer = Committer(client, events, (services, pods, names))
    controller = InferenceServices(services, pods, versions, committer, manager.clock, image)
    return Controller(
        name=NAME,
        informer=services,
        reconcile=controller.reconcile,
        owns=(pods, names),
        watches=(Watch(versions, controller.serving),),
    )
