"""Attacks on the tokens of pods: on who gets them, how long they are good for, and their files.

Each has a name and the refusal that it must get; sandboxes are real ones.
"""

import json
import os
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from argosy.api.core import Event, Pod
from argosy.api.resources.core import SERVICE_ACCOUNT
from argosy.client.client import Client
from argosy.http.message import Request
from argosy.node.refusal import Refusal
from argosy.node.runtimes.host import HostRuntime
from argosy.node.runtimes.interface import ContainerConfig, Machine, Mount, StartError
from argosy.node.runtimes.sandbox import installation
from argosy.node.volumes import Source, mounts
from tests.apiserver.kit import Answer, Api, serving
from tests.attacks.authorization_kit import CORE, NODE, as_user
from tests.node.builders import Running, container, node, pod_body, pod_view, shell, volumes_of

Json = dict[str, Any]
MISSING = HostRuntime().missing()
sandboxed = pytest.mark.skipif(MISSING is not None, reason=MISSING or "")
TOKEN = f"{CORE}/serviceaccounts/default/token"
THEIRS = "n2"


def asking(pod: str, uid: str, **spec: Any) -> Json:
    bound = {"apiVersion": "v1", "kind": "Pod", "name": pod, "uid": uid}
    return {"spec": {"boundObjectRef": bound, **spec}}


def pod_on(where: str, name: str, *volumes: Json) -> Json:
    spec = {"containers": [{"name": "c", "image": "i"}], "nodeName": where}
    return {"metadata": {"name": name}, "spec": {**spec, "volumes": list(volumes)}}


async def made(api: Api, path: str, body: Json) -> Json:
    answer = await api.ask("POST", path, body)
    assert answer.status == 201, answer.body
    found: Json = answer.body
    return found


@pytest_asyncio.fixture
async def api() -> AsyncGenerator[Api, None]:
    async with serving() as found:
        yield found


@dataclass
class Nodes:
    """A pod of the stolen node n1, and one of n2; both are `default`."""

    api: Api
    uids: Mapping[str, str]

    async def ask(self, pod: str, uid: str = "", **spec: Any) -> Answer:
        body = asking(pod, uid or self.uids.get(pod, "none"), **spec)
        return await self.api.ask("POST", TOKEN, body, headers=as_user(NODE))


@pytest_asyncio.fixture
async def nodes(api: Api) -> Nodes:
    uids = {
        name: (await made(api, f"{CORE}/pods", pod_on(where, name)))["metadata"]["uid"]
        for name, where in (("mine", "n1"), ("theirs", THEIRS))
    }
    return Nodes(api, uids)


async def test_a_node_gets_the_tokens_of_its_pods(nodes: Nodes) -> None:
    assert (await nodes.ask("mine")).status == 201


@pytest.mark.parametrize(
    ("pod", "spec", "refusal"),
    [
        ("theirs", {}, "node requested token bound to a pod scheduled on a different node"),
        ("mine", {"boundObjectRef": None}, "node requested token not bound to a pod"),
        (
            "mine",
            {"boundObjectRef": {"apiVersion": "v1", "kind": "Pod", "name": "mine"}},
            "node requested token with a pod binding without a uid",
        ),
        (
            "mine",
            {"boundObjectRef": {"apiVersion": "v1", "kind": "Node", "name": "n1", "uid": "x"}},
            "node requested token not bound to a pod",
        ),
        ("mine", {"audiences": ["vault"]}, 'audience "vault" not found in pod spec volume'),
        ("mine", {"audiences": ["", "vault"]}, "node may only request 0 or 1 audiences"),
    ],
)
async def test_a_stolen_node_gets_no_other_tokens(
    nodes: Nodes, pod: str, spec: Json, refusal: str
) -> None:
    answer = await nodes.ask(pod, **spec)
    assert (answer.status, refusal in answer.message) == (403, True), answer.body


async def test_a_stolen_node_gets_no_token_by_the_name_of_a_pod_that_was(nodes: Nodes) -> None:
    answer = await nodes.ask("mine", uid="6f1ed1f2-3f9b-4a52-8d1f-7d4a3c1f2b1a")
    assert answer.status == 403 and "does not match the UID in record" in answer.message


async def test_a_stolen_node_does_not_reach_accounts_of_other_nodes(nodes: Nodes) -> None:
    api = nodes.api
    await made(api, f"{CORE}/serviceaccounts", {"metadata": {"name": "strong"}})
    pod = pod_on(THEIRS, "strong")
    pod["spec"]["serviceAccountName"] = "strong"
    uid = (await made(api, f"{CORE}/pods", pod))["metadata"]["uid"]
    path = TOKEN.replace("/default/token", "/strong/token")
    answer = await api.ask("POST", path, asking("strong", uid), headers=as_user(NODE))
    assert answer.status == 403
    assert "no relationship found between node 'n1' and this object" in answer.message


async def status(api: Api, token: str) -> int:
    headers = {"authorization": f"Bearer {token}"}
    request = Request("GET", "/api/v1/namespaces/default/pods", headers=headers)
    return (await api.cluster.plane.server.handle(request)).status


async def test_a_token_ends_with_its_pod_and_is_not_its_heirs(nodes: Nodes) -> None:
    api, kept = nodes.api, (await nodes.ask("mine")).body["status"]["token"]
    assert await status(api, kept) == 403  # known, and may do nothing
    await api.ask("DELETE", f"{CORE}/pods/mine", gracePeriodSeconds="0")
    assert await status(api, kept) == 401
    await made(api, f"{CORE}/pods", pod_on("n1", "mine"))
    assert await status(api, kept) == 401


PATHS = ("../x", "/etc/x", "a/../../x", "..data", "..x/y")


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    "volume",
    [
        {"configMap": {"name": "m", "items": [{"key": "k", "path": "?"}]}},
        {"secret": {"secretName": "m", "items": [{"key": "k", "path": "?"}]}},
        {"downwardAPI": {"items": [{"path": "?", "fieldRef": {"fieldPath": "metadata.name"}}]}},
        {"projected": {"sources": [{"serviceAccountToken": {"path": "?"}}]}},
        {
            "projected": {
                "sources": [{"secret": {"name": "m", "items": [{"key": "k", "path": "?"}]}}]
            }
        },
    ],
)
async def test_no_file_of_a_volume_is_asked_for_elsewhere(
    api: Api, volume: Json, path: str
) -> None:
    asked = json.loads(json.dumps(volume).replace("?", path))
    answer = await api.ask("POST", f"{CORE}/pods", pod_on("n1", "p", {"name": "v", **asked}))
    assert answer.status == 422, answer.body
    assert any(field.endswith("path") for field, _ in answer.causes), answer.causes


@pytest.mark.parametrize("path", PATHS)
async def test_a_server_that_lets_it_pass_moves_no_node(
    api: Api, tmp_path: Path, path: str
) -> None:
    """A node does not trust what it is told, and no key of a ConfigMap either."""
    field = {"path": path, "fieldRef": {"fieldPath": "metadata.name"}}
    pod = pod_view(container("true"), volumes=[{"name": "v", "downwardAPI": {"items": [field]}}])
    with pytest.raises(Refusal, match="FailedMount|below the volume|must not start"):
        await volumes_of(api.cluster).prepare(pod, tmp_path / "pod")
    assert [file for _, _, files in os.walk(tmp_path) for file in files] == []


# what is mounted


def filled(folder: Path) -> Source:
    folder.mkdir()
    (folder / "..1").mkdir()
    (folder / "..1" / "token").write_text("x")
    (folder / "..data").symlink_to("..1")
    (folder / "token").symlink_to("..data/token")
    (folder / "out").symlink_to("../other")
    return Source(folder, read_only=True, digest=b"1")


@pytest.mark.parametrize("path", ["out", "out/token", "..data/../../other", "none", "token/x"])
def test_a_sub_path_of_a_filled_volume_stays_in_it(tmp_path: Path, path: str) -> None:
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "token").write_text("of another pod")
    source = filled(tmp_path / "v")
    body = container("true", volumeMounts=[{"name": "v", "mountPath": "/v", "subPath": path}])
    with pytest.raises(Refusal, match="failed to prepare subPath"):
        mounts(pod_view(body).spec.containers[0], {"v": source})


def test_a_sub_path_of_a_filled_volume_is_its_file(tmp_path: Path) -> None:
    source = filled(tmp_path / "v")
    body = container("true", volumeMounts=[{"name": "v", "mountPath": "/v", "subPath": "token"}])
    (found,) = mounts(pod_view(body).spec.containers[0], {"v": source})
    assert found.sub_path == "..1/token"


async def run(root: Path, argv: tuple[str, ...], *mounted: Mount, **env: str) -> str:
    """What a container says and how it ends. Raises StartError."""
    runtime = HostRuntime()
    await runtime.open(Machine(state=root / "state", readable=installation(), hidden=()))
    said: list[bytes] = []
    config = ContainerConfig(
        id="i",
        hostname="h",
        argv=argv,
        env=env,
        working_dir="",
        mounts=mounted,
        output=lambda stream, data: said.append(data),
    )
    await (await runtime.start(config)).wait()
    return b"".join(said).decode()


@sandboxed
@pytest.mark.parametrize("sub_path", ["", "sub"])
@pytest.mark.parametrize("swapped", ["shared/b", "shared"])
async def test_a_host_path_that_became_a_link_is_not_mounted(
    tmp_path: Path, swapped: str, sub_path: str
) -> None:
    """Another pod writes around it, and puts a link to the tokens in its place."""
    (tmp_path / "shared" / "b" / "sub").mkdir(parents=True)
    secret = tmp_path / "secret"
    (secret / "b" / "sub").mkdir(parents=True)
    (secret / "sub").mkdir()
    here = tmp_path / "shared" / "b"
    mount = Mount(source=here, target="/v", sub_path=sub_path, pinned=True)
    assert await run(tmp_path, ("ls", "/v"), mount) == ("" if sub_path else "sub\n")
    (tmp_path / swapped).rename(tmp_path / "away")
    (tmp_path / swapped).symlink_to(secret)
    with pytest.raises(StartError, match="has become a way to somewhere else"):
        await run(tmp_path, ("ls", "/v"), mount)


@sandboxed
async def test_a_variable_is_no_option_of_the_sandbox(tmp_path: Path) -> None:
    """A NUL ends an option in bubblewrap's list: what follows would be the next one."""
    (tmp_path / "secret").write_text("of the host")
    value = f"x\0--ro-bind\0{tmp_path}\0/loot"
    with pytest.raises(StartError, match="must not hold a NUL character"):
        await run(tmp_path, ("cat", "/loot/secret"), A=value)


# a whole node


@pytest_asyncio.fixture
async def running(tmp_path: Path) -> AsyncGenerator[Running, None]:
    async with node(tmp_path) as found:
        client = found.cluster.client
        account = {"metadata": {"name": "default", "namespace": "default"}}
        await client.apply(SERVICE_ACCOUNT, account)
        yield found


TOKENS = {
    "name": "t",
    "projected": {"sources": [{"serviceAccountToken": {"path": "token"}}], "defaultMode": 0o400},
}
HERE = [{"name": "t", "mountPath": "/t"}]


async def holder(running: Running, tmp_path: Path) -> Path:
    """A pod with a token runs; the token's file."""
    body = pod_body(shell("echo up; sleep 60", volumeMounts=HERE), name="holder", volumes=[TOKENS])
    await running.create(body)
    pod = await running.until("holder", "Running")
    return tmp_path / "node" / "pods" / pod.metadata.uid / "volumes" / "t" / "token"


@sandboxed
@pytest.mark.parametrize("up", [0, 1, 4])
async def test_no_host_path_leads_to_another_pods_token(
    running: Running, tmp_path: Path, up: int
) -> None:
    path = await holder(running, tmp_path)
    assert path.read_text().count(".") == 2 and path.stat().st_mode & 0o777 == 0o400
    way = str(path.parents[up])
    thief = pod_body(
        shell("cat /loot/*", volumeMounts=[{"name": "l", "mountPath": "/loot"}]),
        name="thief",
        volumes=[{"name": "l", "hostPath": {"path": way}}],
    )
    await running.create(thief)
    pod = await running.cluster.until(Pod, "thief", "default", lambda p: bool(waiting(p)))
    assert "reaches the cluster's own data" in waiting(pod)


def waiting(pod: Pod) -> str:
    states = [status.state.waiting for status in pod.status.container_statuses]
    return next((state.message for state in states if state and state.message), "")


@sandboxed
async def test_no_pod_finds_another_pods_token(running: Running, tmp_path: Path) -> None:
    path = await holder(running, tmp_path)
    await running.create(pod_body(shell(f"cat {path} || echo none"), name="spy"))
    await running.until("spy", "Succeeded")
    assert (await running.logs("spy")).splitlines()[-1] == "none"
    assert await _told(running.cluster.client, path.read_text()) == []


@sandboxed
async def test_a_pod_does_not_change_its_token(running: Running, tmp_path: Path) -> None:
    script = "echo x > /t/token; rm /t/..data; ln -sfn / /t/..data; mkdir /t/x; echo $?; ls -a /t"
    await running.create(
        pod_body(shell(script, volumeMounts=HERE), name="holder", volumes=[TOKENS])
    )
    await running.until("holder", "Succeeded")
    said = (await running.logs("holder")).splitlines()
    assert [line for line in said if "Read-only file system" not in line][0] == "1"
    assert sum("Read-only file system" in line for line in said) >= 3


async def _told(client: Client, token: str) -> list[str]:
    """Events that speak of it."""
    events = (await client.list(Event, "default")).items
    return [event.message for event in events if token in event.message]
