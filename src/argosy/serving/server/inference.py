"""One inference request: read, checked, run, answered. Runs in a worker thread, knows no HTTP.

Parameters that name an extension of the protocol would change what an answer means, so they are
refused by that name; any other parameter is the model's own business, and ONNX models have none.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from .model import Model
from .tensors import Array, InputTensor, ProtocolError, decode_input, encode_output

# What a parameter asks for, by the extension that it belongs to.
EXTENSIONS = {
    "binary_data": "binary_tensor_data",
    "binary_data_output": "binary_tensor_data",
    "binary_data_size": "binary_tensor_data",
    "classification": "classification",
    "sequence_id": "sequence",
    "sequence_start": "sequence",
    "sequence_end": "sequence",
    "shared_memory_region": "shared_memory",
    "shared_memory_offset": "shared_memory",
    "shared_memory_byte_size": "shared_memory",
}


class RequestedOutput(msgspec.Struct, frozen=True):
    """An output that a request asks for."""

    name: str
    parameters: dict[str, Any] = {}


class InferenceRequest(msgspec.Struct, frozen=True):
    """The body of a request. An empty list of outputs asks for all of them."""

    inputs: list[InputTensor]
    id: str | None = None
    parameters: dict[str, Any] = {}
    outputs: list[RequestedOutput] = []


def infer(model: Model, body: bytes) -> bytes:
    """The answer to the request in `body`. Raises ProtocolError."""
    request = _decode(body)
    _check_parameters(request)
    inputs = _inputs(model, request.inputs)
    names = _output_names(model, request.outputs)
    arrays = model.run(inputs, names)
    answer: dict[str, Any] = {"model_name": model.name, "model_version": model.version}
    if request.id is not None:
        answer["id"] = request.id
    answer["outputs"] = [
        encode_output(array, model.outputs[name]) for name, array in zip(names, arrays, strict=True)
    ]
    return msgspec.json.encode(answer)


def _decode(body: bytes) -> InferenceRequest:
    try:
        return msgspec.json.decode(body, type=InferenceRequest)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ProtocolError(400, f"the body is no inference request: {error}") from None


def _check_parameters(request: InferenceRequest) -> None:
    _refuse_extensions(request.parameters, "parameters")
    for i, tensor in enumerate(request.inputs):
        _refuse_extensions(tensor.parameters, f"inputs[{i}].parameters")
    for i, output in enumerate(request.outputs):
        _refuse_extensions(output.parameters, f"outputs[{i}].parameters")


def _refuse_extensions(parameters: Mapping[str, Any], field: str) -> None:
    for name, value in parameters.items():
        # `false` and 0 are how a client says that it does without.
        if name in EXTENSIONS and value:
            raise ProtocolError(
                400, f"{field}.{name}: the extension {EXTENSIONS[name]!r} is not supported"
            )


def _inputs(model: Model, tensors: Sequence[InputTensor]) -> dict[str, Array]:
    found: dict[str, Array] = {}
    for i, tensor in enumerate(tensors):
        spec = model.inputs.get(tensor.name)
        if spec is None:
            raise _unknown(f"inputs[{i}].name", tensor.name, model.inputs)
        if tensor.name in found:
            raise ProtocolError(400, f"inputs[{i}].name: {tensor.name!r} is there twice")
        found[tensor.name] = decode_input(tensor, spec, f"inputs[{i}]")
    missing = [name for name in model.inputs if name not in found]
    if missing:
        raise ProtocolError(400, f"inputs: {', '.join(map(repr, missing))} missing")
    return found


def _output_names(model: Model, outputs: Sequence[RequestedOutput]) -> list[str]:
    for i, output in enumerate(outputs):
        if output.name not in model.outputs:
            raise _unknown(f"outputs[{i}].name", output.name, model.outputs)
    # Asked for twice is answered once.
    return list(dict.fromkeys(output.name for output in outputs)) or list(model.outputs)


def _unknown(field: str, name: str, known: Mapping[str, Any]) -> ProtocolError:
    return ProtocolError(400, f"{field}: {name!r} is unknown; known are {', '.join(known)}")
