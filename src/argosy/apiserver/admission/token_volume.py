"""The volume by which a pod speaks for its account: its token, the authority, its namespace.

Its name is the same for all pods of an account, where upstream ends it at random: pods of one
template keep specs that are equal, and what was found out of such a spec is remembered.
"""

import zlib
from functools import lru_cache
from typing import Final

from argosy.apiserver.admission.rule import Json

PATH: Final = "/var/run/secrets/kubernetes.io/serviceaccount"
NAME: Final = "kube-api-access-"
LETTERS: Final = "bcdfghjklmnpqrstvwxz2456789"
LENGTH: Final = 5
SECONDS: Final = 60 * 60 + 7
MODE: Final = 0o644
AUTHORITY: Final = "kube-root-ca.crt"


def wanted(spec: Json, account: Json) -> bool:
    """Whether the pod, or else its account, has not said no."""
    own = spec.get("automountServiceAccountToken")
    said = account.get("automountServiceAccountToken") if own is None else own
    return said is not False


def mount(spec: Json, namespace: str, account: str) -> None:
    """Mount the volume in each container that has nothing there; add it where one needs it."""
    volumes = spec.get("volumes") or []
    there = [one["name"] for one in volumes if one["name"].startswith(NAME)]
    name = there[0] if there else volume_name(namespace, account)
    needed = False
    for group in ("initContainers", "containers"):
        for container in spec.get(group) or ():
            mounts = container.get("volumeMounts") or []
            if PATH not in [one.get("mountPath") for one in mounts]:
                here = {"name": name, "readOnly": True, "mountPath": PATH}
                container["volumeMounts"] = [*mounts, here]
                needed = True
    if needed and not there:
        spec["volumes"] = [*volumes, {"name": name, "projected": _sources()}]


@lru_cache
def volume_name(namespace: str, account: str) -> str:
    """What the volume is called in all pods of an account."""
    number = zlib.crc32(f"{namespace}/{account}".encode())
    letters = ""
    for _ in range(LENGTH):
        number, digit = divmod(number, len(LETTERS))
        letters += LETTERS[digit]
    return NAME + letters


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
