"""A cluster of one Deployment for tests: writers that apply to it or update it, one after another.

Each write happens a second after the one before.
"""

import copy
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from argosy.apiserver.fieldmanager.fieldset import paths
from argosy.apiserver.fieldmanager.manager import apply_patch, track_update
from tests.apiserver.fieldmanager.kinds import DEPLOYMENT


def deployment(spec: dict[str, Any] | None = None, **metadata: Any) -> dict[str, Any]:
    body: dict[str, Any] = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web", "namespace": "shop", **metadata},
    }
    return body if spec is None else {**body, "spec": spec}


def with_containers(*containers: dict[str, Any]) -> dict[str, Any]:
    return deployment({"template": {"spec": {"containers": list(containers)}}})


@dataclass
class Writers:
    live: dict[str, Any] | None = None
    seconds: int = 0

    def now(self) -> str:
        self.seconds += 1
        return f"2026-01-01T00:00:{self.seconds:02}Z"

    def apply(
        self,
        manager: str,
        patch: dict[str, Any],
        *,
        force: bool = False,
        subresource: str = "",
        strip: tuple[str, ...] = (),
    ) -> dict[str, Any]:
        before, wanted = copy.deepcopy(self.live), copy.deepcopy(patch)
        result = apply_patch(
            self.live,
            patch,
            manager=manager,
            force=force,
            schema=DEPLOYMENT,
            api_version="apps/v1",
            time=self.now(),
            subresource=subresource,
            strip=strip,
        )
        assert (self.live, patch) == (before, wanted), "arguments must stay as they are"
        self.live = result
        return result

    def put(
        self,
        manager: str,
        new: dict[str, Any],
        *,
        subresource: str = "",
        strip: tuple[str, ...] = (),
    ) -> dict[str, Any]:
        self.live = track_update(
            self.live,
            new,
            manager=manager,
            schema=DEPLOYMENT,
            api_version="apps/v1",
            time=self.now(),
            subresource=subresource,
            strip=strip,
        )
        return self.live

    def edit(
        self, manager: str, change: Callable[[dict[str, Any]], None], **options: Any
    ) -> dict[str, Any]:
        """Read, modify, write."""
        new = copy.deepcopy(self.live or {})
        change(new)
        return self.put(manager, new, **options)

    def entries(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = (self.live or {})["metadata"].get("managedFields", [])
        return found

    def owned(self, manager: str) -> list[str]:
        """The readable paths that `manager` owns, by whatever operation."""
        return [
            path
            for entry in self.entries()
            if entry["manager"] == manager
            for path in paths(entry["fieldsV1"])
        ]

    def owners(self, path: str) -> set[str]:
        return {
            entry["manager"] for entry in self.entries() if path in set(paths(entry["fieldsV1"]))
        }

    @property
    def spec(self) -> dict[str, Any]:
        spec: dict[str, Any] = (self.live or {}).get("spec", {})
        return spec
