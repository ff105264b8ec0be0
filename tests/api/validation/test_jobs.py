"""Jobs."""

from typing import Any

import pytest

from argosy.api.defaults.prepare import prepare
from tests.api.kit import defaulted, errors, made, put

TEMPLATE = {"spec": {"restartPolicy": "Never", "containers": [{"name": "main", "image": "python"}]}}


def job(path: str = "", value: Any = None, **spec: Any) -> dict[str, Any]:
    """A job as the server completes it, then changed at a path."""
    obj = defaulted(made("batch/v1", "Job", spec={"template": TEMPLATE, **spec}))
    obj["metadata"]["uid"] = "8ea4ee27-6a9e-4b5f-a0e2-0c1f5d6f6f6a"
    if path:
        obj = put(obj, path, value)
    prepare("Job", "", obj, None)
    return obj


INDEXED: dict[str, Any] = {"completionMode": "Indexed", "completions": 3}
CODES = {"operator": "In", "values": [1, 2]}
RULE = {"action": "FailJob", "onExitCodes": CODES}
RULES = "spec.podFailurePolicy.rules[0]"


@pytest.mark.parametrize(
    "spec",
    [
        {},
        INDEXED,
        {**INDEXED, "backoffLimitPerIndex": 1, "maxFailedIndexes": 3},
        {"podFailurePolicy": {"rules": [RULE]}},
        {**INDEXED, "successPolicy": {"rules": [{"succeededIndexes": "0-1", "succeededCount": 2}]}},
        {"managedBy": "acme.io/foo"},
    ],
)
def test_what_is_taken(spec: dict[str, Any]) -> None:
    obj = job(**spec)
    assert errors(obj) == []
    assert errors(obj, obj) == []


@pytest.mark.parametrize(
    "spec, expected",
    [
        (
            {"parallelism": -1},
            "spec.parallelism: Invalid value: -1: must be greater than or equal to 0",
        ),
        (
            {"completionMode": "Random"},
            'spec.completionMode: Unsupported value: "Random": supported values: "NonIndexed", '
            '"Indexed"',
        ),
        (
            {"completionMode": "Indexed", "parallelism": 1},
            "spec.completions: Required value: when completion mode is Indexed",
        ),
        (
            {"backoffLimitPerIndex": 1},
            "spec.backoffLimitPerIndex: Invalid value: 1: requires indexed completion mode",
        ),
        (
            {**INDEXED, "maxFailedIndexes": 4, "backoffLimitPerIndex": 1},
            "spec.maxFailedIndexes: Invalid value: 4: must be less than or equal to completions",
        ),
        (
            {**INDEXED, "completions": 100_001, "backoffLimitPerIndex": 1},
            "spec.maxFailedIndexes: Required value: must be specified when completions is above "
            "100000",
        ),
        (
            {"managedBy": "foo"},
            'spec.managedBy: Invalid value: "foo": must be a domain-prefixed path (such as '
            '"acme.io/foo")',
        ),
        (
            {"podReplacementPolicy": "Soon"},
            'spec.podReplacementPolicy: Unsupported value: "Soon": supported values: "Failed", '
            '"TerminatingOrFailed"',
        ),
        (
            {"podFailurePolicy": {"rules": [{"action": "Cry", "onExitCodes": CODES}]}},
            f'{RULES}.action: Unsupported value: "Cry": supported values: "Count", "FailIndex", '
            '"FailJob", "Ignore"',
        ),
        (
            {"podFailurePolicy": {"rules": [{"action": "Count"}]}},
            f"{RULES}: Invalid value: specifying one of OnExitCodes and OnPodConditions is "
            "required",
        ),
        (
            {
                "podFailurePolicy": {
                    "rules": [{**RULE, "onExitCodes": {"operator": "In", "values": [2, 0]}}]
                }
            },
            f"{RULES}.onExitCodes.values[1]: Invalid value: 0: must not be 0 for the In operator",
        ),
        (
            {
                "podFailurePolicy": {
                    "rules": [{**RULE, "onExitCodes": {**CODES, "containerName": "x"}}]
                }
            },
            f'{RULES}.onExitCodes.containerName: Invalid value: "x": must be one of the container '
            "or initContainer names in the pod template",
        ),
        (
            {"successPolicy": {"rules": []}},
            'spec.successPolicy: Invalid value: {"rules":[]}: requires indexed completion mode',
        ),
        (
            {**INDEXED, "successPolicy": {"rules": [{"succeededIndexes": "0-9"}]}},
            'spec.successPolicy.rules[0].succeededIndexes: Invalid value: "0-9": error parsing '
            'succeededIndexes: too large index: "9"',
        ),
        (
            {**INDEXED, "successPolicy": {"rules": [{"succeededCount": 4}]}},
            "spec.successPolicy.rules[0].succeededCount: Invalid value: 4: must be less than or "
            "equal to 3 (the number of specified completions)",
        ),
    ],
)
def test_what_is_refused(spec: dict[str, Any], expected: str) -> None:
    assert expected in errors(job(**spec))


@pytest.mark.parametrize(
    "policy, expected",
    [
        ("Always", 'Required value: valid values: "OnFailure", "Never"'),
        ("Often", 'Unsupported value: "Often": supported values: "OnFailure", "Never"'),
    ],
)
def test_pods_of_jobs_end(policy: str, expected: str) -> None:
    found = errors(job("spec.template.spec.restartPolicy", policy))
    assert f"spec.template.spec.restartPolicy: {expected}" in found


def test_the_selector_is_the_servers_own() -> None:
    other = put(job(), "spec.selector.matchLabels", {"job-name": "some", "color": "red"})
    other = put(other, "spec.template.metadata.labels.color", "red")
    assert errors(other) == [
        'spec.selector: Invalid value: {"matchLabels":{"job-name":"some","color":"red"}}: '
        "`selector` not auto-generated"
    ]
    own = made("batch/v1", "Job", spec={"template": TEMPLATE, "manualSelector": True})
    assert errors(own) == ["spec.selector: Required value"]


@pytest.mark.parametrize(
    "path, value, expected",
    [
        ("spec.parallelism", 5, None),
        ("spec.suspend", True, None),
        ("spec.completions", 5, "spec.completions: Invalid value: 5: field is immutable"),
        (
            "spec.completionMode",
            "Indexed",
            'spec.completionMode: Invalid value: "Indexed": field is immutable',
        ),
        ("spec.template.spec.containers.0.image", "x", "spec.template: Invalid value: "),
    ],
)
def test_changes(path: str, value: Any, expected: str | None) -> None:
    old = job()
    found = errors(put(old, path, value), old)
    assert found == [] if expected is None else found[0].startswith(expected)


def test_a_job_at_rest_may_be_given_another_place() -> None:
    old = job("spec.suspend", True)
    moved = put(old, "spec.template.spec.nodeSelector", {"zone": "a"})
    assert errors(moved, old) == []
    assert errors(put(old, "spec.template.spec.containers.0.image", "x"), old) != []
    busy = put(old, "status", {"active": 1})
    assert errors(put(busy, "spec.template.spec.nodeSelector", {"zone": "a"}), busy) != []


def test_an_indexed_job_grows_with_its_parallelism() -> None:
    old = job(**INDEXED, parallelism=3)
    grown = put(put(old, "spec.completions", 5), "spec.parallelism", 5)
    assert errors(grown, old) == []
    assert errors(put(old, "spec.completions", 5), old) == [
        "spec.completions: Invalid value: 5: can only be modified in tandem with spec.parallelism"
    ]


def test_pods_of_an_indexed_job_have_hostnames() -> None:
    obj = job(**INDEXED)
    obj["metadata"]["name"] = "a" * 62
    labels = obj["spec"]["template"]["metadata"]["labels"]
    labels["job-name"] = labels["batch.kubernetes.io/job-name"] = "a" * 62
    assert errors(obj) == [
        f'metadata.name: Invalid value: "{"a" * 62}": will not able to create pod with invalid '
        f"DNS label: {'a' * 62}-2"
    ]
