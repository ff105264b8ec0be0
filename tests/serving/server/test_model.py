"""Only the promised bytes are loaded, and only what the protocol can carry is served."""

import hashlib
from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto, helper

from argosy.serving.server.model import (
    DigestMismatch,
    Model,
    UnusableModel,
    load,
    read_verified,
)
from argosy.serving.server.tensors import ProtocolError


def test_the_promised_bytes_are_read(tmp_path: Path) -> None:
    path = tmp_path / "model"
    path.write_bytes(b"content")
    digest = f"sha256:{hashlib.sha256(b'content').hexdigest()}"
    assert read_verified(path, digest) == b"content"
    path.write_bytes(b"Content")
    with pytest.raises(DigestMismatch, match=f"it must be {digest}"):
        read_verified(path, digest)


def test_a_model_tells_its_inputs_and_outputs(digits: Model) -> None:
    assert [spec.metadata() for spec in digits.inputs.values()] == [
        {"name": "images", "datatype": "FP32", "shape": (-1, 64)}
    ]
    assert [spec.metadata() for spec in digits.outputs.values()] == [
        {"name": "label", "datatype": "INT64", "shape": (-1,)},
        {"name": "probabilities", "datatype": "FP32", "shape": (-1, 10)},
    ]


def test_outputs_come_in_the_asked_order(digits: Model) -> None:
    inputs = {"images": np.zeros((3, 64), np.float32)}
    shapes = [array.shape for array in digits.run(inputs, ["probabilities", "label"])]
    assert shapes == [(3, 10), (3,)]


def test_what_onnx_runtime_refuses_is_the_requests_fault(digits: Model) -> None:
    with pytest.raises(ProtocolError, match="the model refuses these inputs") as caught:
        digits.run({"images": np.zeros((1, 2, 3), np.float32)}, ["label"])
    assert caught.value.status == 400


def test_a_file_that_is_no_model_is_refused() -> None:
    with pytest.raises(UnusableModel, match="loading it"):
        load(b"no model at all", name="x", version="1")


def test_a_type_without_a_form_in_json_is_refused() -> None:
    half = helper.make_tensor_value_info("half", TensorProto.FLOAT16, [1])
    out = helper.make_tensor_value_info("out", TensorProto.FLOAT16, [1])
    graph = helper.make_graph([helper.make_node("Identity", ["half"], ["out"])], "g", [half], [out])
    opset = helper.make_operatorsetid("", 17)
    content = helper.make_model(graph, opset_imports=[opset], ir_version=8).SerializeToString()
    with pytest.raises(UnusableModel, match=r"'half' is tensor\(float16\)"):
        load(content, name="x", version="1")
