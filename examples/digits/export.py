"""The trained model as ONNX: grey levels in, label and probabilities out.

The same weights give the same bytes: versions are pinned and nothing of time or place goes in.
"""

import numpy as np
from numpy.typing import NDArray
from onnx import TensorProto, checker, helper, numpy_helper

from .data import CLASSES, GREYEST, PIXELS
from .network import Vector, layers_of

_OPSET = 17
_IR_VERSION = 8


def to_onnx(weights: Vector) -> bytes:
    """A model of `images` float32 [N, 64], 0 to 16, to `label` int64 [N] and `probabilities`
    float32 [N, 10].
    """
    first, first_bias, second, second_bias = layers_of(weights)
    # Training divides the grey levels by 16; a division of the weights by it is exact.
    constants = {
        "hidden.weight": first / GREYEST,
        "hidden.bias": first_bias,
        "output.weight": second,
        "output.bias": second_bias,
    }
    nodes = [
        helper.make_node("Gemm", ["images", "hidden.weight", "hidden.bias"], ["hidden.sum"]),
        helper.make_node("Relu", ["hidden.sum"], ["hidden"]),
        helper.make_node("Gemm", ["hidden", "output.weight", "output.bias"], ["scores"]),
        helper.make_node("Softmax", ["scores"], ["probabilities"], axis=1),
        helper.make_node("ArgMax", ["scores"], ["label"], axis=1, keepdims=0),
    ]
    graph = helper.make_graph(
        nodes,
        "digits",
        [helper.make_tensor_value_info("images", TensorProto.FLOAT, ["N", PIXELS])],
        [
            helper.make_tensor_value_info("label", TensorProto.INT64, ["N"]),
            helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["N", CLASSES]),
        ],
        [numpy_helper.from_array(_single(value), name) for name, value in constants.items()],
    )
    opset = helper.make_operatorsetid("", _OPSET)
    model = helper.make_model(
        graph, producer_name="argosy-digits", opset_imports=[opset], ir_version=_IR_VERSION
    )
    checker.check_model(model, full_check=True)
    return bytes(model.SerializeToString(deterministic=True))


def _single(values: Vector) -> NDArray[np.float32]:
    return np.ascontiguousarray(values, dtype=np.float32)
