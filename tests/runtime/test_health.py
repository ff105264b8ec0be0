"""The door of a manager: what it answers, over a socket and without one."""

import asyncio
from contextlib import suppress

import aiohttp
import pytest
from prometheus_client.parser import text_string_to_metric_families

from argosy.api.core import ConfigMap, Service
from argosy.base.exposition import OPEN, TEXT
from argosy.http.checks import Check
from argosy.http.message import Request, Response
from argosy.http.server import serve
from argosy.runtime.controller import DONE, Controller, Result
from argosy.runtime.health import Door, address
from argosy.runtime.manager import Manager
from argosy.testing.clock import FakeClock, settle
from argosy.testing.cluster import Cluster, cluster
from tests.runtime.kit import make


async def nothing(obj: ConfigMap) -> Result:
    return DONE


def door(running: Cluster, *checks: Check) -> Door:
    manager = running.manager
    manager.informer(Service)
    configs = manager.informer(ConfigMap)
    manager.add(Controller(name="tests/configs", informer=configs, reconcile=nothing))
    return Door(manager, healthy=checks)


async def asked(door: Door, path: str, **headers: str) -> tuple[int, str]:
    path, _, query = path.partition("?")
    response = await door.handle(Request("GET", path, query, headers))
    assert isinstance(response.body, bytes)
    return response.status, response.body.decode()


async def test_it_is_ready_when_all_is_read_and_healthy_before() -> None:
    async with cluster(clock=FakeClock()) as running:
        it = door(running)
        assert await asked(it, "/healthz") == (200, "ok")
        status, text = await asked(it, "/readyz")
        assert status == 500
        assert text == "[+]ping ok\n[-]informer-sync failed: reason withheld\nreadyz check failed\n"
        status, text = await asked(it, "/readyz/informer-sync")
        assert text == "internal server error: not read yet: configmaps, services\n"
        running.start()
        await settle()
        assert await asked(it, "/readyz") == (200, "ok")
        shown = "[+]ping ok\n[+]informer-sync ok\nreadyz check passed\n"
        assert await asked(it, "/readyz?verbose") == (200, shown)
        assert await asked(it, "/readyz/informer-sync") == (200, "ok")


async def test_checks_of_others_are_part_of_its_health() -> None:
    async with cluster(clock=FakeClock()) as running:
        failure = ["the lease is not renewed"]
        it = door(running, Check("leaderElection", lambda: failure[0]))
        status, text = await asked(it, "/healthz")
        assert status == 500 and "[-]leaderElection failed: reason withheld\n" in text
        failure[0] = ""
        assert (await asked(it, "/healthz"))[0] == 200


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/", 404), ("GET", "/readyz/none", 404), ("POST", "/healthz", 405)],
)
async def test_what_is_not_there_is_refused(method: str, path: str, status: int) -> None:
    async with cluster(clock=FakeClock()) as running:
        response: Response = await door(running).handle(Request(method, path))
        assert response.status == status


async def test_metrics_come_in_the_form_that_is_asked_for() -> None:
    async with cluster(clock=FakeClock()) as running:
        it = door(running)
        plain = await it.handle(Request("GET", "/metrics"))
        open_kind = {"accept": "application/openmetrics-text;version=1.0.0,text/plain;q=0.5"}
        marked = await it.handle(Request("GET", "/metrics", "", open_kind))
        assert plain.headers["content-type"] == TEXT
        assert marked.headers["content-type"] == OPEN
        assert isinstance(marked.body, bytes) and marked.body.endswith(b"# EOF\n")


async def test_metrics_tell_of_controllers_queues_and_requests() -> None:
    async with cluster(clock=FakeClock()) as running:
        it = door(running)
        running.start()
        await make(running.client, "a")
        await settle()
        _, text = await asked(it, "/metrics")
        found = {
            (sample.name, *sample.labels.values()): sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
        }
        name = "tests/configs"
        assert found[("controller_runtime_reconcile_total", name, "success")] >= 1
        assert found[("controller_runtime_max_concurrent_reconciles", name)] == 4
        assert found[("controller_runtime_reconcile_time_seconds_count", name)] >= 1
        assert found[("workqueue_depth", name, name, "0")] == 0
        assert found[("workqueue_adds_total", name, name)] >= 1
        assert found[("workqueue_unfinished_work_seconds", name, name)] == 0
        assert found[("workqueue_longest_running_processor_seconds", name, name)] == 0
        assert found[("workqueue_queue_duration_seconds_count", name, name)] >= 1
        assert found[("workqueue_work_duration_seconds_bucket", name, name, "+Inf")] >= 1
        assert found[("rest_client_requests_total", "200", "GET", "")] >= 1


async def test_requests_without_an_answer_are_counted_as_errors() -> None:
    async with cluster(clock=FakeClock()) as running:

        class Down:
            async def send(self, request: Request) -> Response:
                raise ConnectionError("refused")

            async def close(self) -> None: ...

        broken = Manager(type(running.client)(Down(), "t"), FakeClock(), host="example.com:6443")
        with suppress(ConnectionError):
            await broken.client.get(ConfigMap, "a", "default")
        _, text = await asked(Door(broken), "/metrics")
        line = 'rest_client_requests_total{code="<error>",method="GET",host="example.com:6443"} 1\n'
        assert line in text


async def test_it_answers_over_http() -> None:
    async with cluster() as running:
        it = door(running)
        server = await serve(it.handle, addresses=[("127.0.0.1", 0)], tls=None)
        host, port = server.addresses[0]
        try:
            async with (
                aiohttp.ClientSession() as session,
                session.get(f"http://{host}:{port}/healthz") as answer,
            ):
                assert (answer.status, await answer.text()) == (200, "ok")
        finally:
            await server.close()


async def test_as_a_runner_it_serves_until_it_is_cancelled_and_tells_of_a_taken_port() -> None:
    async with cluster() as running:
        it = door(running)
        server = await serve(it.handle, addresses=[("127.0.0.1", 0)], tls=None)
        host, port = server.addresses[0]
        with pytest.raises(OSError):
            await it.at(host, port)()
        await server.close()
        task = asyncio.ensure_future(it.at(host, port)())
        try:
            async with aiohttp.ClientSession() as session:
                for _ in range(100):
                    with suppress(aiohttp.ClientConnectionError):
                        async with session.get(f"http://{host}:{port}/readyz/ping") as answer:
                            assert answer.status == 200
                            break
                    await asyncio.sleep(0)
                else:
                    pytest.fail("it does not answer")
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        assert task.cancelled()


@pytest.mark.parametrize(
    "text, wanted",
    [
        (":8080", ("", 8080)),
        ("127.0.0.1:0", ("127.0.0.1", 0)),
        ("[::1]:80", ("::1", 80)),
        ("localhost:65535", ("localhost", 65535)),
    ],
)
def test_addresses(text: str, wanted: tuple[str, int]) -> None:
    assert address(text) == wanted


@pytest.mark.parametrize("text", ["8080", "host:", "host:port", ":65536", ":-1", ":²"])
def test_what_is_no_address(text: str) -> None:
    with pytest.raises(ValueError, match="is no address of the form HOST:PORT"):
        address(text)
