"""The Open Inference Protocol as clients meet it: answers, errors, and a good model's score."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import msgspec
import pytest

from argosy.http.message import Request, Response
from argosy.serving.server.app import App
from argosy.serving.server.model import Model
from examples.digits.data import load_split

DEADLINE = 10.0
IMAGES = {"name": "images", "datatype": "FP32", "shape": [1, 64], "data": [0] * 64}


@pytest.fixture(scope="module")
def workers() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(1) as pool:
        yield pool


@pytest.fixture
def app(digits: Model, workers: ThreadPoolExecutor) -> App:
    return App(digits, workers)


def _content(response: Response) -> Any:
    assert isinstance(response.body, bytes)
    assert response.headers["content-type"] == "application/json"
    return msgspec.json.decode(response.body)


async def _infer(app: App, request: Any, path: str = "/v2/models/digits/infer") -> tuple[int, Any]:
    body = request if isinstance(request, bytes) else msgspec.json.encode(request)
    response = await app(Request("POST", path, body=body))
    return response.status, _content(response)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/v2", {"name": "argosy", "extensions": []}),
        ("/v2/", {"name": "argosy"}),
        ("/v2/health/live", {"live": True}),
        ("/v2/health/ready", {"ready": True}),
        ("/v2/models/digits", {"name": "digits", "versions": ["1"], "platform": "onnx_onnxv1"}),
        ("/v2/models/digits/versions/1", {"name": "digits"}),
        ("/v2/models/digits/ready", {"name": "digits", "ready": True}),
        ("/v2/models/digits/versions/1/ready", {"name": "digits", "ready": True}),
        ("/v2/models/%64igits", {"name": "digits"}),
    ],
)
async def test_health_and_metadata(app: App, path: str, expected: dict[str, Any]) -> None:
    response = await app(Request("GET", path))
    assert response.status == 200
    assert _content(response).items() >= expected.items()


async def test_metadata_describe_the_tensors(app: App) -> None:
    content = _content(await app(Request("GET", "/v2/models/digits")))
    assert content["inputs"] == [{"name": "images", "datatype": "FP32", "shape": [-1, 64]}]
    assert [output["name"] for output in content["outputs"]] == ["label", "probabilities"]


@pytest.mark.parametrize(
    ("method", "path", "status", "message"),
    [
        ("GET", "/", 404, "nothing is served at /"),
        ("GET", "/v1/models/digits", 404, "nothing is served at"),
        ("GET", "/v2/health", 404, "nothing is served at"),
        ("GET", "/v2/models/digits/load", 404, "nothing is served at"),
        ("GET", "/v2/models/cats", 404, "model 'cats' is not served here, only 'digits' is"),
        ("GET", "/v2/models/digits/versions/2", 404, "version '2' of model 'digits'"),
        ("POST", "/v2/models/cats/infer", 404, "model 'cats' is not served here"),
        ("GET", "/v2/models/digits/infer", 405, "takes POST only, not GET"),
        ("POST", "/v2/health/live", 405, "takes GET only, not POST"),
        ("PUT", "/v2/models/digits", 405, "takes GET only, not PUT"),
    ],
)
async def test_wrong_paths_and_methods(
    app: App, method: str, path: str, status: int, message: str
) -> None:
    response = await app(Request(method, path))
    assert response.status == status
    assert message in _content(response)["error"]
    assert ("allow" in response.headers) == (status == 405)


async def test_the_trained_model_scores_on_what_it_never_saw(app: App) -> None:
    held_out = load_split().held_out
    tensor = {**IMAGES, "shape": held_out.images.shape, "data": held_out.images.ravel().tolist()}
    status, content = await _infer(app, {"id": "7", "inputs": [tensor]})
    assert status == 200
    assert (content["model_name"], content["model_version"], content["id"]) == ("digits", "1", "7")
    label, probabilities = content["outputs"]
    assert (label["datatype"], label["shape"]) == ("INT64", [359])
    assert (probabilities["datatype"], probabilities["shape"]) == ("FP32", [359, 10])
    hits = sum(guess == right for guess, right in zip(label["data"], held_out.labels, strict=True))
    assert hits / len(held_out) >= 0.95


@pytest.mark.parametrize(
    ("fields", "names"),
    [
        ({}, ["label", "probabilities"]),
        ({"outputs": []}, ["label", "probabilities"]),
        ({"outputs": [{"name": "probabilities"}]}, ["probabilities"]),
        ({"outputs": [{"name": "probabilities"}, {"name": "label"}]}, ["probabilities", "label"]),
        ({"outputs": [{"name": "label"}, {"name": "label"}]}, ["label"]),
        ({"parameters": {"anything": "else", "binary_data_output": False}}, None),
        ({"outputs": [{"name": "label", "parameters": {"binary_data": False}}]}, ["label"]),
    ],
)
async def test_outputs_are_those_that_were_asked_for(
    app: App, fields: dict[str, Any], names: list[str] | None
) -> None:
    path = "/v2/models/digits/versions/1/infer"
    status, content = await _infer(app, {"inputs": [IMAGES], **fields}, path)
    assert status == 200
    assert "id" not in content
    found = [output["name"] for output in content["outputs"]]
    assert found == (names or ["label", "probabilities"])


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        (b"", "the body is no inference request"),
        (b"{", "the body is no inference request"),
        (b'{"inputs": [NaN]}', "the body is no inference request"),
        (b"\xff", "the body is no inference request"),
        ([], "the body is no inference request: Expected `object`, got `array`"),
        ({}, "missing required field `inputs`"),
        ({"inputs": [{"name": "images"}]}, "missing required field `shape` - at `$.inputs[0]`"),
        ({"inputs": [{**IMAGES, "shape": [-1, 64]}]}, "`$.inputs[0].shape[0]`"),
        ({"inputs": [IMAGES], "parameters": 3}, "at `$.parameters`"),
        ({"inputs": []}, "inputs: 'images' missing"),
        ({"inputs": [IMAGES, IMAGES]}, "inputs[1].name: 'images' is there twice"),
        ({"inputs": [{**IMAGES, "name": "x"}]}, "inputs[0].name: 'x' is unknown; known are images"),
        ({"inputs": [IMAGES], "outputs": [{"name": "y"}]}, "outputs[0].name: 'y' is unknown"),
        ({"inputs": [{**IMAGES, "shape": [64]}]}, "inputs[0].shape is [64]"),
        ({"inputs": [{**IMAGES, "data": [0, "1"]}]}, "inputs[0].data is wrong for FP32"),
        (
            {"inputs": [{**IMAGES, "parameters": {"binary_data_size": 256}}]},
            "inputs[0].parameters.binary_data_size: the extension 'binary_tensor_data'",
        ),
        (
            {"inputs": [IMAGES], "parameters": {"binary_data_output": True}},
            "parameters.binary_data_output: the extension 'binary_tensor_data'",
        ),
        (
            {
                "inputs": [IMAGES],
                "outputs": [{"name": "label", "parameters": {"classification": 3}}],
            },
            "outputs[0].parameters.classification: the extension 'classification'",
        ),
    ],
)
async def test_a_wrong_request_is_refused_with_the_field(
    app: App, request_: Any, message: str
) -> None:
    status, content = await _infer(app, request_)
    assert status == 400
    assert message in content["error"]


async def test_a_binary_body_is_refused_by_name(app: App) -> None:
    headers = {"inference-header-content-length": "10"}
    response = await app(Request("POST", "/v2/models/digits/infer", headers=headers, body=b"{}"))
    assert response.status == 400
    assert "binary_tensor_data" in _content(response)["error"]


async def test_every_data_type_passes(echo: Model, workers: ThreadPoolExecutor) -> None:
    inputs = [
        {"name": "fp32", "datatype": "FP32", "shape": [1, 2], "data": [[0.1, 2]]},
        {"name": "int8", "datatype": "INT8", "shape": [2], "data": [-128, 127]},
        {"name": "flag", "datatype": "BOOL", "shape": [], "data": [True]},
        {"name": "text", "datatype": "BYTES", "shape": [1, 2], "data": ["é", ""]},
    ]
    app = App(echo, workers)
    path = "/v2/models/echo/versions/v2/infer"
    wanted = [{"name": f"{tensor['name']}.out"} for tensor in inputs]
    status, content = await _infer(app, {"inputs": inputs, "outputs": wanted}, path)
    assert status == 200
    data = [output["data"] for output in content["outputs"]]
    assert data == [[pytest.approx(0.1), 2], [-128, 127], [True], ["é", ""]]
    inputs[0]["data"] = [0, 1]
    status, content = await _infer(app, {"inputs": inputs, "outputs": [{"name": "log"}]}, path)
    assert (status, "'log' holds a value" in content["error"]) == (500, True)


async def test_health_answers_while_inference_is_at_work(digits: Model) -> None:
    release = threading.Event()
    with ThreadPoolExecutor(1) as busy:
        occupied = busy.submit(release.wait, DEADLINE)
        response = await App(digits, busy)(Request("GET", "/v2/health/ready"))
        assert not occupied.done()
        release.set()
    assert response.status == 200
