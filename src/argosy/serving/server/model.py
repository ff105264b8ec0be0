"""A model in memory: read once, checked against its digest, and only then given to ONNX Runtime.

The bytes that are hashed are the bytes that are loaded, so nobody can change the file in between.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .tensors import BY_ONNX, Array, ProtocolError, TensorSpec


class DigestMismatch(Exception):
    """The file is not the model version that it should be."""


class UnusableModel(Exception):
    """The file is the right one, but ONNX Runtime or the protocol can't serve it."""


def read_verified(path: Path, digest: str) -> bytes:
    """The bytes of `path`, if their SHA-256 is `digest` (`sha256:<hex>`).

    Raises DigestMismatch or OSError.
    """
    content = path.read_bytes()
    found = f"sha256:{hashlib.sha256(content).hexdigest()}"
    if found != digest:
        raise DigestMismatch(
            f"model {path} is not the one that was asked for: "
            f"its digest is {found}, it must be {digest}"
        )
    return content


@dataclass(frozen=True, slots=True)
class Model:
    """A loaded model; `run` may be called from any thread."""

    name: str
    version: str
    inputs: Mapping[str, TensorSpec]
    outputs: Mapping[str, TensorSpec]
    _session: Any

    def run(self, inputs: Mapping[str, Array], outputs: Sequence[str]) -> list[Array]:
        """The named outputs for `inputs`. Raises ProtocolError when the model refuses them."""
        try:
            found: list[Array] = self._session.run(list(outputs), dict(inputs))
        except Exception as error:
            # ONNX Runtime's own exceptions share no base but Exception.
            reason = str(error).splitlines()[0]
            raise ProtocolError(400, f"the model refuses these inputs: {reason}") from error
        return found


def load(content: bytes, *, name: str, version: str) -> Model:
    """The model in `content`, on the CPU with one thread. Raises UnusableModel."""
    # Here and not above: a model with a wrong digest is refused without waiting for this import.
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    try:
        session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    except Exception as error:
        # ONNX Runtime's own exceptions share no base but Exception.
        reason = str(error).splitlines()[0]
        raise UnusableModel(f"loading it: {reason}") from error
    inputs = _specs(session.get_inputs())
    return Model(name, version, inputs, _specs(session.get_outputs()), session)


def _specs(declared: Sequence[Any]) -> dict[str, TensorSpec]:
    specs = {}
    for tensor in declared:
        kind = BY_ONNX.get(tensor.type)
        if kind is None:
            raise UnusableModel(f"{tensor.name!r} is {tensor.type}, which has no form in JSON here")
        shape = tuple(size if isinstance(size, int) else -1 for size in tensor.shape)
        specs[tensor.name] = TensorSpec(tensor.name, kind, shape)
    return specs
