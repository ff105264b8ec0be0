"""What `argosy install` brings to a cluster, as plain objects in the order of their creation.

All bear the same labels, by which `argosy uninstall` finds them again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from argosy import __version__
from argosy.api.crdgen import custom_resource_definition
from argosy.api.kserve import InferenceService
from argosy.api.meta import Object
from argosy.api.modelversion import ModelVersion
from argosy.api.resource import Resource
from argosy.api.trainer import ClusterTrainingRuntime, TrainingRuntime, TrainJob
from argosy.cluster.rights import NAME, cluster_rules, lease_rules

NAMESPACE = "argosy-system"
IMAGE = f"argosy:{__version__}"
MANAGED = "app.kubernetes.io/managed-by"
PART = "app.kubernetes.io/part-of"
SCHEDULER = "argosy"
"""What pods name in `schedulerName` to be placed by ours."""
METRICS_PORT = 8080
PROBES_PORT = 8081
USER = 65532
"""Nobody, as images without a distribution have it."""

Json = dict[str, Any]

DEFINED: Mapping[Resource, tuple[type[Object], ...]] = {
    TrainJob.resource: (ClusterTrainingRuntime, TrainingRuntime, TrainJob),
    ModelVersion.resource: (ModelVersion, TrainJob),
    InferenceService.resource: (InferenceService, ModelVersion),
}
"""The kinds that a kind's controller follows, and that no cluster brings itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What may differ from one installation to the next. With `scheduler` that is run, too.

    `pod_image` is that of the pods that controllers make; empty: the same as `image`.
    """

    kinds: tuple[Resource, ...]
    namespace: str = NAMESPACE
    image: str = IMAGE
    pod_image: str = ""
    replicas: int | str = 1
    scheduler: bool = False
    managed_by: str = "argosy"


def labels(settings: Settings) -> dict[str, str]:
    """What all objects bear."""
    return {
        "app.kubernetes.io/name": NAME,
        PART: "argosy",
        MANAGED: settings.managed_by,
    }


def manifests(settings: Settings) -> list[Json]:
    """All objects, definitions first."""
    return [*definitions(settings), namespace(settings), *objects(settings)]


def definitions(settings: Settings) -> list[Json]:
    """The kinds, each once."""
    kinds = dict.fromkeys(kind for wanted in settings.kinds for kind in DEFINED[wanted])
    made = [custom_resource_definition(kind) for kind in kinds]
    for body in made:
        body["metadata"]["labels"] = labels(settings)
    return made


def namespace(settings: Settings) -> Json:
    """Where the controllers run; it takes pods by the strictest of standards only."""
    body = _object("v1", "Namespace", settings, settings.namespace)
    body["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] = "restricted"
    return body


def objects(settings: Settings) -> list[Json]:
    """An account with its rights, and what runs as it."""
    rbac, account = (
        "rbac.authorization.k8s.io/v1",
        {
            "kind": "ServiceAccount",
            "name": NAME,
            "namespace": settings.namespace,
        },
    )
    group = "rbac.authorization.k8s.io"

    def bound(kind: str) -> Json:
        role = {"apiGroup": group, "kind": kind, "name": NAME}
        return {"roleRef": role, "subjects": [account]}

    here = settings.namespace
    return [
        _object("v1", "ServiceAccount", settings, NAME, here),
        {
            **_object(rbac, "ClusterRole", settings, NAME),
            "rules": cluster_rules(settings.kinds, scheduler=settings.scheduler),
        },
        {**_object(rbac, "ClusterRoleBinding", settings, NAME), **bound("ClusterRole")},
        {**_object(rbac, "Role", settings, NAME, here), "rules": lease_rules()},
        {**_object(rbac, "RoleBinding", settings, NAME, here), **bound("Role")},
        {**_object("v1", "Service", settings, NAME, here), "spec": _service()},
        {**_object("apps/v1", "Deployment", settings, NAME, here), "spec": _deployment(settings)},
    ]


def _object(
    api_version: str, kind: str, settings: Settings, name: str, namespace: str = ""
) -> Json:
    meta: Json = {"name": name, "labels": labels(settings)}
    if namespace:
        meta["namespace"] = namespace
    return {"apiVersion": api_version, "kind": kind, "metadata": meta}


def _selector() -> Json:
    return {"app.kubernetes.io/name": NAME}


def _service() -> Json:
    port = {"name": "metrics", "port": METRICS_PORT, "protocol": "TCP", "targetPort": "metrics"}
    return {"selector": _selector(), "ports": [port]}


def _deployment(settings: Settings) -> Json:
    return {
        "replicas": settings.replicas,
        "selector": {"matchLabels": _selector()},
        "template": {"metadata": {"labels": labels(settings)}, "spec": _pod(settings)},
    }


def _pod(settings: Settings) -> Json:
    return {
        "serviceAccountName": NAME,
        "terminationGracePeriodSeconds": 40,  # 30 of them to end what was begun
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": USER,
            "runAsGroup": USER,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [_container(settings)],
        "volumes": [{"name": "tmp", "emptyDir": {}}],
    }


def _container(settings: Settings) -> Json:
    ports = {"metrics": METRICS_PORT, "probes": PROBES_PORT}
    return {
        "name": "operators",
        "image": settings.image,
        "command": ["argosy"],
        "args": _arguments(settings),
        "ports": [
            {"name": name, "containerPort": port, "protocol": "TCP"} for name, port in ports.items()
        ],
        "livenessProbe": {**_probe("/healthz"), "initialDelaySeconds": 15, "periodSeconds": 20},
        "readinessProbe": {**_probe("/readyz"), "initialDelaySeconds": 2, "periodSeconds": 10},
        "resources": {
            "requests": {"cpu": "50m", "memory": "128Mi"},
            "limits": {"memory": "512Mi"},
        },
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "volumeMounts": [{"name": "tmp", "mountPath": "/tmp"}],
    }


def _probe(path: str) -> Json:
    return {"httpGet": {"path": path, "port": "probes"}}


def _arguments(settings: Settings) -> Sequence[str]:
    return [
        "operators",
        "--leader-elect",
        f"--only={','.join(kind.plural for kind in settings.kinds)}",
        f"--pod-image={settings.pod_image or settings.image}",
        f"--metrics-bind-address=:{METRICS_PORT}",
        f"--health-probe-bind-address=:{PROBES_PORT}",
        *[f"--scheduler={SCHEDULER}"] * settings.scheduler,
    ]
