"""Tests of what is answered beside resources."""

import pytest

from argosy.apiserver.beside import version
from tests.apiserver.kit import Api


@pytest.mark.parametrize("emulated, lowest", [("1.37", "36"), ("1.30", "29")])
def test_the_version_tells_what_is_emulated(emulated: str, lowest: str) -> None:
    told = version(emulated)
    assert (told["major"], told["minor"], told["gitVersion"]) == ("1", "37", "v1.37.0+argosy")
    assert f"{told['emulationMajor']}.{told['emulationMinor']}" == emulated
    assert (told["minCompatibilityMajor"], told["minCompatibilityMinor"]) == ("1", lowest)


async def test_what_is_named_can_be_read(api: Api) -> None:
    paths = (await api.get("/")).body["paths"]
    assert {"/healthz/ping", "/readyz/shutdown", "/metrics", "/openapi/v2", "/apis/apps"} <= set(
        paths
    )
    assert paths == sorted(paths)
    for path in paths:
        assert (await api.get(path)).status == 200, path


@pytest.mark.parametrize("path", ["/healthz", "/metrics", "/version", "/openapi/v2", "/livez/ping"])
async def test_all_is_for_reading(api: Api, path: str) -> None:
    assert (await api.ask("HEAD", path)).status == 200
    assert (await api.ask("POST", path)).status == 405
