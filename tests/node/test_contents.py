"""What volumes hold: keys, fields, tokens, and what is missing."""

import base64
from typing import Any

import pytest

from argosy.api.core import ConfigMap, Pod, Secret
from argosy.base.clock import SystemClock
from argosy.node.atomic import File
from argosy.node.contents import CONTENTS, Contents
from argosy.node.tokens import PodTokens
from argosy.testing.cluster import Cluster, cluster
from tests.node.builders import container, pod_body

META = {"namespace": "default"}


async def filled(parts: Cluster, volume: dict[str, Any]) -> dict[str, File]:
    """What such a volume of a pod holds, beside a ConfigMap m and a Secret s."""
    client = parts.client
    await client.create(
        ConfigMap.resource,
        {
            "metadata": {**META, "name": "m"},
            "data": {"a": "1", "b": "2"},
            "binaryData": {"c": base64.b64encode(b"\xff").decode()},
        },
    )
    await client.create(
        Secret.resource, {"metadata": {**META, "name": "s"}, "stringData": {"k": "word"}}
    )
    body = pod_body(
        container("true", volumeMounts=[{"name": "v", "mountPath": "/v"}]),
        meta={"labels": {"a": "l"}, "annotations": {"n": 'x"'}},
        volumes=[{"name": "v", **volume}],
    )
    await client.create(Pod.resource, body)
    pod = await client.get(Pod, "p", "default")
    contents = Contents(client, PodTokens(client, SystemClock()))
    (kind,) = pod.spec.volumes[0].keys() - {"name"}
    return await CONTENTS[kind](contents, pod, pod.spec.volumes[0][kind])


def plain(found: dict[str, File]) -> dict[str, tuple[bytes, str]]:
    return {path: (file.data, oct(file.mode)) for path, file in found.items()}


def field(path: str, value: str, **more: Any) -> dict[str, Any]:
    return {"path": path, "fieldRef": {"fieldPath": value}, **more}


@pytest.mark.parametrize(
    ("volume", "expected"),
    [
        (
            {"configMap": {"name": "m", "defaultMode": 0o440}},
            {"a": (b"1", "0o440"), "b": (b"2", "0o440"), "c": (b"\xff", "0o440")},
        ),
        (
            {"configMap": {"name": "m", "items": [{"key": "a", "path": "x/y", "mode": 0o600}]}},
            {"x/y": (b"1", "0o600")},
        ),
        ({"secret": {"secretName": "s", "defaultMode": 0o400}}, {"k": (b"word", "0o400")}),
        (
            {"secret": {"secretName": "s", "items": [{"key": "k", "path": "x"}]}},
            {"x": (b"word", "0o644")},
        ),
        ({"secret": {"secretName": "none", "optional": True}}, {}),
        (
            {"downwardAPI": {"items": [field("l", "metadata.labels", mode=0o400)]}},
            {"l": (b'a="l"', "0o400")},
        ),
        (
            {"downwardAPI": {"items": [field("n", "metadata.annotations['n']")]}},
            {"n": (b'x"', "0o644")},
        ),
        (
            {
                "projected": {
                    "defaultMode": 0o440,
                    "sources": [
                        {"configMap": {"name": "m", "items": [{"key": "a", "path": "a"}]}},
                        {"secret": {"name": "s"}},
                        {"secret": {"name": "none", "optional": True}},
                        {"downwardAPI": {"items": [field("n/s", "metadata.namespace")]}},
                    ],
                }
            },
            {"a": (b"1", "0o440"), "k": (b"word", "0o440"), "n/s": (b"default", "0o440")},
        ),
    ],
)
async def test_what_is_there(
    volume: dict[str, Any], expected: dict[str, tuple[bytes, str]]
) -> None:
    async with cluster() as parts:
        assert plain(await filled(parts, volume)) == expected


@pytest.mark.parametrize(
    ("volume", "text"),
    [
        ({"configMap": {"name": "none"}}, 'configmap "none" not found'),
        (
            {"configMap": {"name": "m", "items": [{"key": "z", "path": "z"}]}},
            "configmap references non-existent config key: z",
        ),
        ({"secret": {"secretName": "none"}}, 'secret "none" not found'),
        (
            {"secret": {"secretName": "s", "items": [{"key": "z", "path": "z"}]}},
            "references non-existent secret key: z",
        ),
        (
            {"projected": {"sources": [{"secret": {"name": "x"}}, {"configMap": {"name": "y"}}]}},
            '[secret "x" not found, configmap "y" not found]',
        ),
    ],
)
async def test_what_is_missing(volume: dict[str, Any], text: str) -> None:
    async with cluster() as parts:
        with pytest.raises(ValueError) as error:
            await filled(parts, volume)
        assert str(error.value) == text


async def test_a_token_is_one_of_the_files() -> None:
    async with cluster() as parts:
        source = {"serviceAccountToken": {"path": "t", "expirationSeconds": 600}}
        volume = {"projected": {"sources": [source], "defaultMode": 0o400}}
        (found,) = (await filled(parts, volume)).values()
        assert found.data.count(b".") == 2 and found.mode == 0o400
