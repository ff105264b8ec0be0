"""Which requests a policy tells of, and what is said of wrong policies."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from argosy.apiserver.audit.policy import LEVELS, PolicyError, parse, read
from argosy.apiserver.authorization.attributes import Attributes
from argosy.apiserver.request import User

Json = dict[str, Any]
ALICE = User("alice", ("devs", "system:authenticated"))


def policy(*rules: Json, **more: object) -> bytes:
    head = {"apiVersion": "audit.k8s.io/v1", "kind": "Policy"}
    return yaml.safe_dump({**head, "rules": list(rules), **more}).encode()


def about(resource: str = "pods", **more: Any) -> Attributes:
    fields = {"verb": "get", "version": "v1", "namespace": "default", "name": "a", **more}
    return Attributes(user=ALICE, resource=resource, **fields)


def path(path: str, verb: str = "get") -> Attributes:
    return Attributes(user=ALICE, verb=verb, path=path)


def of(*resources: str, group: str = "", **more: object) -> Json:
    return {"resources": [{"group": group, "resources": list(resources), **more}]}


POD, LOG, SECRET = about(), about(subresource="log"), about("secrets")
NODE, JOB = about("nodes", namespace=""), about("jobs", group="batch")
HEALTH, METRICS = path("/healthz"), path("/metrics")


@pytest.mark.parametrize(
    ("rule", "fitting", "other"),
    [
        ({}, [POD, LOG, NODE, HEALTH], []),
        ({"users": ["alice"]}, [POD, HEALTH], []),
        ({"users": ["bob"]}, [], [POD, HEALTH]),
        ({"userGroups": ["devs", "ops"]}, [POD], []),
        ({"userGroups": ["ops"]}, [], [POD]),
        ({"verbs": ["get"]}, [POD, HEALTH], [about(verb="list")]),
        ({"namespaces": ["default"]}, [POD, SECRET], [NODE, HEALTH]),
        ({"namespaces": [""]}, [NODE], [POD, HEALTH]),
        (of("pods"), [POD], [LOG, SECRET, HEALTH, about(group="x")]),
        (of("pods/log"), [LOG], [POD]),
        (of("pods/*"), [LOG, about(subresource="status")], [SECRET]),
        (of("*/log"), [LOG], [POD]),
        (of("*"), [POD, LOG, NODE], [JOB]),
        (of(), [POD, LOG, NODE], [JOB, HEALTH]),
        (of(group="*"), [POD, JOB], [HEALTH]),
        (of("jobs", group="batch"), [JOB], [POD]),
        (of("pods", resourceNames=["a"]), [POD], [about(name="b")]),
        ({"nonResourceURLs": ["/healthz"]}, [HEALTH], [METRICS, POD]),
        ({"nonResourceURLs": ["/health*"]}, [HEALTH, path("/healthz/ping")], [METRICS]),
        ({"nonResourceURLs": ["*"]}, [HEALTH, METRICS], [POD]),
        ({"verbs": ["get"], **of("secrets"), "namespaces": ["x"]}, [], [SECRET]),
    ],
)
def test_a_rule_fits_by_all_that_it_names(
    rule: Json, fitting: list[Attributes], other: list[Attributes]
) -> None:
    found = parse(policy({"level": "Request", **rule}))
    for asked in fitting:
        assert LEVELS[found.treatment(asked).level] == "Request", asked
    for asked in other:
        assert LEVELS[found.treatment(asked).level] == "None", asked


def test_the_first_rule_that_fits_decides_with_what_is_left_out() -> None:
    found = parse(
        policy(
            {"level": "None", "users": ["bob"]},
            {
                "level": "Metadata",
                **of("pods"),
                "omitStages": ["Panic"],
                "omitManagedFields": False,
            },
            {"level": "RequestResponse"},
            omitStages=["RequestReceived"],
            omitManagedFields=True,
        )
    )
    pod, node = found.treatment(POD), found.treatment(NODE)
    assert (LEVELS[pod.level], pod.omit_managed_fields) == ("Metadata", False)
    assert pod.omitted == {"RequestReceived", "Panic"}
    assert (LEVELS[node.level], node.omit_managed_fields) == ("RequestResponse", True)
    assert node.omitted == {"RequestReceived"}


@pytest.mark.parametrize(
    "asked",
    [
        about("tokenreviews", group="authentication.k8s.io", verb="create"),
        about("serviceaccounts", subresource="token", verb="create"),
    ],
)
def test_bodies_that_are_tokens_are_never_told(asked: Attributes) -> None:
    for level in ("None", "Metadata"):
        assert LEVELS[parse(policy({"level": level})).treatment(asked).level] == level
    for level in ("Request", "RequestResponse"):
        assert LEVELS[parse(policy({"level": level})).treatment(asked).level] == "Metadata"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"", "unknown group version field /, Kind= in policy"),
        (b"[]", "unknown group version field"),
        (b"kind: [", "failed decoding"),
        (b"apiVersion: audit.k8s.io/v1beta1\nkind: Policy\n", "unknown group version field audit"),
        (policy(), "loaded illegal policy with 0 rules"),
        (policy({}), "rules[0].level: Required value"),
        (
            policy({"level": "All"}),
            'rules[0].level: Unsupported value: "All": supported values: "None", "Metadata", '
            '"Request", "RequestResponse"',
        ),
        (policy({"level": "None", "nope": 1}), "unknown field `nope`"),
        (policy({"level": "None", "verbs": "get"}), "failed decoding"),
        (
            policy({"level": "None", "omitStages": ["Never"]}),
            'rules[0].omitStages[0]: Invalid value: "Never": allowed stages are RequestReceived,'
            "ResponseStarted,ResponseComplete,Panic",
        ),
        (policy({"level": "None"}, omitStages=["x"]), "omitStages[0]: Invalid value"),
        (
            policy({"level": "None", "nonResourceURLs": ["healthz"]}),
            'rules[0].nonResourceURLs[0]: Invalid value: "healthz": non-resource URL rules must '
            "begin with a '/' character",
        ),
        (
            policy({"level": "None", "nonResourceURLs": ["/a*b"]}),
            "non-resource URL wildcards '*' must be the final character of the rule",
        ),
        (
            policy({"level": "None", "nonResourceURLs": ["/a"], **of("pods")}),
            "rules cannot apply to both regular resources and non-resource URLs",
        ),
        (
            policy({"level": "None", **of("jobs", group="batch/v1")}),
            'rules[0].resources.group: Invalid value: "batch/v1"',
        ),
        (
            policy({"level": "None", **of(resourceNames=["a"])}),
            "using resourceNames requires at least one resource",
        ),
        (policy({}, {}), "[rules[0].level: Required value, rules[1].level: Required value]"),
    ],
)
def test_a_wrong_policy_is_refused_in_kubernetes_words(text: bytes, message: str) -> None:
    with pytest.raises(PolicyError) as caught:
        parse(text)
    assert message in str(caught.value)


def test_a_policy_is_read_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "policy.yaml"
    with pytest.raises(PolicyError, match="loading audit policy file: failed to read file path"):
        read(file)
    file.write_bytes(policy())
    with pytest.raises(PolicyError, match=f"with 0 rules: from file {file}"):
        read(file)
    file.write_bytes(policy({"level": "Metadata", "users": None}))
    assert LEVELS[read(file).treatment(POD).level] == "Metadata"
