"""The way to a KMS plugin: gRPC over a socket of this machine.

A call that finds nobody waits for the plugin to come up, as kube-apiserver's do, and no longer than
its timeout. The library is read with the first plugin that is configured.
"""

import os
from collections.abc import Callable
from typing import Any, TypeVar
from urllib.parse import urlsplit
from uuid import uuid4

import grpc

from argosy.api.protobuf.wire import ProtobufError
from argosy.base.clock import Clock
from argosy.store.kms.figures import Figures
from argosy.store.kms.messages import (
    Sealed,
    Status,
    decrypt_request,
    encrypt_request,
    read_decrypted,
    read_encrypted,
    read_status,
)

SERVICE = "/v2.KeyManagementService"
LONGEST_MESSAGE = 1024
"""So much is told of what a plugin says in an error."""
_OPTIONS = (
    ("grpc.default_authority", "localhost"),
    ("grpc.enable_http_proxy", 0),
    ("grpc.max_receive_message_length", 256 * 1024),
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 1000),
)

T = TypeVar("T")


class PluginError(Exception):
    """The plugin could not be asked, or its answer is of no use; the text says why."""


class Plugin:
    """One plugin. What asks it blocks, `timeout` seconds at most; any thread may."""

    def __init__(self, endpoint: str, timeout: float, clock: Clock) -> None:
        os.environ.setdefault("GRPC_VERBOSITY", "ERROR")  # else it tells of each lost connection
        self.figures = Figures()
        self._clock = clock
        self._channel = grpc.insecure_channel(_target(endpoint), options=_OPTIONS)
        self._endpoint = endpoint
        self._timeout = timeout

    def status(self) -> Status:
        """How it is. Raises PluginError, as the others here."""
        return self._asked("Status", b"", read_status)

    def encrypt(self, plain: bytes) -> Sealed:
        """`plain`, sealed with its newest key."""
        return self._asked("Encrypt", encrypt_request(plain, str(uuid4())), read_encrypted)

    def decrypt(self, key: Sealed) -> bytes:
        """What it has sealed once."""
        return self._asked("Decrypt", decrypt_request(key, str(uuid4())), read_decrypted)

    def close(self) -> None:
        """End calls that wait, too."""
        self._channel.close()

    def _asked(self, method: str, request: bytes, read: Callable[[bytes], T]) -> T:
        began, code = self._clock.monotonic(), "OK"
        try:
            call = self._channel.unary_unary(f"{SERVICE}/{method}")
            return read(call(request, timeout=self._timeout, wait_for_ready=True))
        except grpc.RpcError as error:
            code = _code(error)
            raise PluginError(f"{_told(error)} (at {self._endpoint})") from None
        except ProtobufError as error:
            raise PluginError(f"the answer to {method} is not of the protocol: {error}") from None
        except ValueError:  # what the library says of a channel that was closed meanwhile
            raise PluginError("the connection is closed") from None
        finally:
            self.figures.called(f"{SERVICE}/{method}", code, self._clock.monotonic() - began)


def _told(error: Any) -> str:
    """As Go's library puts it."""
    details = " ".join((error.details() or "").split())
    return f"rpc error: code = {_code(error)} desc = {details[:LONGEST_MESSAGE]}"


def _code(error: Any) -> str:
    name: str = error.code().name
    return "Canceled" if name == "CANCELLED" else name.title().replace("_", "")


def _target(endpoint: str) -> str:
    path = urlsplit(endpoint).path
    return f"unix-abstract:{path[2:]}" if path.startswith("/@") else f"unix:{path}"
