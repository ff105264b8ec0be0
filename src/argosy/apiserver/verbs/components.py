"""ComponentStatus: what a cluster's parts say of themselves, under the names that upstream has.

Here they are parts of one process: `etcd-0` is the store, and the other two work once the cluster
has started. Nothing is stored, and every answer warns that the kind is deprecated.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from argosy.apiserver.health import State
from argosy.apiserver.negotiate import answer
from argosy.apiserver.objects import Objects
from argosy.apiserver.request import Call
from argosy.apiserver.verbs.read import matcher
from argosy.base.errors import not_found
from argosy.http.message import Response

Json = dict[str, Any]
DEPRECATED = ("v1 ComponentStatus is deprecated in v1.19+",)
STARTING = "the cluster is starting"


@dataclass(frozen=True, slots=True)
class Components:
    """Answers get and list; `store_failure` says what is wrong with the store."""

    state: State
    store_failure: Callable[[], str]

    async def __call__(self, objects: Objects, call: Call) -> Response:
        return self._one(call.target.name) if call.target.name else self._many(call)

    def _one(self, name: str) -> Response:
        failures = self._failures()
        if name not in failures:
            raise not_found("componentstatus", name)
        return answer(msgspec.json.encode(_status(name, failures[name])), warnings=DEPRECATED)

    def _many(self, call: Call) -> Response:
        matches, all_ = matcher(call), self._failures().items()
        values = [msgspec.Raw(msgspec.json.encode(_status(*item))) for item in all_]
        items = [value for value in values if matches is None or matches(bytes(value))]
        body = {"kind": "ComponentStatusList", "apiVersion": "v1", "metadata": {}, "items": items}
        return answer(msgspec.json.encode(body), warnings=DEPRECATED)

    def _failures(self) -> Mapping[str, str]:
        """What is wrong with each; nothing where it is empty."""
        working = "" if self.state.ready else STARTING
        return {
            "controller-manager": working,
            "etcd-0": self.store_failure(),
            "scheduler": working,
        }


def _status(name: str, failure: str) -> Json:
    condition = {"type": "Healthy", "status": "True", "message": "ok"}
    if failure:
        condition = {"type": "Healthy", "status": "False", "error": failure}
    return {
        "apiVersion": "v1",
        "kind": "ComponentStatus",
        "metadata": {"name": name},
        "conditions": [condition],
    }
