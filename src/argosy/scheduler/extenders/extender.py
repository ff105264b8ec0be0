"""One extender: what it is asked for, and how it is reached.

Its words are JSON of extender/v1: ExtenderArgs go out, an ExtenderFilterResult, a HostPriorityList
or an ExtenderBindingResult comes back. Their fields are read whatever their case, as Go does.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from argosy.api.core import Pod
from argosy.client.https import transport
from argosy.client.kubeconfig import Access
from argosy.client.transport import Transport
from argosy.http.message import Request, Response
from argosy.scheduler.faults import NamedError
from argosy.scheduler.placement import Placement

HIGHEST_PRIORITY = 10
MOST_BYTES = 64 << 20
"""Of an answer: 5,000 whole nodes are a third of it."""
MOST_TOLD = 256
"""Characters of each reason: pods are told of them."""


class ExtenderError(NamedError, ConnectionError):
    """The extender did not answer, or nothing that can be understood."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Extender:
    """What a configuration says of one; a verb that is empty is not asked.

    `managed` are the resources whose pods it cares for, all pods where there are none. `by_name`:
    it knows the nodes and is told names only. Where an `ignorable` one fails, it is as if it had
    not been asked. `seconds` is how long it may take.
    """

    access: Access
    filter_verb: str = ""
    prioritize_verb: str = ""
    bind_verb: str = ""
    weight: int = 1
    seconds: float = 5.0
    by_name: bool = False
    managed: frozenset[str] = frozenset()
    ignorable: bool = False

    def cares(self, pod: Pod) -> bool:
        """Whether it is to be asked of the pod."""
        if not self.managed:
            return True
        spec = pod.spec
        needs = [container.resources for container in spec.containers]
        needs += [container.resources for container in spec.init_containers]
        return any(self.managed & (need.requests.keys() | need.limits.keys()) for need in needs)


@dataclass(frozen=True, slots=True)
class Passed:
    """The nodes that an extender lets the pod on, and why not on others."""

    nodes: tuple[str, ...]
    failed: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Link:
    """The way to one extender. All that is asked raises ExtenderError."""

    extender: Extender
    way: Transport = field(compare=False)

    async def filter(self, args: bytes, nodes: Sequence[str]) -> Passed:
        """Which of `nodes`, which `args` tell of, the pod may be on."""
        verb = self.extender.filter_verb
        said = _fields(await self._ask(verb, args))
        if error := said.get("error"):
            raise ExtenderError(str(error))
        failed = {**_texts(said, "failednodes"), **_texts(said, "failedandunresolvablenodes")}
        if self.extender.by_name and said.get("nodenames") is not None:
            names = self._list(verb, said["nodenames"])
            if strange := set(map(str, names)).difference(nodes):
                raise ExtenderError(
                    f'extender "{self.extender.access.server}" claims a filtered node '
                    f'"{min(strange)}" which is not found in the input node list'
                )
            return Passed(tuple(map(str, names)), failed)
        listed = self._list(verb, _fields(said.get("nodes")).get("items") or [])
        named = {str(_fields(_fields(item).get("metadata")).get("name")) for item in listed}
        return Passed(tuple(name for name in nodes if name in named), failed)

    async def prioritize(self, args: bytes) -> dict[str, int]:
        """Scores by node, 0 to `HIGHEST_PRIORITY`."""
        found: dict[str, int] = {}
        said = await self._ask(self.extender.prioritize_verb, args)
        for item in said if isinstance(said, list) else ():
            entry = _fields(item)
            score = entry.get("score", 0)
            if not isinstance(score, int) or not 0 <= score <= HIGHEST_PRIORITY:
                shown = str(score)[:32]
                raise ExtenderError(f"score {shown} is not from 0 to {HIGHEST_PRIORITY}")
            found[str(entry.get("host"))] = score
        return found

    async def bind(self, placement: Placement) -> None:
        """Let it bind the pod."""
        meta = placement.pod.metadata
        args = {
            "PodName": meta.name,
            "PodNamespace": meta.namespace,
            "PodUID": meta.uid,
            "Node": placement.node,
        }
        said = _fields(await self._ask(self.extender.bind_verb, msgspec.json.encode(args)))
        if error := said.get("error"):
            raise ExtenderError(str(error))

    async def _ask(self, verb: str, body: bytes) -> Any:
        path = f"/{verb}"
        request = Request("POST", path, "", {"content-type": "application/json"}, body)
        try:
            async with asyncio.timeout(self.extender.seconds):
                response = await self.way.send(request)
                data = await _whole(response)
        except TimeoutError:
            text = f"no answer within {self.extender.seconds:g} s"
            raise ExtenderError(f"{self._where(verb)}: {text}") from None
        except ConnectionError as error:
            raise ExtenderError(f"{self._where(verb)}: {error}") from error
        if response.status != 200:
            url = f"{self.extender.access.server}/{verb}"
            text = f"failed {verb} with extender at URL {url}, code {response.status}"
            raise ExtenderError(text)
        try:
            return msgspec.json.decode(data)
        except (msgspec.DecodeError, RecursionError) as error:
            raise ExtenderError(f"{self._where(verb)}: {error}") from None

    def _list(self, verb: str, value: Any) -> list[Any]:
        if not isinstance(value, list):
            raise ExtenderError(f"{self._where(verb)}: {type(value).__name__} is no list of nodes")
        return value

    def _where(self, verb: str) -> str:
        return f"extender {self.extender.access.server}/{verb}"


def linked(extender: Extender) -> Link:
    """A way to the extender; nothing is sent yet. Raises KubeconfigError for a bad certificate."""
    return Link(extender, transport(extender.access))


def _fields(value: Any) -> dict[str, Any]:
    """An object's fields by their names in lower case; none where it is no object."""
    return {key.lower(): item for key, item in value.items()} if isinstance(value, dict) else {}


def _texts(said: Mapping[str, Any], name: str) -> dict[str, str]:
    found = said.get(name)
    if not isinstance(found, dict):
        return {}
    return {key: str(text)[:MOST_TOLD] for key, text in found.items()}


async def _whole(response: Response) -> bytes:
    if isinstance(response.body, bytes):
        return response.body
    pieces: list[bytes] = []
    size = 0
    async for piece in response.body:
        pieces.append(piece)
        size += len(piece)
        if size > MOST_BYTES:
            await response.body.aclose()
            raise ConnectionError(f"the answer has more than {MOST_BYTES} bytes")
    return b"".join(pieces)
