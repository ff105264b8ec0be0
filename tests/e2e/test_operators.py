"""The AI platform on another cluster: installed, run as the shipped account, killed, taken away.

The other cluster is an `argosy up` that does not know the platform's kinds. The story of the
module's one cluster, in order.
"""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from argosy.client import kubeconfig
from tests.e2e.digits import Event, events, prepare, register, serve, train
from tests.e2e.kit import Cluster, Json, Refused, condition, is_true, until

GROUPS = (
    "trainer.kubeflow.org/v1alpha1",
    "serving.kserve.io/v1beta1",
    "models.argosy.dev/v1alpha1",
)
OFF = ",".join(f"{group}=false" for group in GROUPS)
SYSTEM = "argosy-system"
NAME = "argosy-operators"
NAMESPACE = "default"
CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
STEPS, EVERY = 200, 20


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture(scope="module")
def other(sandboxed: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A cluster without the platform, at an address that outlives restarts."""
    own = Cluster(
        tmp_path_factory.mktemp("other"), port=free_port(), flags=("--runtime-config", OFF)
    )
    try:
        own.start()
        yield own
    finally:
        own.kill()


def argosy(cluster: Cluster, *arguments: str, fails: bool = False) -> str:
    """What a command says on stdout; on stderr, where it is to fail."""
    done = subprocess.run(
        [sys.executable, "-m", "argosy", *arguments, "--kubeconfig", str(cluster.kubeconfig)],
        capture_output=True,
        text=True,
        timeout=150,
    )
    assert bool(done.returncode) == fails, done.stdout + done.stderr
    return done.stderr if fails else done.stdout


class Operators:
    """`argosy operators` as the shipped account."""

    def __init__(self, cluster: Cluster, folder: Path, *arguments: str) -> None:
        self._log = folder / "operators.log"
        self._config = folder / "kubeconfig"
        self._config.write_text(self._account(cluster))
        with self._log.open("wb") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "argosy", "operators", *arguments],
                env={**os.environ, "KUBECONFIG": str(self._config)},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )

    def _account(self, cluster: Cluster) -> str:
        admin = kubeconfig.load(cluster.kubeconfig)
        path = f"/api/v1/namespaces/{SYSTEM}/serviceaccounts/{NAME}/token"
        asked = {"spec": {"expirationSeconds": 3600}}
        body = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", **asked}
        token = cluster.call("POST", path, body)["status"]["token"]
        return kubeconfig.render(admin.server, admin.ca.encode(), token)

    def log(self) -> str:
        return self._log.read_text()

    def says(self, words: str) -> None:
        """Wait until it has said so."""
        until(lambda: words in self.log() or None, told=self.log)

    @property
    def runs(self) -> bool:
        return self._process.poll() is None

    def stop(self) -> int:
        """SIGTERM; the exit code."""
        self._process.send_signal(signal.SIGTERM)
        return self._process.wait(45)

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()


@pytest.fixture(scope="module")
def running(other: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Operators]:
    """The platform, installed and run as its account."""
    argosy(other, "install", "--replicas", "0")
    own = Operators(other, tmp_path_factory.mktemp("running"), "--leader-elect")
    try:
        own.says("running while elected: trainjobs, modelversions, inferenceservices")
        yield own
    finally:
        own.kill()


def test_install_tells_what_it_does_and_changes_nothing_the_second_time(other: Cluster) -> None:
    before = inventory(other)
    told = argosy(other, "install", "--replicas", "0", "--dry-run").splitlines()
    assert told and all(line.endswith("created (dry run)") for line in told)
    assert inventory(other) == before
    made = argosy(other, "install", "--replicas", "0").splitlines()
    assert [line.removesuffix(" (dry run)") for line in told] == made
    again = argosy(other, "install", "--replicas", "0").splitlines()
    assert again == [line.replace("created", "unchanged") for line in made]
    assert argosy(other, "uninstall")
    assert inventory(other) == before


def inventory(cluster: Cluster) -> set[str]:
    """Definitions, namespaces, and who may what, beside the roles that come after readiness."""
    paths = [CRDS, "/api/v1/namespaces"]
    rbac = "/apis/rbac.authorization.k8s.io/v1"
    paths += [f"{rbac}/{kind}" for kind in ("clusterroles", "clusterrolebindings", "roles")]
    return {
        f"{path}/{item['metadata']['name']}"
        for path in paths
        for item in cluster.call("GET", path)["items"]
        if "kubernetes.io/bootstrapping" not in (item["metadata"].get("labels") or {})
    }


def test_a_training_job_is_run_by_the_shipped_account(other: Cluster, running: Operators) -> None:
    prepare(other, NAMESPACE)
    train(other, NAMESPACE, "digits", steps=STEPS, every=EVERY, step_seconds=0.03)
    until(far(other))


def far(cluster: Cluster) -> Callable[[], bool | None]:
    def look() -> bool | None:
        told: list[Event] = events(cluster, NAMESPACE, "digits")
        return any(event.kind == "step" and event.step >= 3 * EVERY for event in told) or None

    return look


def test_nothing_is_lost_when_the_server_is_killed(other: Cluster, running: Operators) -> None:
    other.kill()
    other.start()
    other.until("TrainJob", "digits", NAMESPACE, is_true("Complete"), seconds=90)
    assert running.runs
    groups = other.list("PodGroup", NAMESPACE)
    assert [group["metadata"]["name"] for group in groups] == ["digits-1"]


def test_its_result_is_registered_and_served(other: Cluster, running: Operators) -> None:
    digest = register(other, NAMESPACE, "digits")
    assert digest.startswith("sha256:")
    serve(other, NAMESPACE, "digits")
    served = other.until("InferenceService", "digits", NAMESPACE, is_true("Ready"), seconds=60)
    assert served["status"]["modelStatus"]["transitionStatus"] == "UpToDate"


def test_its_rights_end_where_its_work_does(other: Cluster, running: Operators) -> None:
    """It was not refused anything, and may not do what it has no need of."""
    assert "forbidden" not in running.log()
    asked = {"user": f"system:serviceaccount:{SYSTEM}:{NAME}"}
    for verb, group, resource in [
        ("get", "", "secrets"),
        ("create", "apps", "deployments"),
        ("delete", "trainer.kubeflow.org", "trainjobs"),
        ("list", "coordination.k8s.io", "leases"),
    ]:
        what = {"verb": verb, "group": group, "resource": resource, "namespace": NAMESPACE}
        review = {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SubjectAccessReview",
            "spec": {**asked, "resourceAttributes": what},
        }
        path = "/apis/authorization.k8s.io/v1/subjectaccessreviews"
        assert not other.call("POST", path, review)["status"]["allowed"], what


def test_a_second_instance_takes_over(other: Cluster, running: Operators, tmp_path: Path) -> None:
    second = Operators(other, tmp_path, "--leader-elect")
    try:
        second.says("running while elected:")
        lease = other.get("Lease", NAME, SYSTEM)
        first = lease["spec"]["holderIdentity"]
        assert running.stop() == 0
        after = other.until(
            "Lease",
            NAME,
            SYSTEM,
            lambda it: bool(it["spec"]["holderIdentity"]) and it["spec"]["holderIdentity"] != first,
        )
        assert after["spec"]["leaseTransitions"] > lease["spec"]["leaseTransitions"]
        told = {item["message"] for item in other.list("Event", SYSTEM)}
        assert f"{first} stopped leading" in told
        job = train_again(other, "again")
        assert condition(job, "Complete")
        assert second.stop() == 0
    finally:
        second.kill()


def train_again(cluster: Cluster, name: str) -> Json:
    train(cluster, NAMESPACE, name, steps=10, every=10)
    return cluster.until("TrainJob", name, NAMESPACE, is_true("Complete"), seconds=60)


def test_uninstall_leaves_what_is_not_ours(other: Cluster, running: Operators) -> None:
    own = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "mine"}}
    other.apply(own, SYSTEM)
    refused = argosy(other, "uninstall", fails=True)
    assert "trainjobs.trainer.kubeflow.org" in refused and "hint:" in refused
    assert other.get("ServiceAccount", NAME, SYSTEM)
    argosy(other, "uninstall", "--delete-data")
    left = json.dumps(
        [
            other.call("GET", path)
            for path in (CRDS, "/apis/rbac.authorization.k8s.io/v1/clusterroles")
        ]
    )
    assert NAME not in left and "trainer.kubeflow.org" not in left
    assert other.get("ConfigMap", "mine", SYSTEM) and other.get("Namespace", SYSTEM, "")
    assert other.get("ConfigMap", "digits-code", NAMESPACE)
    for kind in ("ServiceAccount", "Deployment", "Role", "RoleBinding", "Service", "Lease"):
        with pytest.raises(Refused, match="not found"):
            other.get(kind, NAME, SYSTEM)
    other.delete("ConfigMap", "mine", SYSTEM)


def test_what_is_missing_is_waited_for(other: Cluster, tmp_path: Path) -> None:
    argosy(other, "install", "--replicas", "0", "--only", "modelversions")
    own = Operators(other, tmp_path, "--only", "modelversions,inferenceservices")
    try:
        own.says("waiting: the cluster serves no inferenceservices.serving.kserve.io (v1beta1)")
        assert "running: modelversions" in own.log() and "hint: argosy install" in own.log()
        argosy(other, "install", "--replicas", "0")
        own.says("running: modelversions, inferenceservices")
        assert own.stop() == 0
    finally:
        own.kill()


def test_the_shipped_pod_runs_as_the_pods_own_account(other: Cluster) -> None:
    """Its spec as it is, but for image, ports and the sandbox, which this node makes itself."""
    argosy(other, "install", "--replicas", "0", "--image", "host")
    prepare(other, NAMESPACE)
    enforced = {"metadata": {"labels": {"pod-security.kubernetes.io/enforce": None}}}
    path = f"/api/v1/namespaces/{SYSTEM}"
    other.call("PATCH", path, enforced, content="application/merge-patch+json")
    spec = other.get("Deployment", NAME, SYSTEM)["spec"]["template"]["spec"]
    del spec["securityContext"]
    (container,) = spec["containers"]
    del container["securityContext"]
    container.pop("volumeMounts", None)  # over /tmp, which may be where the tests lie
    container["command"][0] = str(Path(sys.executable).with_name(container["command"][0]))
    for port in container["ports"]:  # the machine's, which others may use
        old, port["containerPort"] = port["containerPort"], free_port()
        new = str(port["containerPort"])
        container["args"] = [word.replace(str(old), new) for word in container["args"]]
    spec["runtimeClassName"] = "host"
    body = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "shipped"}, "spec": spec}
    other.apply(body, SYSTEM)
    other.until("Pod", "shipped", SYSTEM, is_true("Ready"))
    # Whoever led before may have been killed: its lease runs out first.
    other.until(
        "Lease", NAME, SYSTEM, lambda it: it["spec"]["holderIdentity"].startswith("shipped_")
    )
    job = train_again(other, "shipped")
    assert condition(job, "Complete")
    assert "running while elected" in other.logs("shipped", SYSTEM)
