"""A KMS plugin as others write them: gRPC over a socket, with messages made by protobuf's library.

Its keys are by id; `faults` says what it does wrong.
"""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc
from cryptography.fernet import Fernet
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

STRING, BYTES, MESSAGE, ENUM = 9, 12, 11, 5
MESSAGES = {
    "StatusRequest": (),
    "StatusResponse": (("version", STRING), ("healthz", STRING), ("key_id", STRING)),
    "DecryptRequest": (
        ("ciphertext", BYTES),
        ("uid", STRING),
        ("key_id", STRING),
        ("annotations", MESSAGE),
    ),
    "DecryptResponse": (("plaintext", BYTES),),
    "EncryptRequest": (("plaintext", BYTES), ("uid", STRING)),
    "EncryptResponse": (("ciphertext", BYTES), ("key_id", STRING), ("annotations", MESSAGE)),
    "EncryptedObject": (
        ("encryptedData", BYTES),
        ("keyID", STRING),
        ("encryptedDEKSource", BYTES),
        ("annotations", MESSAGE),
        ("encryptedDEKSourceType", ENUM),
    ),
}
"""As in the protocol's own files; an entry's place is its number."""


def message(name: str) -> Any:
    """The class of a message."""
    file = descriptor_pb2.FileDescriptorProto(name="kms.proto", package="v2", syntax="proto3")
    for called, fields in MESSAGES.items():
        described = file.message_type.add(name=called)
        for number, (field, kind) in enumerate(fields, 1):
            given = described.field.add(name=field, number=number, type=kind, label=1)
            if kind == MESSAGE:
                given.label, given.type_name = 3, f".v2.{called}.AnnotationsEntry"
                entry = described.nested_type.add(name="AnnotationsEntry")
                entry.options.map_entry = True
                entry.field.add(name="key", number=1, type=STRING, label=1)
                entry.field.add(name="value", number=2, type=BYTES, label=1)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(f"v2.{name}"))


class FakePlugin:
    """A plugin with real keys; `answers` replaces what a method would say, as bytes."""

    def __init__(self) -> None:
        self.keys = {"key-1": Fernet(Fernet.generate_key())}
        self.key_id = "key-1"
        self.healthz = "ok"
        self.version = "v2"
        self.annotations = {"plugin.example.com": b"kept"}
        self.answers: dict[str, Callable[[], bytes]] = {}
        self.calls: list[str] = []
        self.released = threading.Event()

    def rotate(self, key_id: str) -> None:
        """Seal with a new key from now on, and keep the old ones."""
        self.keys[key_id] = Fernet(Fernet.generate_key())
        self.key_id = key_id

    def hang(self) -> bytes:
        """An answer that doesn't come."""
        self.released.wait(10)
        return b""

    def __call__(self, method: str, request: bytes) -> bytes:
        self.calls.append(method)
        if method in self.answers:
            return self.answers[method]()
        answer = {"Status": self._status, "Encrypt": self._encrypt, "Decrypt": self._decrypt}
        asked = message(f"{method}Request").FromString(request)
        said: bytes = answer[method](asked).SerializeToString()
        return said

    def _status(self, request: Any) -> Any:
        fields = {"version": self.version, "healthz": self.healthz, "key_id": self.key_id}
        return message("StatusResponse")(**fields)

    def _encrypt(self, request: Any) -> Any:
        assert request.uid
        return message("EncryptResponse")(
            ciphertext=self.keys[self.key_id].encrypt(request.plaintext),
            key_id=self.key_id,
            annotations=self.annotations,
        )

    def _decrypt(self, request: Any) -> Any:
        assert request.uid and dict(request.annotations) == self.annotations
        plaintext = self.keys[request.key_id].decrypt(request.ciphertext)
        return message("DecryptResponse")(plaintext=plaintext)


@contextmanager
def served(plugin: FakePlugin, socket: Path) -> Iterator[None]:
    """The plugin, listening."""
    handlers = {
        method: grpc.unary_unary_rpc_method_handler(
            lambda request, _context, method=method: plugin(method, request)
        )
        for method in ("Status", "Encrypt", "Decrypt")
    }
    with ThreadPoolExecutor(4) as threads:
        server = grpc.server(threads)
        generic = grpc.method_handlers_generic_handler("v2.KeyManagementService", handlers)
        server.add_generic_rpc_handlers((generic,))
        server.add_insecure_port(f"unix:{socket}")
        server.start()
        try:
            yield
        finally:
            plugin.released.set()
            server.stop(None).wait(5)
