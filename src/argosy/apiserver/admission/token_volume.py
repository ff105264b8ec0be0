"""The volume by which a pod speaks for its account: its token, the authority, its namespace.

`MOUNTED` says whether pods get it at all.
"""

import secrets
from typing import Final

from argosy.apiserver.admission.rule import Json

MOUNTED: Final = False
"""The node serves no `projected` volumes yet: a pod with this one would not start."""
PATH = "/var/run/secrets/kubernetes.io/serviceaccount"
NAME = "kube-api-access-"
LETTERS = "bcdfghjklmnpqrstvwxz2456789"
SECONDS = 60 * 60 + 7
MODE = 0o644
AUTHORITY = "kube-root-ca.crt"


def wanted(spec: Json, account: Json) -> bool:
    """Whether the pod, or else its account, has not said no."""
    own = spec.get("automountServiceAccountToken")
    said = account.get("automountServiceAccountToken") if own is None else own
    return said is not False


def mount(spec: Json) -> None:
    """Mount the volume in each container that has nothing there; add it where one needs it."""
    volumes = spec.get("volumes") or []
    there = next((one["name"] for one in volumes if one["name"].startswith(NAME)), "")
    name = there or NAME + "".join(secrets.choice(LETTERS) for _ in range(5))
    needed = False
    for group in ("initContainers", "containers"):
        for container in spec.get(group) or ():
            mounts = container.get("volumeMounts") or []
            if all(one.get("mountPath") != PATH for one in mounts):
                here = {"name": name, "readOnly": True, "mountPath": PATH}
                container["volumeMounts"] = [*mounts, here]
                needed = True
    if needed and not there:
        spec["volumes"] = [*volumes, {"name": name, "projected": _sources()}]


def _sources() -> Json:
    field = {"apiVersion": "v1", "fieldPath": "metadata.namespace"}
    return {
        "defaultMode": MODE,
        "sources": [
            {"serviceAccountToken": {"path": "token", "expirationSeconds": SECONDS}},
            {"configMap": {"name": AUTHORITY, "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
            {"downwardAPI": {"items": [{"path": "namespace", "fieldRef": field}]}},
        ],
    }
