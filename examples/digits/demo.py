"""The main job from end to end, on real data, through the Kubernetes API of one process.

`make demo` runs it: a gang trains, loses a rank, resumes from its checkpoint, becomes a model
version and answers predictions. Everything is applied and read through the API, as kubectl would;
only the killing is done behind its back.
"""

import asyncio
import shutil
import signal
import statistics
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import aiohttp
import yaml

from argosy.api.core import ConfigMap, Pod
from argosy.api.kinds import PREFERRED
from argosy.api.kserve import InferenceService
from argosy.api.meta import Object, condition
from argosy.api.modelversion import ModelVersion
from argosy.api.trainer import TrainJob
from argosy.base.errors import StatusError
from examples.digits.clusterprocess import ClusterProcess, kill, process_of_rank
from examples.digits.data import load_split
from examples.digits.follow import NAMESPACE, Follower, Line
from examples.digits.show import Show

HERE = Path(__file__).parent
DATA = HERE.parents[1] / ".demo"
STEPS = 300
KILL_AT = 110
PATIENCE = 60.0

T = TypeVar("T", bound=Object)


@dataclass
class Figures:
    """What is measured: seconds, steps, shares, bytes."""

    gang_start: float = 0.0
    killed_at: float = 0.0
    killed_step: int = 0
    resumed_step: int = 0
    recovery: float = 0.0
    weights: dict[str, str] = field(default_factory=dict)
    accuracy: float = 0.0
    latencies: list[float] = field(default_factory=list)


class DemoError(Exception):
    """Something is not as it should be."""


class Demo:
    """The story, step by step."""

    def __init__(self, cluster: ClusterProcess, show: Show) -> None:
        self._cluster = cluster
        self._show = show
        self.figures = Figures()

    async def run(self) -> None:
        """All of it."""
        began = time.monotonic()
        await self._cluster.start()
        self._show.step(f"argosy up: ready after {time.monotonic() - began:.1f} s")
        await self._prepare()
        await self._train()
        await self._compare()
        await self._register()
        await self._serve()
        await self._kubectl()

    async def _prepare(self) -> None:
        """The code, the storage, the half GPU and the runtime."""
        files = sorted(HERE.glob("*.py"))
        body = {
            "metadata": {"name": "digits-code", "namespace": NAMESPACE},
            "data": {path.name: path.read_text() for path in files},
        }
        await self._cluster.client.apply(ConfigMap.resource, body)
        for name in ("storage", "half-gpu", "runtime"):
            await self._apply(name)
        self._show.step("applied: code, storage, half a GPU as a claim template, TrainingRuntime")

    async def _train(self) -> None:
        """The gang trains; it loses a rank and resumes."""
        applied = time.time()
        await self._apply("trainjob")
        with self._show.training("training, two ranks", STEPS) as bar:
            async for line in Follower(self._cluster.client, "digits").lines():
                await self._told(line, applied, bar)
        figures = self.figures
        await self._until(TrainJob, "digits", _complete)
        lost = figures.killed_step - figures.resumed_step
        self._show.step(
            f"TrainJob digits is Complete: resumed at step {figures.resumed_step}, {lost} steps "
            f"done again, {figures.recovery:.1f} s from the kill to the next new step"
        )

    async def _told(self, line: Line, applied: float, bar: Callable[[int], None]) -> None:
        event, figures = line.event, self.figures
        if event["event"] == "start":
            if line.attempt == 0:
                figures.gang_start = max(figures.gang_start, event["time"] - applied)
            elif event["rank"] == 0:
                figures.resumed_step = event["step"]
                self._show.step(f"the gang started again at step {event['step']}, its checkpoint")
        elif event["event"] == "step":
            bar(event["step"])
            if line.attempt == 0 and event["step"] >= KILL_AT and not figures.killed_at:
                await self._disturb(event["step"])
            elif line.attempt > 0 and not figures.recovery:
                figures.recovery = event["time"] - figures.killed_at
        elif event["event"] == "done":
            figures.weights["disturbed"] = event["weights"]

    async def _disturb(self, step: int) -> None:
        """A third claim is refused; then rank 1 is killed."""
        await self._third_claim()
        pid = process_of_rank(1)
        if pid is None:
            raise DemoError("the process of rank 1 was not found")
        self.figures.killed_at, self.figures.killed_step = time.time(), step
        kill(pid)
        self._show.step(f"killed rank 1 (process {pid}) with SIGKILL at step {step}")

    async def _third_claim(self) -> None:
        await self._apply("third-claim")
        pod = await self._until(Pod, "third", _unschedulable)
        told = condition(pod.status.conditions, "PodScheduled")
        self._show.step("a third claim on the GPU is refused, and the pod says why:")
        self._show.detail(told.message if told else "")
        await self._cluster.client.delete(Pod.resource, "third", NAMESPACE)

    async def _compare(self) -> None:
        """The same run, undisturbed: its weights must be the same to the last bit."""
        await self._apply("undisturbed")
        async for line in Follower(self._cluster.client, "undisturbed").lines():
            if line.event["event"] == "done":
                self.figures.weights["undisturbed"] = line.event["weights"]
        weights = self.figures.weights
        if weights["disturbed"] != weights["undisturbed"]:
            raise DemoError(f"the weights differ: {weights}")
        self._show.step("an undisturbed run with the same seed ends with the same weights:")
        self._show.detail(weights["disturbed"])

    async def _register(self) -> None:
        await self._apply("modelversion")
        version = await self._until(ModelVersion, "digits-1", lambda it: bool(it.status.digest))
        self._show.step("the result is model digits, version 1:")
        self._show.detail(version.status.digest)

    async def _serve(self) -> None:
        """The model answers over HTTP; every held-out picture is asked for, one at a time."""
        await self._apply("inferenceservice")
        service = await self._until(InferenceService, "digits", _ready)
        self._show.step(f"InferenceService digits is ready at {service.status.url}")
        held_out = load_split().held_out
        right = 0
        async with aiohttp.ClientSession() as session:
            url = f"{service.status.url}/v2/models/digits/infer"
            for image, label in zip(held_out.images, held_out.labels, strict=True):
                began = time.perf_counter()
                answer = await _predict(session, url, image.tolist())
                self.figures.latencies.append(time.perf_counter() - began)
                right += answer == int(label)
        self.figures.accuracy = right / len(held_out)
        if self.figures.accuracy < 0.95:
            raise DemoError(f"the accuracy is {self.figures.accuracy:.1%}, less than 95 %")
        self._show.step(f"{right} of {len(held_out)} held-out pictures are read rightly")

    async def _kubectl(self) -> None:
        """What a stock kubectl says of it, where there is one."""
        program = shutil.which("kubectl")
        if program is None:
            self._show.step(f"kubectl is not here; it would use {self._cluster.kubeconfig}")
            return
        command = ["get", "pods,trainjobs,inferenceservices"]
        process = await asyncio.create_subprocess_exec(
            program,
            f"--kubeconfig={self._cluster.kubeconfig}",
            *command,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        output, _ = await process.communicate()
        if process.returncode:
            raise DemoError(f"kubectl failed: {output.decode(errors='replace')}")
        self._show.step(f"kubectl {' '.join(command)}")
        self._show.detail(output.decode().rstrip())

    async def _apply(self, name: str) -> None:
        """Apply a manifest, and go on trying while the cluster restarts."""
        body: dict[str, Any] = yaml.safe_load((HERE / "manifests" / f"{name}.yaml").read_text())
        body["metadata"]["namespace"] = NAMESPACE
        async with asyncio.timeout(PATIENCE):
            while True:
                try:
                    await self._cluster.client.apply(PREFERRED[body["kind"]], body)
                    return
                except ConnectionError:
                    await asyncio.sleep(0.2)  # until the cluster is back; see ClusterProcess

    async def _until(self, kind: type[T], name: str, check: Callable[[T], bool]) -> T:
        """Wait for an object's state, through restarts of the cluster."""
        last: T | None = None
        try:
            async with asyncio.timeout(PATIENCE):
                while True:
                    try:
                        last = await self._cluster.client.find(kind, name, NAMESPACE)
                    except (ConnectionError, StatusError):
                        last = None
                    if last is not None and check(last):
                        self._cluster.note_memory()
                        return last
                    await asyncio.sleep(0.05)  # read again rather than watched, see Follower
        except TimeoutError:
            raise DemoError(f"{kind.resource.kind} {name} did not get there: {last}") from None


def _complete(job: TrainJob) -> bool:
    failed = condition(job.status.conditions, "Failed")
    if failed is not None and failed.status == "True":
        raise DemoError(f"TrainJob {job.metadata.name} failed: {failed.message}")
    done = condition(job.status.conditions, "Complete")
    return done is not None and done.status == "True"


def _unschedulable(pod: Pod) -> bool:
    told = condition(pod.status.conditions, "PodScheduled")
    return told is not None and told.status == "False" and "cannot allocate" in told.message


def _ready(service: InferenceService) -> bool:
    ready = condition(service.status.conditions, "Ready")
    return ready is not None and ready.status == "True"


async def _predict(session: aiohttp.ClientSession, url: str, image: list[float]) -> int:
    tensor = {"name": "images", "shape": [1, 64], "datatype": "FP32", "data": image}
    async with session.post(url, json={"inputs": [tensor]}) as answer:
        body: Mapping[str, Any] = await answer.json()
        if answer.status != 200:
            raise DemoError(f"the prediction failed: {body}")
    outputs = {output["name"]: output["data"] for output in body["outputs"]}
    return int(outputs["label"][0])


def rows(figures: Figures, memory: int) -> list[tuple[str, str]]:
    """The closing table."""
    milliseconds = sorted(latency * 1000 for latency in figures.latencies)
    cuts = statistics.quantiles(milliseconds, n=100)
    lost = figures.killed_step - figures.resumed_step
    return [
        ("gang start, from apply to both ranks running", f"{figures.gang_start:.2f} s"),
        ("steps done", f"{STEPS}"),
        ("steps lost to the kill and done again", f"{lost}"),
        ("time to recover, from the kill to a new step", f"{figures.recovery:.2f} s"),
        ("accuracy on held-out pictures, over HTTP", f"{figures.accuracy:.1%}"),
        ("prediction p50", f"{cuts[49]:.2f} ms"),
        ("prediction p99", f"{cuts[98]:.2f} ms"),
        ("peak memory of the cluster's process", f"{memory / 2**20:.0f} MiB"),
    ]


async def main() -> int:
    """Run the demo in a fresh data folder; 0 when all went as told."""
    shutil.rmtree(DATA, ignore_errors=True)
    DATA.mkdir()
    show = Show()
    cluster = ClusterProcess(DATA / "cluster")
    demo = Demo(cluster, show)
    began = time.monotonic()
    story = asyncio.current_task()
    assert story is not None
    # Told to end, it takes the cluster down with it.
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, story.cancel)
    code = 0
    try:
        await demo.run()
        memory = cluster.note_memory()
    except (DemoError, ConnectionError, StatusError, OSError) as error:
        show.failed(str(error), f"see {DATA / 'argosy.log'}")
        code = 1
    except asyncio.CancelledError:
        show.failed("told to end", "run it again")
        code = 128 + signal.SIGTERM
    finally:
        ended = await cluster.stop()
    if code == 0:
        show.step(f"argosy stopped with exit code {ended}")
        show.table(f"{time.monotonic() - began:.0f} s in all", rows(demo.figures, memory))
    return code or ended


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
