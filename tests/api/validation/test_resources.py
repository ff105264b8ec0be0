"""What containers ask for."""

from typing import Any

import pytest

from tests.api.kit import errors, made, put

R = "spec.containers[0].resources"
POD = made("v1", "Pod", spec={"containers": [{"name": "main", "image": "python"}]})
GPU = "example.com/gpu"


@pytest.mark.parametrize(
    "resources",
    [
        {"requests": {"cpu": "1", "memory": "1Gi"}, "limits": {"cpu": 2}},
        {"limits": {GPU: 1, "ephemeral-storage": "1Gi"}},
        {"limits": {"hugepages-2Mi": "4Mi", "cpu": "1"}},
    ],
)
def test_what_is_taken(resources: dict[str, Any]) -> None:
    assert errors(put(POD, "spec.containers.0.resources", resources)) == []


@pytest.mark.parametrize(
    "resources, expected",
    [
        (
            {"requests": {"cpu": "2"}, "limits": {"cpu": "1"}},
            f'{R}.requests: Invalid value: "2": must be less than or equal to cpu limit of 1',
        ),
        (
            {"limits": {"cpu": "-1"}, "requests": {"cpu": "-2"}},
            f'{R}.limits[cpu]: Invalid value: "-1": must be greater than or equal to 0',
        ),
        (
            {"requests": {GPU: 1}, "limits": {GPU: 2}},
            f'{R}.requests: Invalid value: "1": must be equal to {GPU} limit of 2',
        ),
        (
            {"requests": {GPU: 1}},
            f"{R}.limits: Required value: Limit must be set for non overcommitable resources",
        ),
        (
            {"limits": {GPU: "500m"}},
            f'{R}.limits[{GPU}]: Invalid value: "500m": must be an integer',
        ),
        (
            {"limits": {"gpu": 1}},
            f'{R}.limits[gpu]: Invalid value: "gpu": must be a standard resource type or fully '
            "qualified",
        ),
        (
            {"limits": {"requests.example.com/gpu": 1}},
            f'{R}.limits[requests.example.com/gpu]: Invalid value: "requests.example.com/gpu": '
            "doesn't follow extended resource name standard",
        ),
        (
            {"limits": {"hugepages-2Mi": "4Mi"}},
            f"{R}: Forbidden: HugePages require cpu or memory",
        ),
        (
            {"limits": {"hugepages-2Mi": "3Mi", "cpu": 1}},
            f'{R}.limits[hugepages-2Mi]: Invalid value: "3Mi": 3Mi is not positive integer '
            "multiple of hugepages-2Mi",
        ),
        (
            {"claims": [{"name": "gpu"}]},
            f'{R}.claims[0]: Not found: "gpu": must be one of the names in '
            "pod.spec.resourceClaims which is empty",
        ),
    ],
)
def test_what_is_refused(resources: dict[str, Any], expected: str) -> None:
    assert expected in errors(put(POD, "spec.containers.0.resources", resources))


@pytest.mark.parametrize(
    "claims, expected",
    [
        ([{"name": "a"}, {"name": "b", "request": "x"}, {"name": "b", "request": "y"}], []),
        ([{"name": "a"}, {"name": "a"}], [f'{R}.claims[1]: Duplicate value: "a"']),
        (
            [{"name": "b", "request": "x"}, {"name": "b"}],
            [f'{R}.claims[1]: Duplicate value: "b"'],
        ),
        (
            [{"name": "c"}],
            [
                f'{R}.claims[0]: Not found: "c": must be one of the names in '
                "pod.spec.resourceClaims: a, b"
            ],
        ),
    ],
)
def test_claims_are_those_of_the_pod(claims: list[Any], expected: list[str]) -> None:
    known = [{"name": name, "resourceClaimName": name} for name in ("a", "b")]
    pod = put(POD, "spec.resourceClaims", known)
    assert errors(put(pod, "spec.containers.0.resources", {"claims": claims})) == expected
