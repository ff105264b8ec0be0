"""An AdmissionConfiguration: what plugins are told, and in which words the rest is refused."""

import json
from pathlib import Path
from typing import Any

import pytest

from argosy.apiserver.admission.configuration import AdmissionRules, EventLimit, load
from argosy.apiserver.configfile import ConfigurationError
from argosy.security.podsecurity.exemptions import Exemptions
from argosy.security.podsecurity.levels import Policy, Standard

Json = dict[str, Any]


def pod_security(**told: Any) -> Json:
    head = {"apiVersion": "pod-security.admission.config.k8s.io/v1"}
    return {**head, "kind": "PodSecurityConfiguration", **told}


def written(folder: Path, *plugins: Json) -> Path:
    file = folder / "admission.yaml"
    head = {"apiVersion": "apiserver.config.k8s.io/v1", "kind": "AdmissionConfiguration"}
    file.write_text(json.dumps({**head, "plugins": list(plugins)}))
    return file


def inline(told: Json, name: str = "PodSecurity") -> Json:
    return {"name": name, "configuration": told}


def test_the_documented_form_is_read(tmp_path: Path) -> None:
    told = pod_security(
        defaults={"enforce": "baseline", "enforce-version": "v1.30", "warn": "restricted"},
        exemptions={"usernames": ["jane"], "namespaces": ["a"], "runtimeClasses": ["r"]},
    )
    rules = load(written(tmp_path, inline(told)), AdmissionRules(enabled=frozenset("a")))
    assert rules.pod_security == Policy(Standard("baseline", 30), warn=Standard("restricted"))
    assert rules.exempt == Exemptions(frozenset(["jane"]), frozenset("a"), frozenset("r"))
    assert rules.enabled == frozenset("a")


def test_a_plugin_may_have_a_file_of_its_own(tmp_path: Path) -> None:
    limit = {"type": "User", "qps": 1, "burst": 2, "cacheSize": 3}
    head = {"apiVersion": "eventratelimit.admission.k8s.io/v1alpha1", "kind": "Configuration"}
    (tmp_path / "events.yaml").write_text(json.dumps({**head, "limits": [limit]}))
    beside = {"name": "EventRateLimit", "path": "events.yaml"}
    rules = load(written(tmp_path, beside, {"name": "PodSecurity"}), AdmissionRules())
    assert rules.event_limits == (EventLimit(type="User", qps=1, burst=2, cache_size=3),)
    assert rules.pod_security == Policy()


@pytest.mark.parametrize(
    ("told", "words"),
    [
        (
            {"defaults": {"enforce": "strict"}},
            'defaults.enforce: Invalid value: "strict": must be one of privileged, baseline, '
            "restricted",
        ),
        (
            {"defaults": {"warn-version": "1.30"}},
            'defaults.warn-version: Invalid value: "1.30": must be "latest" or "v1.x"',
        ),
        ({"defaults": {"enforceVersion": "v1.30"}}, "unknown field `enforceVersion`"),
        (
            {"exemptions": {"usernames": [""]}},
            'exemptions.usernames[0]: Invalid value: "": username must not be empty',
        ),
        (
            {"exemptions": {"namespaces": ["a", "a"]}},
            'exemptions.namespaces[1]: Duplicate value: "a"',
        ),
        ({"exemptions": {"namespaces": ["A"]}}, 'exemptions.namespaces[0]: Invalid value: "A": '),
        (
            {"exemptions": {"runtimeClasses": ["_"]}},
            'exemptions.runtimeClasses[0]: Invalid value: "_": ',
        ),
        ({"kind": "Policy"}, "it holds a Policy of pod-security.admission.config.k8s.io/v1"),
    ],
)
def test_what_pod_security_can_not_be_told(tmp_path: Path, told: Json, words: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        load(written(tmp_path, inline(pod_security(**told))), AdmissionRules())
    assert words in str(refused.value)


@pytest.mark.parametrize(
    ("plugin", "words"),
    [
        ({"name": "ImagePolicyWebhook"}, 'plugin "ImagePolicyWebhook" can not be configured'),
        ({"name": "PodSecurity", "path": "nowhere.yaml"}, "No such file or directory"),
        ({"name": "PodSecurity", "configuration": 7}, "Expected `object`, got `int`"),
        ({"name": "PodSecurity", "color": "red"}, "unknown field `color`"),
    ],
)
def test_what_the_file_can_not_say(tmp_path: Path, plugin: Json, words: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        load(written(tmp_path, plugin), AdmissionRules())
    assert words in str(refused.value)
