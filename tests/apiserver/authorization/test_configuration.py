"""An AuthorizationConfiguration: what of it is taken, and in which words the rest is refused."""

import json
from pathlib import Path
from typing import Any

import pytest

from argosy.apiserver.authorization.configuration import load, of_modes
from argosy.apiserver.configfile import ConfigurationError
from tests.apiserver.hookkit import authorizers, rules

Json = dict[str, Any]
NODE = {"type": "Node", "name": "node"}


def written(folder: Path, told: Json) -> Path:
    (folder / "hook.yaml").write_text("")
    file = folder / "authorization.yaml"
    file.write_text(json.dumps(told))
    return file


def told(folder: Path, **more: Any) -> Json:
    return authorizers(("hook", rules(folder / "hook.yaml", **more)))


def test_the_documented_form_is_read(tmp_path: Path) -> None:
    found = load(written(tmp_path, told(tmp_path, authorizedTTL="1h30m")))
    assert [(one.type, one.name) for one in found.authorizers] == [
        ("Webhook", "hook"),
        ("Node", "node"),
        ("RBAC", "rbac"),
    ]
    webhook = found.authorizers[0].webhook
    assert webhook is not None
    assert (webhook.allowed_for, webhook.refused_for) == (5400.0, 30.0)
    assert found.types == {"Node", "RBAC"}


def test_times_have_defaults_and_can_be_off(tmp_path: Path) -> None:
    changed = {"authorizedTTL": "0s", "unauthorizedTTL": "", "cacheUnauthorizedRequests": False}
    webhook = load(written(tmp_path, told(tmp_path, **changed))).authorizers[0].webhook
    assert webhook is not None
    assert (webhook.allowed_for, webhook.refused_for) == (300.0, 0.0)


MATCHED = {"matchConditionSubjectAccessReviewVersion": "v1"}


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"timeout": ""}, "authorizers[0].timeout: Required value"),
        (
            {"timeout": "31s"},
            'authorizers[0].timeout: Invalid value: "31s": must be > 0s and <= 30s',
        ),
        (
            {"timeout": "-1s"},
            'authorizers[0].timeout: Invalid value: "-1s": must be > 0s and <= 30s',
        ),
        ({"timeout": "soon"}, 'time: invalid duration "soon"'),
        (
            {"authorizedTTL": "-1s"},
            'authorizers[0].authorizedTTL: Invalid value: "-1s": must be > 0s',
        ),
        (
            {"unauthorizedTTL": "-1s"},
            'authorizers[0].unauthorizedTTL: Invalid value: "-1s": must be > 0s',
        ),
        (
            {"subjectAccessReviewVersion": ""},
            "authorizers[0].subjectAccessReviewVersion: Required value",
        ),
        (
            {"subjectAccessReviewVersion": "v2"},
            'authorizers[0].subjectAccessReviewVersion: Unsupported value: "v2": '
            'supported values: "v1", "v1beta1"',
        ),
        (
            {"matchConditions": [{"expression": "true"}]},
            "authorizers[0].matchConditionSubjectAccessReviewVersion: Required value: "
            "required if match conditions are specified",
        ),
        (
            {"matchConditionSubjectAccessReviewVersion": "v1beta1"},
            'Unsupported value: "v1beta1": supported values: "v1"',
        ),
        ({"failurePolicy": ""}, "authorizers[0].failurePolicy: Required value"),
        (
            {"failurePolicy": "Allow"},
            'authorizers[0].failurePolicy: Unsupported value: "Allow": '
            'supported values: "NoOpinion", "Deny"',
        ),
        ({"connectionInfo": {}}, "authorizers[0].connectionInfo.type: Required value"),
        (
            {"connectionInfo": {"type": "InClusterConfig"}},
            'authorizers[0].connectionInfo.type: Invalid value: "InClusterConfig": '
            "is not allowed for an API server",
        ),
        (
            {"connectionInfo": {"type": "Telepathy"}},
            'Unsupported value: "Telepathy": supported values: "InClusterConfig", "KubeConfigFile"',
        ),
        (
            {"connectionInfo": {"type": "KubeConfigFile"}},
            "authorizers[0].connectionInfo.kubeConfigFile: Required value",
        ),
        (
            {"connectionInfo": {"type": "KubeConfigFile", "kubeConfigFile": "a"}},
            'kubeConfigFile: Invalid value: "a": must be an absolute path',
        ),
        (
            {"connectionInfo": {"type": "KubeConfigFile", "kubeConfigFile": "/nowhere/a"}},
            "error loading file: stat /nowhere/a: no such file or directory",
        ),
        (
            {"connectionInfo": {"type": "KubeConfigFile", "kubeConfigFile": "/"}},
            'Invalid value: "/": must be a regular file',
        ),
        (
            {"matchConditions": [{"expression": " "}], **MATCHED},
            "authorizers[0].matchConditions[0].expression: Required value",
        ),
        (
            {"matchConditions": [{"expression": "true"}] * 2, **MATCHED},
            'authorizers[0].matchConditions[1].expression: Duplicate value: "true"',
        ),
        (
            {"matchConditions": [{"expression": str(i)} for i in range(65)], **MATCHED},
            "authorizers[0].matchConditions: Too many: 65: must have at most 64 items",
        ),
        (
            {"matchConditions": [{"expression": "request.user"}], **MATCHED},
            'Invalid value: "request.user": must evaluate to bool but got string',
        ),
        (
            {"matchConditions": [{"expression": "request.color == 'red'"}], **MATCHED},
            "compilation failed: ERROR: <input>:1:8: undefined field 'color'",
        ),
        (
            {"matchConditions": [{"expression": "object.a"}], **MATCHED},
            "compilation failed: ERROR: <input>:1:1: undeclared reference to 'object'",
        ),
        ({"color": "red"}, "unknown field `color`"),
        ({"authorizedTTL": 5}, "Expected `str`, got `int`"),
    ],
)
def test_what_a_webhook_can_not_be(tmp_path: Path, changed: Json, words: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        load(written(tmp_path, told(tmp_path, **changed)))
    assert words in str(refused.value)


@pytest.mark.parametrize(
    ("listed", "words"),
    [
        ([], "authorizers: Required value: at least one authorization mode must be defined"),
        ([{}], "authorizers[0].type: Required value"),
        (
            [{"type": "ABAC", "name": "abac"}],
            'authorizers[0].type: Unsupported value: "ABAC": supported values: "AlwaysAllow", '
            '"AlwaysDeny", "Node", "RBAC", "Webhook"',
        ),
        ([NODE, NODE], 'authorizers[1].type: Duplicate value: "Node"'),
        ([{"type": "Node"}], "authorizers[0].name: Required value"),
        ([NODE, {"type": "RBAC", "name": "node"}], 'authorizers[1].name: Duplicate value: "node"'),
        ([{"type": "Node", "name": "A_"}], "authorizer name is invalid: "),
        ([{"type": "Node", "name": "mine"}], "expected name node for authorizer Node instead of"),
        ([{"type": "Webhook", "name": "a"}], "authorizers[0].webhook: Required value: required "),
        (
            [{**NODE, "webhook": {}}],
            'authorizers[0].webhook: Invalid value: "non-null": may only be specified when '
            "type=Webhook",
        ),
    ],
)
def test_what_the_list_can_not_be(tmp_path: Path, listed: list[Json], words: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        load(written(tmp_path, {**told(tmp_path), "authorizers": listed}))
    assert words in str(refused.value)


def test_a_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="it holds a Pod of v1, not a Authorization"):
        load(written(tmp_path, {"apiVersion": "v1", "kind": "Pod", "spec": {}}))
    with pytest.raises(ConfigurationError, match="No such file"):
        load(tmp_path / "nowhere")


def test_the_older_flags_say_the_same(tmp_path: Path) -> None:
    file = tmp_path / "hook.yaml"
    file.write_text("")
    found = of_modes(("Node", "Webhook"), file, authorized_ttl="0s")
    assert [(one.type, one.name) for one in found.authorizers] == [
        ("Node", "node"),
        ("Webhook", "default"),
    ]
    webhook = found.authorizers[1].webhook
    assert webhook is not None
    assert (webhook.failure_policy, webhook.timeout) == ("NoOpinion", "30s")
    assert (webhook.allowed_for, webhook.refused_for) == (0.0, 30.0)


@pytest.mark.parametrize(
    ("modes", "webhook", "words"),
    [
        ((), None, "at least one authorization-mode must be passed"),
        (("Trust",), None, 'authorization-mode "Trust" is not a valid mode'),
        (
            ("Node", "Node"),
            None,
            'authorization-mode ["Node" "Node"] has mode specified more than once',
        ),
        (
            ("Webhook",),
            None,
            "authorization-mode Webhook's authorization config file not passed",
        ),
        (
            ("Node",),
            Path("/hook"),
            "cannot specify --authorization-webhook-config-file without mode Webhook",
        ),
    ],
)
def test_flags_that_can_not_be(modes: tuple[str, ...], webhook: Path | None, words: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        of_modes(modes, webhook)
    assert str(refused.value) == words
