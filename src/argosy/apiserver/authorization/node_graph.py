"""Which objects are a node's business: its pods, what these refer to, and what is for it by name.

pod → node; secret, configmap, claim, service account → pod; volume → claim; secret → volume. A pod
that only mirrors one of the node's own (the node made it) leads to nothing. Source: the graph of
kube-apiserver's Node authorizer.
"""

from collections import Counter
from collections.abc import Iterator
from typing import Any, Literal

import msgspec

from argosy.api.resources.access import POD_CERTIFICATE_REQUEST
from argosy.apiserver.authorization.followed import Followed
from argosy.store.interface import Store

Json = dict[str, Any]
Kind = Literal[
    "configmaps",
    "persistentvolumeclaims",
    "persistentvolumes",
    "podcertificaterequests",
    "pods",
    "resourceclaims",
    "resourceslices",
    "secrets",
    "serviceaccounts",
    "volumeattachments",
]
Vertex = tuple[Kind, str, str]
"""Kind, namespace and name."""
MIRROR = "kubernetes.io/config.mirror"


class Graph:
    """What belongs to which node, by all that is durable."""

    def __init__(self, store: Store) -> None:
        self._pods = Pods()
        self._volumes = Volumes()
        self._named: dict[str, Named] = {
            "volumeattachments": Named(),
            "resourceslices": Named(),
            "podcertificaterequests": Named(),
        }
        self._followed = (
            Followed(store, "//pods/", self._pods),
            Followed(store, "//persistentvolumes/", self._volumes),
            Followed(store, "/storage.k8s.io/volumeattachments/", self._named["volumeattachments"]),
            Followed(store, "/resource.k8s.io/resourceslices/", self._named["resourceslices"]),
            Followed(store, POD_CERTIFICATE_REQUEST.key(), self._named["podcertificaterequests"]),
        )

    def related(self, node: str, kind: Kind, namespace: str, name: str) -> bool:
        """Whether there is a way from the object to the node."""
        for followed in self._followed:
            followed.catch_up()
        if kind in self._named:
            return self._named[kind].nodes.get(_joined(namespace, name)) == node
        vertex: Vertex = (kind, namespace, name)
        if self._pods.lead(vertex, node):
            return True
        return any(self._pods.lead(claim, node) for claim in self._volumes.claims(vertex))


class Named:
    """Objects that name their node."""

    def __init__(self) -> None:
        self.nodes: dict[str, str] = {}

    def clear(self) -> None:
        self.nodes.clear()

    def put(self, key: str, value: bytes) -> None:
        node = (msgspec.json.decode(value).get("spec") or {}).get("nodeName")
        if node:
            self.nodes[_called(key)] = node

    def drop(self, key: str) -> None:
        self.nodes.pop(_called(key), None)


class Pods:
    """Bound pods, and what each leads its node to."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[str, frozenset[Vertex]]] = {}
        self._nodes: dict[Vertex, Counter[str]] = {}

    def lead(self, vertex: Vertex, node: str) -> bool:
        """Whether a pod of the node leads to it."""
        return vertex in self._nodes and self._nodes[vertex][node] > 0

    def clear(self) -> None:
        self._known.clear()
        self._nodes.clear()

    def put(self, key: str, value: bytes) -> None:
        self.drop(key)
        pod = msgspec.json.decode(value)
        node = (pod.get("spec") or {}).get("nodeName")
        if node:
            known = frozenset(reached(pod))
            self._known[key] = (node, known)
            for vertex in known:
                self._nodes.setdefault(vertex, Counter())[node] += 1

    def drop(self, key: str) -> None:
        node, known = self._known.pop(key, ("", frozenset()))
        for vertex in known:
            count = self._nodes[vertex]
            count[node] -= 1
            if not +count:
                del self._nodes[vertex]


class Volumes:
    """Bound volumes: which claim each is for, and which secrets the node needs for it."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[Vertex, frozenset[Vertex]]] = {}
        self._of: dict[Vertex, set[str]] = {}

    def claims(self, vertex: Vertex) -> Iterator[Vertex]:
        """The claims by which pods reach a volume or its secret."""
        return (self._known[key][0] for key in self._of.get(vertex, ()))

    def clear(self) -> None:
        self._known.clear()
        self._of.clear()

    def put(self, key: str, value: bytes) -> None:
        self.drop(key)
        volume = msgspec.json.decode(value)
        claim = volume["spec"].get("claimRef")
        if claim:
            namespace = claim.get("namespace") or ""
            needed = frozenset(
                (("persistentvolumes", "", _called(key)), *_volume_secrets(volume, namespace))
            )
            self._known[key] = (
                ("persistentvolumeclaims", namespace, claim.get("name") or ""),
                needed,
            )
            for vertex in needed:
                self._of.setdefault(vertex, set()).add(key)

    def drop(self, key: str) -> None:
        if key not in self._known:
            return
        _, needed = self._known.pop(key)
        for vertex in needed:
            self._of[vertex].discard(key)
            if not self._of[vertex]:
                del self._of[vertex]


def _called(key: str) -> str:
    """`[namespace/]name` of a key."""
    return key.split("/", 3)[3]


def _joined(namespace: str, name: str) -> str:
    return f"{namespace}/{name}" if namespace else name


def reached(pod: Json) -> Iterator[Vertex]:
    """The pod, and what its node may read for its sake."""
    meta, spec = pod["metadata"], pod["spec"]
    namespace = meta.get("namespace", "")
    yield "pods", namespace, meta["name"]
    if MIRROR in (meta.get("annotations") or {}):
        return
    if account := spec.get("serviceAccountName"):
        yield "serviceaccounts", namespace, account
    for kind, name in (*_of_containers(spec), *_of_volumes(meta["name"], spec), *_claims(pod)):
        if name:
            yield kind, namespace, name


def _of_containers(spec: Json) -> Iterator[tuple[Kind, str]]:
    for pull in spec.get("imagePullSecrets") or ():
        yield "secrets", pull.get("name") or ""
    for field in ("initContainers", "containers", "ephemeralContainers"):
        for container in spec.get(field) or ():
            for source in container.get("envFrom") or ():
                yield "secrets", _name(source, "secretRef")
                yield "configmaps", _name(source, "configMapRef")
            for variable in container.get("env") or ():
                source = variable.get("valueFrom") or {}
                yield "secrets", _name(source, "secretKeyRef")
                yield "configmaps", _name(source, "configMapKeyRef")


def _of_volumes(pod: str, spec: Json) -> Iterator[tuple[Kind, str]]:
    for volume in spec.get("volumes") or ():
        for source in volume.values():
            if isinstance(source, dict):
                yield "secrets", source.get("secretName") or ""
                yield "secrets", _name(source, "secretRef")
                yield "secrets", _name(source, "nodePublishSecretRef")
        yield "configmaps", _name(volume, "configMap")
        yield (
            "persistentvolumeclaims",
            (volume.get("persistentVolumeClaim") or {}).get("claimName") or "",
        )
        if volume.get("ephemeral") is not None:
            yield "persistentvolumeclaims", f"{pod}-{volume['name']}"
        for source in (volume.get("projected") or {}).get("sources") or ():
            yield "secrets", _name(source, "secret")
            yield "configmaps", _name(source, "configMap")


def _claims(pod: Json) -> Iterator[tuple[Kind, str]]:
    status = pod.get("status") or {}
    made = {
        one["name"]: one.get("resourceClaimName") or ""
        for one in status.get("resourceClaimStatuses") or ()
    }
    for claim in pod["spec"].get("resourceClaims") or ():
        yield "resourceclaims", claim.get("resourceClaimName") or made.get(claim["name"], "")
    extended = status.get("extendedResourceClaimStatus") or {}
    yield "resourceclaims", extended.get("resourceClaimName") or ""


def _volume_secrets(volume: Json, namespace: str) -> Iterator[Vertex]:
    """The secrets by which a node uses a volume: not those for the controllers only."""
    for source in volume["spec"].values():
        if not isinstance(source, dict):
            continue
        if name := source.get("secretName"):
            yield "secrets", source.get("secretNamespace") or namespace, name
        for field in (
            "secretRef",
            "nodePublishSecretRef",
            "nodeStageSecretRef",
            "nodeExpandSecretRef",
        ):
            secret = source.get(field) or {}
            if name := secret.get("name"):
                yield "secrets", secret.get("namespace") or namespace, name


def _name(source: Json, field: str) -> str:
    return (source.get(field) or {}).get("name") or ""
