"""SIGKILL and SIGTERM for `argosy up`: what was acknowledged stays, and the work goes on.

The story of the module's one cluster, in order: a training job survives a kill, its result is
served, the service survives a kill and an orderly stop. The last test is on its own.
"""

import json
import random
import threading
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.e2e.digits import Event, events, prepare, register, serve, train
from tests.e2e.kit import Cluster, Json, Refused, host_pod, is_true, phase, until
from tests.e2e.processes import alive, below

NAMESPACE = "default"
STEPS, EVERY = 200, 20


@pytest.fixture(scope="module")
def digits(sandboxed: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A cluster that is killed and restarted, ready to train digits."""
    own = Cluster(tmp_path_factory.mktemp("digits"))
    try:
        own.start()
        prepare(own, NAMESPACE)
        yield own
    finally:
        own.kill()


def killed(cluster: Cluster) -> None:
    """SIGKILL; whatever it ran must end with it."""
    before = below(cluster.pid)
    assert any("bwrap" in line for line in alive(before).values()), "nothing ran"
    cluster.kill()
    until(lambda: not alive(before) or None, seconds=5, told=lambda: alive(before))


def test_a_training_job_goes_on_after_sigkill(digits: Cluster) -> None:
    train(digits, NAMESPACE, "digits", steps=STEPS, every=EVERY, step_seconds=0.03)

    def far() -> bool | None:
        told = events(digits, NAMESPACE, "digits")
        return any(event.kind == "step" and event.step >= 3 * EVERY for event in told) or None

    until(far)
    killed(digits)
    digits.start()
    digits.until("TrainJob", "digits", NAMESPACE, is_true("Complete"), seconds=60)
    told = events(digits, NAMESPACE, "digits")
    again = max(event.attempt for event in told)
    assert again == 1
    starts = [event.step for event in told if event.kind == "start" and event.attempt == again]
    assert len(starts) == 2 and starts[0] == starts[1]
    assert starts[0] >= 2 * EVERY and starts[0] % EVERY == 0  # from a checkpoint, and a late one
    assert steps_of(told, again)[-1] == STEPS


def steps_of(told: list[Event], attempt: int) -> list[int]:
    return [event.step for event in told if event.kind == "step" and event.attempt == attempt]


def test_its_weights_are_those_of_an_undisturbed_run(digits: Cluster) -> None:
    train(digits, NAMESPACE, "undisturbed", steps=STEPS, every=EVERY)
    digits.until("TrainJob", "undisturbed", NAMESPACE, is_true("Complete"), seconds=60)
    weights = [
        [event.weights for event in events(digits, NAMESPACE, job) if event.kind == "done"]
        for job in ("digits", "undisturbed")
    ]
    assert len(weights[0]) == 1
    assert weights[0] == weights[1]


def test_a_service_comes_back_after_sigkill(digits: Cluster) -> None:
    register(digits, NAMESPACE, "digits")
    serve(digits, NAMESPACE, "digits")
    ready = digits.until("InferenceService", "digits", NAMESPACE, is_true("Ready"))
    answer = predicted(ready)
    killed(digits)
    digits.start()
    assert predicted(answering(digits)) == answer


def predicted(service: Json) -> Json:
    """What the model says of one grey picture."""
    tensor = {"name": "images", "shape": [1, 64], "datatype": "FP32", "data": [8.0] * 64}
    request = urllib.request.Request(
        service["status"]["url"] + "/v2/models/digits/infer",
        json.dumps({"inputs": [tensor]}).encode(),
        {"content-type": "application/json"},
    )
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request) as answer:
        outputs: Json = json.loads(answer.read())["outputs"]
    return outputs


def answering(cluster: Cluster) -> Json:
    """The service, when it answers: right after a restart its status tells of the time before."""

    def look() -> Json | None:
        found = cluster.get("InferenceService", "digits", NAMESPACE)
        try:
            return found if is_true("Ready")(found) and predicted(found) else None
        except OSError:
            return None

    return until(look)


def test_sigterm_ends_cleanly_and_everything_comes_back(digits: Cluster) -> None:
    polite = "trap 'echo asked to end; exit 0' TERM; while :; do sleep 0.1; done"
    digits.apply(host_pod("polite", polite), NAMESPACE)
    digits.until("Pod", "polite", NAMESPACE, phase("Running"))
    before = below(digits.pid)
    names = {job["metadata"]["name"] for job in digits.list("TrainJob", NAMESPACE)}
    answer = predicted(answering(digits))

    assert digits.stop(seconds=10) == 0
    assert alive(before) == {}
    assert "Traceback" not in digits.log()

    digits.start()
    (log,) = digits.data.glob("node/pods/*/logs/main/0.log")
    assert "asked to end" in log.read_text()
    assert {job["metadata"]["name"] for job in digits.list("TrainJob", NAMESPACE)} == names
    assert digits.get("ModelVersion", "digits-1", NAMESPACE)["status"]["digest"]
    assert predicted(answering(digits)) == answer


@dataclass
class Writer(threading.Thread):
    """Creates and changes ConfigMaps until the server is gone; knows what was acknowledged."""

    cluster: Cluster
    number: int
    acknowledged: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        super().__init__()

    def __hash__(self) -> int:
        return id(self)

    def run(self) -> None:
        count = 0
        while True:
            name = f"w{self.number}-{count % 20}"
            try:
                self.cluster.apply(config_map(name, count), NAMESPACE)
            except (OSError, Refused):
                return  # killed; what the last one became is not known
            self.acknowledged[name] = count
            count += 1


def config_map(name: str, value: int) -> Json:
    metadata = {"name": name}
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": metadata,
        "data": {"value": str(value)},
    }


def test_nothing_acknowledged_is_lost_by_kills_at_random_moments(tmp_path: Path) -> None:
    seed = random.randrange(2**32)
    chance = random.Random(seed)
    print(f"seed {seed}")
    cluster = Cluster(tmp_path)
    cluster.start()
    known: dict[str, int] = {}
    try:
        for number in range(5):
            writers = [Writer(cluster, 2 * number + i) for i in range(2)]
            for writer in writers:
                writer.start()
            threading.Event().wait(chance.uniform(0.05, 0.6))
            cluster.kill()
            for writer in writers:
                writer.join(20)
                known |= writer.acknowledged
            if number % 2:  # once more, before it is up or just after
                cluster.launch()
                threading.Event().wait(chance.uniform(0.1, 1.0))
                cluster.kill()
            cluster.start()
            check(cluster, known)
    finally:
        cluster.kill()
    assert len(known) > 20


def check(cluster: Cluster, known: dict[str, int]) -> None:
    """Every acknowledged write is there, or the one write after it whose answer got lost."""
    assert cluster.call("GET", "/readyz") == "ok"
    there = {
        found["metadata"]["name"]: int(found["data"]["value"])
        for found in cluster.list("ConfigMap", NAMESPACE)
        if "value" in found["data"]  # not the cluster's own
    }
    for name, value in known.items():
        assert there.get(name) in (value, value + 20), name
    ghosts = there.keys() - known.keys()
    assert len(ghosts) <= 10, ghosts  # one per writer: created, never acknowledged
