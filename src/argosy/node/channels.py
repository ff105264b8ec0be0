"""A command's streams over WebSocket: the protocols `v5.channel.k8s.io` and `v4.channel.k8s.io`.

A message's first byte is its channel: 0 input, 1 output, 2 error output, 3 the outcome as a
`Status`, 4 the terminal's size as JSON. In version 5 a message of 255 and a channel ends that one.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final

import msgspec

from argosy.http.websocket import WebSocket
from argosy.node.runtimes.interface import Execution, StartError

PROTOCOLS: Final = ("v5.channel.k8s.io", "v4.channel.k8s.io")
INPUT, OUTPUT, ERROR, OUTCOME, SIZE = range(5)
CLOSE: Final = 255

Begin = Callable[[], Awaitable[Execution]]
Json = dict[str, Any]


class _Size(msgspec.Struct, frozen=True, rename="pascal"):
    width: int = 0
    height: int = 0


async def serve(
    socket: WebSocket, protocol: str, begin: Begin, *, output: bool, error: bool
) -> None:
    """Run the command that `begin` starts until it or the client ends."""
    first = OUTPUT if output else ERROR if error else OUTCOME
    await socket.send(bytes([first]))  # so that the client knows that it stands
    try:
        execution = await begin()
    except StartError as failure:
        await _finish(socket, _internal(f"error executing command in container: {failure}"))
        return
    try:
        listening = asyncio.create_task(_listen(socket, execution, protocol))
        working = asyncio.create_task(_work(socket, execution, output=output, error=error))
        try:
            done, _ = await asyncio.wait((listening, working), return_when=asyncio.FIRST_COMPLETED)
            code = working.result() if working in done else None
        finally:
            for task in (listening, working):
                task.cancel()
            await asyncio.gather(listening, working, return_exceptions=True)
    finally:
        await execution.close()
    if code is not None:
        await _finish(socket, outcome(code))


def outcome(code: int) -> Json:
    """How a command ended, as a kubelet says it."""
    if code == 0:
        return {"metadata": {}, "status": "Success"}
    return {
        "metadata": {},
        "status": "Failure",
        "message": f"command terminated with non-zero exit code: exit status {code}",
        "reason": "NonZeroExitCode",
        "details": {"causes": [{"reason": "ExitCode", "message": str(code)}]},
    }


def _internal(message: str) -> Json:
    return {
        "metadata": {},
        "status": "Failure",
        "message": f"Internal error occurred: {message}",
        "reason": "InternalError",
        "details": {"causes": [{"message": message}]},
        "code": 500,
    }


async def _finish(socket: WebSocket, status: Json) -> None:
    await socket.send(bytes([OUTCOME]) + msgspec.json.encode(status))
    await socket.close()


async def _work(socket: WebSocket, execution: Execution, *, output: bool, error: bool) -> int:
    """Everything that the command says, and then its exit code."""
    await asyncio.gather(
        _pump(socket, execution, OUTPUT if output else None),
        _pump(socket, execution, ERROR if error else None, error=True),
    )
    return await execution.wait()


async def _pump(
    socket: WebSocket, execution: Execution, channel: int | None, *, error: bool = False
) -> None:
    while piece := await execution.read(error=error):
        if channel is not None:
            await socket.send(bytes([channel]) + piece)


async def _listen(socket: WebSocket, execution: Execution, protocol: str) -> None:
    """What the client says; returns when it has gone."""
    while (message := await socket.receive()) is not None:
        channel = message[0] if message else None
        if channel == INPUT:
            await execution.write(message[1:])
        elif channel == SIZE:
            _resize(execution, message[1:])
        elif channel == CLOSE and message[1:] == bytes([INPUT]) and protocol == PROTOCOLS[0]:
            execution.finish()


def _resize(execution: Execution, text: bytes) -> None:
    try:
        size = msgspec.json.decode(text, type=_Size)
    except (msgspec.DecodeError, msgspec.ValidationError):
        return
    execution.resize(size.width, size.height)
