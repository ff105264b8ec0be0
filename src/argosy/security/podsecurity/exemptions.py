"""Who and what the standards do not concern."""

from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Exemptions:
    """Users, namespaces and runtime classes, by name."""

    users: frozenset[str] = frozenset()
    namespaces: frozenset[str] = frozenset()
    runtime_classes: frozenset[str] = frozenset()

    def reason(self, user: str, namespace: str) -> str:
        """Why a request is exempt, in one word; '' where it is not."""
        if namespace in self.namespaces:
            return "namespace"
        return "user" if user in self.users else ""

    def runs_exempt(self, spec: Json) -> bool:
        """Whether the pod's runtime class is exempt."""
        return spec.get("runtimeClassName") in self.runtime_classes
