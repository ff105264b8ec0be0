"""The clusters that e2e tests share, each a process on a folder of its own."""

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from argosy.node.runtimes.host import HostRuntime
from tests.e2e.kit import Cluster, Refused
from tests.e2e.kubectl import Kubectl, newest_kubectl

LEFT = ("InferenceService", "ModelVersion", "TrainJob", "Pod")


@pytest.fixture(scope="session")
def sandboxed() -> None:
    """Skips where this machine can make no sandbox."""
    if missing := HostRuntime().missing():
        pytest.skip(missing)


@pytest.fixture(scope="session")
def cluster(sandboxed: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A running cluster for tests that leave it as it was but for their namespace."""
    shared = Cluster(tmp_path_factory.mktemp("shared"))
    try:
        shared.start()
        yield shared
    finally:
        shared.kill()


@pytest.fixture(scope="session")
def numbers() -> Iterator[int]:
    """Numbers for names."""
    return itertools.count(1)


@pytest.fixture
def namespace(cluster: Cluster, numbers: Iterator[int]) -> Iterator[str]:
    """A namespace of the test's own; whatever runs in it ends with the test."""
    assert cluster.runs, "an earlier test has ended the shared cluster"
    name = f"e2e-{next(numbers)}"
    cluster.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}, "")
    # A controller gives it this one: no test shall see it come.
    cluster.until("ConfigMap", "kube-root-ca.crt", name, lambda _: True)
    yield name
    for kind in LEFT:
        for left in cluster.list(kind, name):
            try:
                cluster.delete(kind, left["metadata"]["name"], name)
            except Refused as error:
                assert error.code == 404, error


@pytest.fixture
def kubectl(cluster: Cluster, namespace: str, tmp_path: Path) -> Kubectl:
    """A stock kubectl in the test's namespace."""
    program = newest_kubectl()
    if program is None:
        pytest.skip("kubectl is not installed")
    return Kubectl(program, cluster, namespace, tmp_path)
