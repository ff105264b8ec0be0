"""A tensor is taken exactly as it says it is, or refused with the field's name."""

import json
import math
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from argosy.serving.server.tensors import (
    DATA_TYPES,
    DataType,
    InputTensor,
    ProtocolError,
    TensorSpec,
    decode_input,
    encode_output,
)

BY_NAME = {kind.name: kind for kind in DATA_TYPES}
SHAPES = st.lists(st.integers(0, 3), max_size=3)


def _tensor(datatype: str, shape: list[int], data: str) -> InputTensor:
    text = json.dumps({"name": "x", "datatype": datatype, "shape": shape})
    return msgspec.json.decode(f'{text[:-1]}, "data": {data}}}', type=InputTensor)


def _values(kind: DataType) -> st.SearchStrategy[Any]:
    if kind.name == "FP32":
        return st.floats(width=32, allow_nan=False, allow_infinity=False)
    if kind.json is float:
        return st.floats(allow_nan=False, allow_infinity=False)
    if kind.json is int:
        bounds = np.iinfo(np.dtype(kind.dtype))
        return st.integers(int(bounds.min), int(bounds.max))
    return st.booleans() if kind.json is bool else st.text(max_size=3)


@settings(max_examples=60)
@given(st.data(), st.sampled_from(DATA_TYPES), SHAPES, st.booleans())
def test_what_comes_flat_or_nested_goes_out_the_same(
    data: st.DataObject, kind: DataType, shape: list[int], nested: bool
) -> None:
    values = data.draw(
        st.lists(_values(kind), min_size=math.prod(shape), max_size=math.prod(shape))
    )
    spec = TensorSpec("x", kind, (-1,) * len(shape))
    content = np.array(values, dtype=object).reshape(shape).tolist() if nested else values
    if not shape and nested:
        content = [content]
    array = decode_input(_tensor(kind.name, shape, json.dumps(content)), spec, "inputs[0]")
    assert array.dtype == kind.dtype
    output = msgspec.json.decode(msgspec.json.encode(encode_output(array, spec)))
    assert output == {"name": "x", "datatype": kind.name, "shape": shape, "data": values}


@pytest.mark.parametrize(
    ("datatype", "shape", "data", "message"),
    [
        ("FP64", [1, 2], "[1, 2]", "inputs[0].datatype is FP64, but 'x' is FP32"),
        ("float", [1, 2], "[1, 2]", "inputs[0].datatype is float"),
        ("FP32", [2], "[1, 2]", "inputs[0].shape is [2], but 'x' is [-1, 2]"),
        ("FP32", [1, 3], "[1, 2, 3]", "inputs[0].shape is [1, 3], but"),
        ("FP32", [2, 2], "[1, 2, 3]", "inputs[0].data holds 3 elements, but 'shape' says [2, 2]"),
        ("FP32", [2, 2], "[[1, 2], [3]]", "inputs[0].data is ragged"),
        ("FP32", [2, 2], "[[1, 2]]", "inputs[0].data has shape [1, 2], but 'shape' says [2, 2]"),
        ("FP32", [1, 2], "[[[1, 2]]]", "inputs[0].data is wrong for FP32 in 2 dimensions"),
        ("FP32", [2, 2], "[[1, 2], 3]", "inputs[0].data is wrong for FP32 in 2 dimensions"),
        ("FP32", [1, 2], '[1, "2"]', "Expected `float`, got `str` - at `$[1]`"),
        ("FP32", [1, 2], "[1, null]", "Expected `float`, got `null` - at `$[1]`"),
        ("FP32", [1, 2], "[1, true]", "Expected `float`, got `bool` - at `$[1]`"),
        ("FP32", [1, 2], "[1, 1e39]", "inputs[0].data holds a number that is out of range"),
        ("FP32", [1, 2], "[1, 1e999]", "Number out of range - at `$[1]`"),
        ("FP32", [1, 2], "{}", "inputs[0].data is wrong for FP32"),
        ("FP32", [1, 2], "null", "inputs[0].data is wrong for FP32"),
    ],
)
def test_a_wrong_tensor_is_refused(
    datatype: str, shape: list[int], data: str, message: str
) -> None:
    spec = TensorSpec("x", BY_NAME["FP32"], (-1, 2))
    with pytest.raises(ProtocolError) as caught:
        decode_input(_tensor(datatype, shape, data), spec, "inputs[0]")
    assert message in str(caught.value)
    assert caught.value.status == 400


@pytest.mark.parametrize(
    ("datatype", "data", "message"),
    [
        ("INT8", "[128, 0]", "out of range for INT8"),
        ("UINT64", "[-1, 0]", "out of range for UINT64"),
        ("INT64", "[99999999999999999999, 0]", "out of range for INT64"),
        ("INT64", "[1.5, 0]", "Expected `int`, got `float`"),
        ("BOOL", "[1, 0]", "Expected `bool`, got `int`"),
        ("BYTES", '["a", 0]', "Expected `str`, got `int`"),
        ("BYTES", '[["a"], ["b"]]', "is wrong for BYTES in 1 dimensions"),
    ],
)
def test_a_number_is_never_cast(datatype: str, data: str, message: str) -> None:
    spec = TensorSpec("x", BY_NAME[datatype], (2,))
    with pytest.raises(ProtocolError) as caught:
        decode_input(_tensor(datatype, [2], data), spec, "inputs[0]")
    assert message in str(caught.value)


def test_nested_text_must_not_be_ragged() -> None:
    spec = TensorSpec("x", BY_NAME["BYTES"], (2, -1))
    with pytest.raises(ProtocolError, match=r"inputs\[0\].data has shape \[2\]"):
        decode_input(_tensor("BYTES", [2, 1], '[["a"], ["b", "c"]]'), spec, "inputs[0]")


def test_missing_data_are_named() -> None:
    tensor = InputTensor(name="x", shape=[2], datatype="FP32")
    with pytest.raises(ProtocolError, match=r"inputs\[3\].data is missing"):
        decode_input(tensor, TensorSpec("x", BY_NAME["FP32"], (2,)), "inputs[3]")


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_an_output_without_a_word_in_json_is_an_error(value: float) -> None:
    with pytest.raises(ProtocolError, match="'x' holds a value that JSON has no word for") as e:
        encode_output(np.array([value]), TensorSpec("x", BY_NAME["FP64"], (1,)))
    assert e.value.status == 500
