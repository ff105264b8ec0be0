"""Names in hosts files."""

import os
from pathlib import Path
from typing import Any

import msgspec
import pytest

from argosy.api.core import Service
from argosy.node.hosts import HostsFiles, NamedPod, render
from tests.node.builders import container, pod_view

READY = {"conditions": [{"type": "Ready", "status": "True"}]}


def named(name: str, address: str, **given: Any) -> NamedPod:
    meta = {"namespace": "default", **given.pop("meta", {}), "name": name}
    return NamedPod(pod_view(container("true"), meta=meta, **given), address)


def service(**spec: Any) -> Service:
    body = {
        "metadata": {"name": "s", "namespace": "default"},
        "spec": {"clusterIP": "None", "selector": {"a": "b"}, **spec},
    }
    return msgspec.convert(body, Service)


def names(namespace: str, *pods: NamedPod, services: tuple[Service, ...] = ()) -> dict[str, str]:
    """Address by name, the first as a resolver would have it."""
    found: dict[str, str] = {}
    for line in render(namespace, pods, services).splitlines():
        address, _, rest = line.partition("\t")
        for name in rest.split():
            found.setdefault(name, address)
    return found


def test_ranks_find_each_other_by_all_forms_of_their_names() -> None:
    rank = named(
        "digits-node-0-0-abcde", "127.64.0.2", hostname="digits-node-0-0", subdomain="digits"
    )
    found = names("default", rank)
    for name in (
        "digits-node-0-0.digits.default.svc.cluster.local",
        "digits-node-0-0.digits.default.svc",
        "digits-node-0-0.digits.default",
        "digits-node-0-0.digits",
        "digits-node-0-0",
        "digits-node-0-0-abcde",
    ):
        assert found[name] == "127.64.0.2"
    assert found["localhost"] == "127.0.0.1"


def test_other_namespaces_see_the_long_names_only() -> None:
    here = named("r", "127.64.0.2", subdomain="sub")
    there = named("r", "127.64.0.3", subdomain="sub", meta={"namespace": "other"})
    found = names("default", here, there)
    assert (found["r"], found["r.sub"]) == ("127.64.0.2", "127.64.0.2")
    assert found["r.sub.other.svc.cluster.local"] == "127.64.0.3"
    assert names("other", here, there)["r.sub"] == "127.64.0.3"


LABELLED = {"labels": {"a": "b", "c": "d"}}


@pytest.mark.parametrize(
    ("spec", "address"),
    [
        ({}, "127.64.0.4"),
        ({"publishNotReadyAddresses": True}, "127.64.0.3"),
        ({"clusterIP": "10.0.0.1"}, None),
        ({"selector": {}}, None),
        ({"selector": {"a": "x"}}, None),
    ],
)
def test_headless_services_are_their_first_ready_pod(
    spec: dict[str, Any], address: str | None
) -> None:
    pods = (
        named("w", "127.64.0.2", meta={**LABELLED, "namespace": "other"}, status=READY),
        named("x", "127.64.0.3", meta=LABELLED),
        named("y", "127.64.0.4", meta=LABELLED, status=READY),
    )
    found = names("default", *pods, services=(service(**spec),))
    assert found.get("s.default.svc.cluster.local") == found.get("s") == address


def test_files_are_rewritten_in_place(tmp_path: Path) -> None:
    files = HostsFiles(tmp_path)
    path = files.path("default")
    inode = os.stat(path).st_ino
    long = [named(f"pod-{i}", f"127.64.0.{i}") for i in range(2, 9)]
    files.refresh(long, [])
    assert "127.64.0.8\tpod-8\n" in path.read_text()
    files.refresh(long[:1], [])
    assert path.read_text().endswith("127.64.0.2\tpod-2\n")
    assert os.stat(path).st_ino == inode
