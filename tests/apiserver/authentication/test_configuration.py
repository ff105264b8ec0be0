"""The file that names issuers: what it may say, and what is refused by name."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from argosy.apiserver.authentication.configuration import (
    Anonymous,
    OpenPath,
    load,
)
from argosy.apiserver.authentication.configurationfaults import MOST_ISSUERS
from argosy.apiserver.authentication.tokens import ISSUER
from argosy.apiserver.configfile import ConfigurationError

Json = dict[str, Any]
HEAD = {"apiVersion": "apiserver.config.k8s.io/v1", "kind": "AuthenticationConfiguration"}
SUB = {"claim": "sub", "prefix": ""}


def one(issuer: Json | None = None, mappings: Json | None = None, **more: Any) -> Json:
    return {
        "issuer": {"url": "https://a.example", "audiences": ["cluster"], **(issuer or {})},
        "claimMappings": {"username": SUB, **(mappings or {})},
        **more,
    }


def said(tmp_path: Path, *jwts: Json, **more: Any) -> Path:
    file = tmp_path / "authentication.yaml"
    file.write_text(json.dumps({**HEAD, "jwt": list(jwts), **more}))
    return file


def test_what_upstream_takes_is_taken(tmp_path: Path) -> None:
    full = one(
        {
            "discoveryURL": "https://inside.example/.well-known/openid-configuration",
            "audiences": ["a", "b"],
            "audienceMatchPolicy": "MatchAny",
        },
        {"groups": {"claim": "groups", "prefix": "oidc:"}, "uid": {"claim": "sub"}},
        claimValidationRules=[{"claim": "hd", "requiredValue": "example.com"}],
    )
    other = one({"url": "https://b.example/path/"})
    found = load(said(tmp_path, full, other, anonymous={"enabled": False}))

    first, second = found.jwt
    assert first.issuer.configuration == "https://inside.example/.well-known/openid-configuration"
    assert second.issuer.configuration == "https://b.example/path/.well-known/openid-configuration"
    assert first.claim_mappings.groups.prefix == "oidc:"
    assert found.anonymous == Anonymous()


@pytest.mark.parametrize("version", ["v1", "v1beta1", "v1alpha1"])
def test_its_versions_are_alike(tmp_path: Path, version: str) -> None:
    assert load(said(tmp_path, apiVersion=f"apiserver.config.k8s.io/{version}")).jwt == ()


@pytest.mark.parametrize(
    ("anonymous", "paths"),
    [
        (Anonymous(), frozenset()),
        (Anonymous(enabled=True), None),
        (Anonymous(enabled=True, conditions=(OpenPath(path="/livez"),)), frozenset({"/livez"})),
    ],
)
def test_who_needs_not_say_who_they_are(anonymous: Anonymous, paths: frozenset[str] | None) -> None:
    assert anonymous.paths == paths


RULES = "jwt[0].claimValidationRules[0]"


def extra(key: str, *expressions: str) -> Json:
    return one(mappings={"extra": [{"key": key, "valueExpression": text} for text in expressions]})


def ruled(*rules: Json) -> Json:
    return one(claimValidationRules=list(rules))


def judged(*expressions: str) -> Json:
    return one(userValidationRules=[{"expression": text} for text in expressions])


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        (one({"url": ""}), "jwt[0].issuer.url: Required value"),
        (one({"url": "http://a.example"}), "URL scheme must be https"),
        (one({"url": "https://u:p@a.example"}), "URL must not contain a username or password"),
        (one({"url": "https://a.example?x=y"}), "URL must not contain a query"),
        (one({"url": "https://a.example#x"}), "URL must not contain a fragment"),
        (one({"url": "https://"}), "URL must name a host"),
        (one({"url": "https://[a"}), "jwt[0].issuer.url: Invalid value"),
        (one({"url": "https://a:99999"}), "jwt[0].issuer.url: Invalid value"),
        (one({"url": ISSUER}), "URL must not overlap with disallowed issuers"),
        (one({"discoveryURL": "https://a.example/"}), "discoveryURL must be different from URL"),
        (one({"discoveryURL": "http://b.example"}), "URL scheme must be https"),
        (one({"audiences": []}), "jwt[0].issuer.audiences: Required value"),
        (one({"audiences": [""]}), "jwt[0].issuer.audiences[0]: Required value"),
        (
            one({"audiences": ["a", "a"], "audienceMatchPolicy": "MatchAny"}),
            'jwt[0].issuer.audiences[1]: Duplicate value: "a"',
        ),
        (one({"audiences": ["a", "b"]}), "must be MatchAny for multiple audiences"),
        (one({"audienceMatchPolicy": "All"}), "must be empty or MatchAny for single audience"),
        (one({"certificateAuthority": "nothing"}), "jwt[0].issuer.certificateAuthority: Invalid"),
        (one({"egressSelectorType": "cluster"}), "this server selects no egress"),
        (one({"caFile": "x"}), "unknown field"),
        (one(mappings={"username": {}}), "claimMappings.username: Required value"),
        (
            one(mappings={"username": {"claim": "sub"}}),
            "prefix is required when claim is set",
        ),
        (one(mappings={"groups": {"claim": "g"}}), "prefix is required when claim is set"),
        (
            one(mappings={"username": {"claim": "a", "expression": "b", "prefix": ""}}),
            "claim and expression can't both be set",
        ),
        (one(mappings={"username": {"expression": "claims."}}), "compilation failed: ERROR"),
        (
            one(mappings={"username": {"expression": "claims.sub", "prefix": ""}}),
            "username.prefix: Invalid value",
        ),
        (one(mappings={"username": {"expression": "claims.email"}}), "email_verified must be used"),
        (one(mappings={"username": {"expression": "claims.?email.value()"}}), "must be used in"),
        (one(mappings={"groups": {"expression": "user.groups"}}), "compilation failed: ERROR"),
        (one(mappings={"uid": {"expression": "nothing"}}), "uid.expression: Invalid value"),
        (extra("a.b/c", ""), "extra[0].valueExpression: Required value"),
        (extra("", "claims.d"), "extra[0].key: Required value"),
        (extra("plain", "claims.d"), "must be a domain-prefixed path"),
        (extra("A.b/c", "claims.d"), "must be lowercase"),
        (extra("a.b/c d", "claims.d"), "Invalid path"),
        (extra("x.k8s.io/c", "claims.d"), "are reserved for Kubernetes use"),
        (extra("a.b/c", "claims.d", "claims.e"), 'extra[1].key: Duplicate value: "a.b/c"'),
        (ruled({"expression": "claims.sub"}), f"{RULES}.expression: Invalid value"),
        (ruled({"expression": "1"}), "must evaluate to bool"),
        (ruled({"expression": "true", "requiredValue": "x"}), f"{RULES}.requiredValue: Invalid"),
        (ruled({"expression": "true"}, {"expression": "true"}), 'Duplicate value: "true"'),
        (ruled({"expression": "true", "claim": "a"}), "claim and expression can't both be set"),
        (one(claimValidationRules=[{}]), f"{RULES}: Required value"),
        (
            one(claimValidationRules=[{"claim": "a", "message": "m"}]),
            f"{RULES}.message: Invalid value",
        ),
        (one(claimValidationRules=[{"claim": "a"}, {"claim": "a"}]), 'Duplicate value: "a"'),
        (judged(""), "userValidationRules[0].expression: Required value"),
        (judged("user.age > 7"), "compilation failed: ERROR"),
        (judged("user.username"), "must evaluate to bool"),
        (judged("true", "true"), 'userValidationRules[1].expression: Duplicate value: "true"'),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, wrong: Json, error: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        load(said(tmp_path, wrong))
    assert error in str(caught.value)


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("", "Expected `object`"),
        ("[", "not valid YAML"),
        ("a: &a [*a]", "anchors and aliases"),
        ("apiVersion: v1\nkind: Pod", "it holds a Pod of v1"),
        (msgspec.json.encode({**HEAD, "other": 1}).decode(), "unknown field"),
        (
            msgspec.json.encode(
                {**HEAD, "anonymous": {"enabled": False, "conditions": [{"path": "/livez"}]}}
            ).decode(),
            "enabled should be set to true when conditions are defined",
        ),
    ],
)
def test_what_is_no_such_file(tmp_path: Path, text: str, error: str) -> None:
    file = tmp_path / "authentication.yaml"
    file.write_text(text)
    with pytest.raises(ConfigurationError) as caught:
        load(file)
    assert error in str(caught.value)
    assert str(file) in str(caught.value)


def test_issuers_are_told_apart_and_counted(tmp_path: Path) -> None:
    for jwts, error in (
        ([one(), one()], 'jwt[1].issuer.url: Duplicate value: "https://a.example"'),
        ([one({"url": f"https://{i}.example"}) for i in range(MOST_ISSUERS + 1)], "Too many"),
    ):
        with pytest.raises(ConfigurationError) as caught:
            load(said(tmp_path, *jwts))
        assert error in str(caught.value)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="No such file"):
        load(tmp_path / "none")
