"""`kubernetes`, the official Python client: its core API, and for other kinds its dynamic one."""

import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from kubernetes import client, config, dynamic, watch

from argosy.api.kinds import PREFERRED
from tests.e2e.clients.port import WATCH_SECONDS, Event, Listed
from tests.e2e.kit import Json, Refused

CORE = {"ConfigMap": "config_map", "Pod": "pod"}
MERGE = "application/merge-patch+json"
APPLY = "application/apply-patch+yaml"


@contextmanager
def connect(kubeconfig: Path, namespace: str, scratch: Path) -> Iterator["Official"]:
    """A client as the kubeconfig says."""
    api = config.new_client_from_config(str(kubeconfig))
    with tempfile.TemporaryDirectory() as folder:  # what it discovers is true of this cluster only
        found = dynamic.DynamicClient(api, cache_file=f"{folder}/discovered.json")
        try:
            yield Official(api, found, namespace)
        finally:
            api.close()


@contextmanager
def refusals() -> Iterator[None]:
    """Its exception, told as ours."""
    try:
        yield
    except client.ApiException as error:  # the dynamic client's are of this class too
        raise Refused(error.status, json.loads(error.body or "{}")) from error


class Official:
    """Calls `CoreV1Api.verb_namespaced_kind`, or the dynamic client's resource."""

    applies = True

    def __init__(self, api: Any, found: Any, namespace: str) -> None:
        self._api = api
        self._core = client.CoreV1Api(api)
        self._dynamic = found
        self._namespace = namespace

    def create(self, body: Json) -> Json:
        if body["kind"] in CORE:
            return self._call("create", body["kind"], body)
        return self._ask("create", body["kind"], body=body)

    def read(self, kind: str, name: str) -> Json:
        if kind in CORE:
            return self._call("read", kind, name=name)
        return self._ask("get", kind, name=name)

    def list(self, kind: str, labels: str) -> Listed:
        if kind in CORE:
            found = self._call("list", kind, label_selector=labels)
        else:
            found = self._ask("get", kind, label_selector=labels)
        return Listed(found["items"], found["metadata"]["resourceVersion"])

    def watch(self, kind: str, labels: str, since: str) -> Iterator[Event]:
        selected: Json = {"label_selector": labels, "resource_version": since}
        if kind not in CORE:
            resource = self._resource(kind)
            events = resource.watch(self._namespace, timeout=WATCH_SECONDS, **selected)
            yield from (Event(event["type"], event["object"].to_dict()) for event in events)
            return
        function = getattr(self._core, f"list_namespaced_{CORE[kind]}")
        selected["timeout_seconds"] = WATCH_SECONDS
        for event in watch.Watch().stream(function, self._namespace, **selected):
            yield Event(event["type"], self._json(event["object"]))

    def label(self, kind: str, name: str, labels: dict[str, str]) -> Json:
        body = {"metadata": {"labels": labels}}
        if kind in CORE:
            return self._call("patch", kind, body, name=name)
        # Its default is a strategic merge patch, which custom kinds don't know.
        return self._ask("patch", kind, body=body, name=name, content_type=MERGE)

    def update(self, body: Json) -> Json:
        name = body["metadata"]["name"]
        if body["kind"] in CORE:
            return self._call("replace", body["kind"], body, name=name)
        return self._ask("replace", body["kind"], body=body, name=name)

    def apply(self, body: Json, *, manager: str, force: bool = False) -> Json:
        kind, name = body["kind"], body["metadata"]["name"]
        if kind not in CORE:
            options = {"field_manager": manager, "force_conflicts": force}
            return self._ask("server_side_apply", kind, body=body, name=name, **options)
        options = {"field_manager": manager, "force": force, "_content_type": APPLY}
        return self._call("patch", kind, body, name=name, **options)

    def delete(self, kind: str, name: str) -> None:
        if kind in CORE:
            self._call("delete", kind, name=name)
        else:
            self._ask("delete", kind, name=name)

    def _call(self, verb: str, kind: str, body: Json | None = None, **options: Any) -> Json:
        function = getattr(self._core, f"{verb}_namespaced_{CORE[kind]}")
        given = {} if body is None else {"body": body}
        with refusals():
            return self._json(function(namespace=self._namespace, **given, **options))

    def _ask(self, verb: str, kind: str, **options: Any) -> Json:
        function = getattr(self._resource(kind), verb)
        with refusals():
            answer: Json = function(namespace=self._namespace, **options).to_dict()
        return answer

    def _resource(self, kind: str) -> Any:
        version = PREFERRED[kind].api_version
        return self._dynamic.resources.get(api_version=version, kind=kind)

    def _json(self, model: Any) -> Json:
        plain: Json = self._api.sanitize_for_serialization(model)
        return plain
