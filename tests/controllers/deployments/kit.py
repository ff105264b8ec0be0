"""Deployments and ReplicaSets in all states, as plans see them, and what becomes of plans."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import msgspec

from argosy.api.meta import owned
from argosy.api.replicas import Deployment, DeploymentStatus, ReplicaSet
from argosy.base.clock import timestamp
from argosy.controllers.deployments.plan import Plan, make_plan
from argosy.testing.clock import EPOCH
from tests.controllers.replicakit import Json, body

DESIRED = "deployment.kubernetes.io/desired-replicas"
MAXIMUM = "deployment.kubernetes.io/max-replicas"
REVISION = "deployment.kubernetes.io/revision"


def rolling(surge: int | str, unavailable: int | str) -> Json:
    limits = {"maxSurge": surge, "maxUnavailable": unavailable}
    return {"type": "RollingUpdate", "rollingUpdate": limits}


def deployment(
    *, status: Json | None = None, generation: int = 1, meta: Json | None = None, **spec: Any
) -> Deployment:
    """A Deployment as the server defaults it."""
    defaults = {
        "strategy": rolling("25%", "25%"),
        "revisionHistoryLimit": 10,
        "progressDeadlineSeconds": 600,
    }
    given = body(**{**defaults, **spec})
    given["metadata"] |= {"uid": "d", "generation": generation, **(meta or {})}
    return msgspec.convert(_encoded({**given, "status": status or {}}), Deployment)


def _encoded(given: Json) -> Any:
    """With its template as it comes from the server."""
    template = msgspec.Raw(msgspec.json.encode(given["spec"]["template"]))
    return {**given, "spec": {**given["spec"], "template": template}}


def replica_set(
    name: str = "old",
    replicas: int = 0,
    *,
    available: int = 0,
    there: int | None = None,
    image: str = "old",
    age: float = 100,
    now: datetime = EPOCH,
    annotations: dict[str, str] | None = None,
    **status: Any,
) -> ReplicaSet:
    """A ReplicaSet of the Deployment; `there` pods are there, as many as asked for if not said."""
    given = body(name, replicas=replicas, image=image)
    given["metadata"] |= {
        "uid": name,
        "generation": 1,
        "resourceVersion": "7",
        "creationTimestamp": timestamp(now - timedelta(seconds=age)),
        "annotations": annotations or {},
        "ownerReferences": [owned(deployment())],
    }
    given["status"] = {
        "replicas": replicas if there is None else there,
        "readyReplicas": available,
        "availableReplicas": available,
        "terminatingReplicas": 0,
        "observedGeneration": 1,
        **status,
    }
    return msgspec.convert(_encoded(given), ReplicaSet)


@dataclass
class World:
    """A Deployment and its sets, changed by plans as the server and the ReplicaSets' controller
    change them. Pods that are not available are taken first.
    """

    deployment: Deployment
    sets: dict[str, ReplicaSet] = field(default_factory=dict)
    now: datetime = EPOCH

    def plan(self) -> Plan:
        """The next plan, carried out."""
        plan = make_plan(self.deployment, list(self.sets.values()), lambda _: (), self.now)
        if plan.create is not None:
            self._create(plan.create)
        for old, change in plan.change:
            self._change(old, change)
        for old in plan.delete:
            del self.sets[old.metadata.name]
        self.tell(plan.status, plan.revision)
        return plan

    def tell(self, status: DeploymentStatus, revision: str | None = None) -> None:
        meta = self.deployment.metadata
        if revision is not None:
            annotations = {**meta.annotations, REVISION: revision}
            meta = msgspec.structs.replace(meta, annotations=annotations)
        self.deployment = msgspec.structs.replace(self.deployment, status=status, metadata=meta)

    def change_spec(self, **spec: Any) -> None:
        """Somebody changes the Deployment."""
        meta, old = self.deployment.metadata, self.deployment.spec
        new = msgspec.structs.replace(old, **spec)
        meta = msgspec.structs.replace(meta, generation=meta.generation + 1)
        self.deployment = msgspec.structs.replace(self.deployment, spec=new, metadata=meta)

    def change_image(self, image: str) -> None:
        template = msgspec.json.encode(body(image=image)["spec"]["template"])
        self.change_spec(template=msgspec.Raw(template))

    def _create(self, given: Json) -> None:
        meta = {
            **given["metadata"],
            "uid": given["metadata"]["name"],
            "resourceVersion": "1",
            "creationTimestamp": timestamp(self.now),
        }
        made = msgspec.convert(_encoded({**given, "metadata": meta}), ReplicaSet)
        assert made.metadata.name not in self.sets
        self.sets[made.metadata.name] = made

    def _change(self, old: ReplicaSet, change: Json) -> None:
        seen = {"uid": old.metadata.uid, "resourceVersion": old.metadata.resource_version}
        assert seen.items() <= change["metadata"].items()
        annotations = change["metadata"].get("annotations", {})
        meta = msgspec.structs.replace(
            old.metadata, annotations={**old.metadata.annotations, **annotations}
        )
        given = change.get("spec", {})
        spec = msgspec.structs.replace(
            old.spec,
            replicas=given.get("replicas", old.spec.replicas),
            min_ready_seconds=given.get("minReadySeconds", old.spec.min_ready_seconds),
        )
        new = msgspec.structs.replace(old, metadata=meta, spec=spec)
        self.sets[old.metadata.name] = new

    def settle(self, name: str, *, fresh: int = 0, broken: int = 0) -> None:
        """The set has its pods; `fresh` more of them are available, and `broken` no more."""
        old = self.sets[name]
        count = old.spec.replicas
        available = min(old.status.available_replicas, count)
        available = max(min(available + fresh, count) - broken, 0)
        status = msgspec.structs.replace(
            old.status,
            replicas=count,
            ready_replicas=available,
            available_replicas=available,
            terminating_replicas=0,
            observed_generation=old.metadata.generation or 1,
        )
        self.sets[name] = msgspec.structs.replace(old, status=status)

    def settle_all(self) -> None:
        for name in self.sets:
            self.settle(name, fresh=10**6)

    @property
    def asked(self) -> int:
        """How many pods the sets are asked for together."""
        return sum(item.spec.replicas for item in self.sets.values())

    @property
    def available(self) -> int:
        """How many pods are available and stay."""
        statuses = (
            (item.status.available_replicas, item.spec.replicas) for item in self.sets.values()
        )
        return sum(map(min, statuses))

    def state(self) -> object:
        """All that may change."""
        sets = {name: (item.spec.replicas, item.status) for name, item in self.sets.items()}
        return sets, self.deployment.status

    def replicas(self) -> dict[str, int]:
        """What each set is asked for."""
        return {name: item.spec.replicas for name, item in self.sets.items()}
