"""An API server that is asked directly, and one valid object of each kind that it serves."""

import json
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from argosy.api.kinds import PREFERRED
from argosy.api.resource import Resource
from argosy.base.clock import Clock
from argosy.http.message import Handler, Request
from argosy.testing.cluster import Cluster, cluster

Json = dict[str, Any]

JSON = "application/json"
YAML = "application/yaml"
MERGE = "application/merge-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
APPLY = "application/apply-patch+yaml"
TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"

CONTAINER: Json = {"name": "main", "image": "python:3.12"}
POD_SPEC: Json = {"containers": [CONTAINER]}
NODE_JOB: Json = {"name": "node", "template": {"spec": {"template": {"spec": POD_SPEC}}}}
RUNTIME_SPEC: Json = {"template": {"spec": {"replicatedJobs": [NODE_JOB]}}}
GPU: Json = {"name": "gpu", "exactly": {"deviceClassName": "gpu.argosy.dev"}}
CLAIM_SPEC: Json = {"devices": {"requests": [GPU]}}
BODIES: Mapping[str, Json] = {
    "ConfigMap": {"data": {"color": "red"}},
    "Event": {"involvedObject": {"kind": "Pod", "name": "web", "namespace": "default"}},
    "Namespace": {},
    "Node": {"spec": {"unschedulable": False}},
    "PersistentVolumeClaim": {
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    },
    "PersistentVolume": {
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "capacity": {"storage": "1Gi"},
            "hostPath": {"path": "/data"},
        }
    },
    "Pod": {"spec": POD_SPEC},
    "Service": {"spec": {"clusterIP": "None", "ports": [{"port": 80}]}},
    "RuntimeClass": {"handler": "host"},
    "DeviceClass": {"spec": {"selectors": [{"cel": {"expression": 'device.driver == "a"'}}]}},
    "ResourceClaim": {"spec": CLAIM_SPEC},
    "ResourceClaimTemplate": {"spec": {"spec": CLAIM_SPEC}},
    "ResourceSlice": {
        "spec": {
            "driver": "gpu.argosy.dev",
            "nodeName": "here",
            "pool": {"name": "here", "generation": 1, "resourceSliceCount": 1},
        }
    },
    "PodGroup": {"spec": {"schedulingPolicy": {"gang": {"minCount": 2}}}},
    "StorageClass": {"provisioner": "local.argosy.dev"},
    "ClusterTrainingRuntime": {"spec": RUNTIME_SPEC},
    "TrainingRuntime": {"spec": RUNTIME_SPEC},
    "TrainJob": {"spec": {"runtimeRef": {"name": "digits"}}},
    "InferenceService": {
        "spec": {
            "predictor": {
                "model": {
                    "modelFormat": {"name": "onnx"},
                    "storageUri": "model-registry://digits/1",
                }
            }
        }
    },
    "ModelVersion": {
        "spec": {
            "model": "digits",
            "version": "1",
            "storageUri": "pvc://models/digits",
            "modelFormat": {"name": "onnx"},
        }
    },
}
"""What each kind has beside its metadata."""
RESOURCES: Mapping[str, Resource] = {kind: PREFERRED[kind] for kind in BODIES}


def body(kind: str, name: str = "it", **more: Any) -> Json:
    """A valid object; `more` is laid over its top level."""
    fresh: Json = json.loads(json.dumps(BODIES[kind]))
    return {"metadata": {"name": name}, **fresh, **more}


def binding(name: str = "it", node: str = "here", **meta: Any) -> Json:
    """What puts a pod on a node."""
    return {"metadata": {"name": name, **meta}, "target": {"kind": "Node", "name": node}}


def path(kind: str, name: str = "", subresource: str = "", *, namespace: str = "default") -> str:
    return RESOURCES[kind].path(name, namespace, subresource)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: a decoded body, which is `{}` where it is a stream or text."""

    status: int
    headers: Mapping[str, str]
    body: Any

    @property
    def message(self) -> str:
        return str(self.body.get("message", ""))

    @property
    def causes(self) -> set[tuple[str, str]]:
        """The wrong fields, with the words about each."""
        causes = self.body.get("details", {}).get("causes", [])
        return {(cause["field"], cause["message"]) for cause in causes}

    @property
    def meta(self) -> Json:
        found: Json = self.body["metadata"]
        return found

    @property
    def version(self) -> str:
        return str(self.meta["resourceVersion"])


@dataclass(frozen=True, slots=True)
class Api:
    """Asks the server as an administrator."""

    cluster: Cluster

    async def ask(
        self,
        method: str,
        where: str,
        sent: Any = b"",
        *,
        kind: str = JSON,
        headers: Mapping[str, str] | None = None,
        **query: str,
    ) -> Answer:
        """One request; `sent` goes as it is, or as JSON. Errors must be a `Status`."""
        data = sent if isinstance(sent, bytes) else json.dumps(sent).encode()
        return await self._send(
            method, where, data, {"content-type": kind, **(headers or {})}, query
        )

    async def get(self, where: str, **query: str) -> Answer:
        return await self._send("GET", where, b"", {}, query)

    async def table(self, where: str, **query: str) -> Answer:
        return await self._send("GET", where, b"", {"accept": TABLE}, query)

    async def create(self, kind: str, obj: Json | None = None, **query: str) -> Answer:
        """An object that must come into being."""
        data = json.dumps(obj or body(kind)).encode()
        answer = await self._send("POST", path(kind), data, {"content-type": JSON}, query)
        assert answer.status == 201, answer.body
        return answer

    async def apply(self, where: str, sent: Any, manager: str = "me", **query: str) -> Answer:
        data = sent if isinstance(sent, bytes) else json.dumps(sent).encode()
        query = {"fieldManager": manager, **query}
        return await self._send("PATCH", where, data, {"content-type": APPLY}, query)

    async def _send(
        self,
        method: str,
        where: str,
        data: bytes,
        headers: Mapping[str, str],
        query: Mapping[str, str],
    ) -> Answer:
        known = {"authorization": f"Bearer {self.cluster.plane.token}", **headers}
        request = Request(method, where, urlencode(query), known, data)
        return await answered(self.cluster.plane.server.handle, request)

    async def watch(
        self, where: str, *, accept: str = "*/*", **query: str
    ) -> AsyncGenerator[Json, None]:
        """The events of a watch, which begins when the first is asked for."""
        headers = {"authorization": f"Bearer {self.cluster.plane.token}", "accept": accept}
        asked = Request("GET", where, urlencode({"watch": "1", **query}), headers)
        response = await self.cluster.plane.server.handle(asked)
        assert response.status == 200, response.body
        assert not isinstance(response.body, bytes)
        try:
            async for piece in response.body:
                for line in piece.splitlines():
                    yield json.loads(line)
        finally:
            await response.body.aclose()


async def answered(handler: Handler, request: Request) -> Answer:
    """The handler's answer, held to what every answer promises."""
    response = await handler(request)
    decoded: Any = {}
    if isinstance(response.body, bytes):
        if response.headers.get("content-type") == JSON:
            decoded = json.loads(response.body)
    else:
        await response.body.aclose()
    if response.status >= 400 and request.path != "/readyz":
        assert_status(decoded, response.status)
    return Answer(response.status, response.headers, decoded)


def assert_status(status: Json, code: int) -> None:
    """Every error is a whole `Status` that says what is wrong."""
    assert status["kind"] == "Status", status
    assert status["apiVersion"] == "v1"
    assert status["status"] == "Failure"
    assert status["code"] == code
    assert status["reason"]
    assert status["message"]


@asynccontextmanager
async def serving(
    *, clock: Clock | None = None, node: Handler | None = None
) -> AsyncGenerator[Api, None]:
    async with cluster(clock=clock, node=node) as running:
        yield Api(running)
