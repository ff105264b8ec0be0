"""Pods for the tests of the Pod Security Standards: a hardened one, and what is laid over it."""

import copy
from typing import Any

Json = dict[str, Any]

HARDENED: Json = {
    "containers": [
        {
            "name": "main",
            "image": "python:3.12",
            "ports": [{"containerPort": 8080, "protocol": "TCP"}],
            "readinessProbe": {"httpGet": {"path": "/ready", "port": 8080}},
            "securityContext": {
                "allowPrivilegeEscalation": False,
                "capabilities": {"drop": ["ALL"]},
            },
            "volumeMounts": [{"name": "data", "mountPath": "/data"}],
        }
    ],
    "securityContext": {
        "runAsNonRoot": True,
        "runAsUser": 1000,
        "seccompProfile": {"type": "RuntimeDefault"},
    },
    "volumes": [{"name": "data", "emptyDir": {}}],
}
"""Keeps to every level as of every version."""


def hardened(**spec: Any) -> Json:
    """The hardened pod's spec, with these fields in place of its own."""
    return {**copy.deepcopy(HARDENED), **spec}


def contained(**container: Any) -> Json:
    """The same; the fields are its container's."""
    spec = hardened()
    spec["containers"][0].update(container)
    return spec


def secured(**context: Any) -> Json:
    """The same; the fields are those of its container's security context, None takes one away."""
    spec = hardened()
    _lay(spec["containers"][0]["securityContext"], context)
    return spec


def pod_secured(**context: Any) -> Json:
    """The same; the fields are those of the pod's security context, None takes one away."""
    spec = hardened()
    _lay(spec["securityContext"], context)
    return spec


def _lay(target: Json, fields: Json) -> None:
    for name, value in fields.items():
        if value is None:
            del target[name]
        else:
            target[name] = value
