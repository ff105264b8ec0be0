"""Models to serve: the digits example, really trained, and one of every data type."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from onnx import TensorProto, helper

from argosy.serving.server.model import Model, load

EXAMPLES = Path(__file__).parents[3] / "examples"


@pytest.fixture(scope="session")
def digits_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("digits") / "model.onnx"
    subprocess.run(
        [sys.executable, "-m", "digits.train", "--output", str(path)],
        env={**os.environ, "PYTHONPATH": str(EXAMPLES)},
        stdout=subprocess.DEVNULL,
        check=True,
    )
    return path


@pytest.fixture(scope="session")
def digits(digits_path: Path) -> Model:
    return load(digits_path.read_bytes(), name="digits", version="1")


@pytest.fixture(scope="session")
def echo_bytes() -> bytes:
    """Gives each input back (`fp32`, `int8`, `flag`, `text`), and the logarithm of `fp32`."""
    kinds: dict[str, tuple[int, list[str | int]]] = {
        "fp32": (TensorProto.FLOAT, ["N", 2]),
        "int8": (TensorProto.INT8, ["M"]),
        "flag": (TensorProto.BOOL, []),
        "text": (TensorProto.STRING, ["K", 2]),
    }
    inputs = [helper.make_tensor_value_info(name, *kind) for name, kind in kinds.items()]
    outputs = [helper.make_tensor_value_info(f"{name}.out", *kind) for name, kind in kinds.items()]
    outputs.append(helper.make_tensor_value_info("log", TensorProto.FLOAT, ["N", 2]))
    nodes = [helper.make_node("Identity", [name], [f"{name}.out"]) for name in kinds]
    nodes.append(helper.make_node("Log", ["fp32"], ["log"]))
    graph = helper.make_graph(nodes, "echo", inputs, outputs)
    opset = helper.make_operatorsetid("", 17)
    return bytes(helper.make_model(graph, opset_imports=[opset], ir_version=8).SerializeToString())


@pytest.fixture(scope="session")
def echo(echo_bytes: bytes) -> Model:
    return load(echo_bytes, name="echo", version="v2")
