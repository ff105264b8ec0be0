"""What services and workloads select, to spread pods evenly that ask for nothing themselves.

The pods that count for a pod are those that all its services select, and its controller: a
ReplicaSet, a StatefulSet or a ReplicationController.
"""

from collections.abc import Mapping

import msgspec

from argosy.api.core import Pod, Service
from argosy.api.labelselector import equal_to
from argosy.api.replicas import ReplicaSet, ReplicationController
from argosy.api.statefulsets import StatefulSet
from argosy.base.selectors import Selector
from argosy.scheduler.terms import Selected, joined

Workload = ReplicaSet | StatefulSet | ReplicationController
WORKLOADS: tuple[type[Workload], ...] = (ReplicaSet, StatefulSet, ReplicationController)
Labels = Mapping[str, str]
_KINDS = {("apps/v1", "ReplicaSet"), ("apps/v1", "StatefulSet"), ("v1", "ReplicationController")}


class Owners:
    """Services, found by a label that they ask for, and workloads, found by name."""

    def __init__(self) -> None:
        self._services: dict[tuple[str, str, str], dict[str, Labels]] = {}
        self._workloads: dict[tuple[str, str, str], Selected] = {}

    def put_service(self, old: Service | None, new: Service | None) -> None:
        """A service came, changed or went."""
        for service in (old, new):
            if service is None or (anchor := _anchor(service)) is None:
                continue
            there = self._services.setdefault(anchor, {})
            if service is new:
                there[service.metadata.name] = service.spec.selector
            else:
                there.pop(service.metadata.name, None)
            if not there:
                del self._services[anchor]

    def put_workload(self, old: Workload | None, new: Workload | None) -> None:
        """A workload came, changed or went."""
        if old is not None:
            self._workloads.pop((type(old).__name__, *old.key), None)
        if new is not None and new.selected.requirements:
            self._workloads[type(new).__name__, *new.key] = _named(new.selected)

    def selected(self, pod: Pod) -> Selected | None:
        """The pods that count for this one; None where nothing says so."""
        parts = [self._by_services(pod), self._by_owner(pod)]
        found = [part for part in parts if part is not None]
        return joined(found) if len(found) > 1 else next(iter(found), None)

    def _by_services(self, pod: Pod) -> Selected | None:
        if not self._services:
            return None
        space, labels = pod.metadata.namespace, pod.metadata.labels
        asked: dict[str, str] = {}
        for key, value in labels.items():
            for selector in self._services.get((space, key, value), _NONE).values():
                if selector.items() <= labels.items():
                    asked |= selector
        return _named(equal_to(asked)) if asked else None

    def _by_owner(self, pod: Pod) -> Selected | None:
        owner = pod.controller
        if owner is None or (owner.api_version, owner.kind) not in _KINDS:
            return None
        return self._workloads.get((owner.kind, pod.metadata.namespace, owner.name))


def _anchor(service: Service) -> tuple[str, str, str] | None:
    """The namespace and one label that its pods must have; None where it selects none."""
    label = min(service.spec.selector.items(), default=None)
    return (service.metadata.namespace, *label) if label else None


def _named(selector: Selector) -> Selected:
    parts = sorted((item.key, item.operator, sorted(item.values)) for item in selector.requirements)
    return Selected(msgspec.json.encode(parts).decode(), selector)


_NONE: Mapping[str, Labels] = {}
