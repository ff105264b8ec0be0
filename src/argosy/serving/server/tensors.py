"""Tensors of the Open Inference Protocol: JSON on one side, NumPy arrays on the other.

A tensor comes flat or nested, in row-major order, and must be exactly what it says that it is:
nothing is cast, padded or guessed, because a wrong input that gives an answer is the worst answer.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import msgspec
import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


class ProtocolError(Exception):
    """An answer other than success: a status of HTTP and a text for `{"error": …}`."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


@dataclass(frozen=True, slots=True)
class DataType:
    """One data type: its name in the protocol, in ONNX Runtime, in NumPy, and in JSON."""

    name: str
    onnx: str
    dtype: type[np.generic]
    json: type


DATA_TYPES = (
    DataType("BOOL", "tensor(bool)", np.bool_, bool),
    DataType("UINT8", "tensor(uint8)", np.uint8, int),
    DataType("UINT16", "tensor(uint16)", np.uint16, int),
    DataType("UINT32", "tensor(uint32)", np.uint32, int),
    DataType("UINT64", "tensor(uint64)", np.uint64, int),
    DataType("INT8", "tensor(int8)", np.int8, int),
    DataType("INT16", "tensor(int16)", np.int16, int),
    DataType("INT32", "tensor(int32)", np.int32, int),
    DataType("INT64", "tensor(int64)", np.int64, int),
    DataType("FP32", "tensor(float)", np.float32, float),
    DataType("FP64", "tensor(double)", np.float64, float),
    DataType("BYTES", "tensor(string)", np.object_, str),
)
BY_ONNX = {kind.onnx: kind for kind in DATA_TYPES}


@dataclass(frozen=True, slots=True)
class TensorSpec:
    """What a model declares of an input or output; a dimension of -1 is free."""

    name: str
    kind: DataType
    shape: tuple[int, ...]

    def metadata(self) -> dict[str, Any]:
        """This as the protocol's metadata tells it."""
        return {"name": self.name, "datatype": self.kind.name, "shape": self.shape}


class InputTensor(msgspec.Struct, frozen=True):
    """An input of a request. Its data stay undecoded until the data type is known."""

    name: str
    shape: list[Annotated[int, msgspec.Meta(ge=0)]]
    datatype: str
    data: msgspec.Raw = msgspec.Raw()
    parameters: dict[str, Any] = {}


def decode_input(tensor: InputTensor, spec: TensorSpec, field: str) -> Array:
    """The array that `tensor` holds, as `spec` wants it. Raises ProtocolError, naming `field`."""
    if tensor.datatype != spec.kind.name:
        raise _wrong(
            f"{field}.datatype", f"is {tensor.datatype}, but {spec.name!r} is {spec.kind.name}"
        )
    if not _fits(tensor.shape, spec.shape):
        raise _wrong(
            f"{field}.shape", f"is {tensor.shape}, but {spec.name!r} is {list(spec.shape)}"
        )
    array = _array(tensor, spec.kind, f"{field}.data")
    if spec.kind.json is float and not np.isfinite(array).all():
        raise _out_of_range(spec.kind, f"{field}.data")
    return array


def _fits(shape: Sequence[int], wanted: Sequence[int]) -> bool:
    return len(shape) == len(wanted) and all(
        want in (-1, size) for size, want in zip(shape, wanted, strict=True)
    )


def _array(tensor: InputTensor, kind: DataType, field: str) -> Array:
    text = bytes(tensor.data).strip()
    if not text:
        raise _wrong(field, "is missing")
    nested = text[1:].lstrip().startswith(b"[")
    values = _decode(text, kind, len(tensor.shape) if nested else 1, field)
    try:
        # An overflow to infinity is told of by the caller, in words.
        with np.errstate(over="ignore"):
            array = np.array(values, dtype=kind.dtype)
    except OverflowError:
        raise _out_of_range(kind, field) from None
    except ValueError:
        raise _wrong(field, "is ragged") from None
    # Nothing can be nested in an empty list: below one, the shape alone says how it goes on.
    said = tensor.shape if array.size else tensor.shape[: array.ndim]
    if nested and list(array.shape) != said:
        raise _wrong(field, f"has shape {list(array.shape)}, but 'shape' says {tensor.shape}")
    if array.size != math.prod(tensor.shape):
        raise _wrong(field, f"holds {array.size} elements, but 'shape' says {tensor.shape}")
    return array.reshape(tensor.shape)


def _decode(text: bytes, kind: DataType, depth: int, field: str) -> Any:
    """The values as lists in `depth` levels, each value of the right JSON type."""
    wanted: Any = kind.json
    for _ in range(depth):
        wanted = list[wanted]
    try:
        return msgspec.json.decode(text, type=wanted)
    except msgspec.ValidationError as error:
        raise _wrong(field, f"is wrong for {kind.name} in {depth} dimensions: {error}") from None


def encode_output(array: Array, spec: TensorSpec) -> dict[str, Any]:
    """`array` as an output of a response, its data flat."""
    if spec.kind.json is float and not np.isfinite(array).all():
        raise ProtocolError(
            500, f"output {spec.name!r} holds a value that JSON has no word for (NaN or infinite)"
        )
    return {
        "name": spec.name,
        "datatype": spec.kind.name,
        "shape": array.shape,
        "data": array.ravel().tolist(),
    }


def _wrong(field: str, text: str) -> ProtocolError:
    return ProtocolError(400, f"{field} {text}")


def _out_of_range(kind: DataType, field: str) -> ProtocolError:
    return _wrong(field, f"holds a number that is out of range for {kind.name}")
