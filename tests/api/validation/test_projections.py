"""Projected volumes."""

from typing import Any

import pytest

from tests.api.kit import errors, made, put

P = "spec.volumes[0].projected"
S = f"{P}.sources[0]"
POD = made("v1", "Pod", spec={"containers": [{"name": "main", "image": "python"}]})
CERTIFICATE = {"signerName": "a.b/c", "keyType": "ED25519", "keyPath": "k"}


def judged(*sources: dict[str, Any]) -> list[str]:
    volume = {"name": "v", "projected": {"sources": list(sources)}}
    return errors(put(POD, "spec.volumes", [volume]))


@pytest.mark.parametrize(
    "source",
    [
        {"secret": {"name": "s", "items": [{"key": "k", "path": "p"}]}},
        {"serviceAccountToken": {"path": "token"}},
        {"clusterTrustBundle": {"name": "a.b:c:d", "path": "p"}},
        {"clusterTrustBundle": {"signerName": "a.b/c", "path": "p"}},
        {"podCertificate": CERTIFICATE},
    ],
)
def test_what_is_taken(source: dict[str, Any]) -> None:
    assert judged(source) == []


@pytest.mark.parametrize(
    "source, expected",
    [
        ({"secret": {}}, [f"{S}.secret.name: Required value"]),
        (
            {"secret": {"name": "s"}, "configMap": {"name": "c"}},
            [f"{S}: Forbidden: may not specify more than 1 volume type per source"],
        ),
        (
            {"serviceAccountToken": {"path": "t", "expirationSeconds": 599}},
            [
                f"{S}.serviceAccountToken.expirationSeconds: Invalid value: 599: may not specify "
                "a duration less than 10 minutes"
            ],
        ),
        ({"serviceAccountToken": {"path": ""}}, [f"{P}.path: Required value"]),
        (
            {"clusterTrustBundle": {"path": "p"}},
            [
                f"{S}.clusterTrustBundle: Required value: either name or signerName must be "
                "specified"
            ],
        ),
        (
            {"podCertificate": {**CERTIFICATE, "keyType": "DSA"}},
            [
                f'{S}.podCertificate.keyType: Unsupported value: "DSA": supported values: '
                '"RSA3072", "RSA4096", "ECDSAP256", "ECDSAP384", "ECDSAP521", "ED25519"'
            ],
        ),
        (
            {"podCertificate": {**CERTIFICATE, "maxExpirationSeconds": 3599}},
            [
                f"{S}.podCertificate.maxExpirationSeconds: Invalid value: 3599: if provided, "
                "maxExpirationSeconds must be >= 3600"
            ],
        ),
        (
            {
                "podCertificate": {
                    **CERTIFICATE,
                    "signerName": "kubernetes.io/a",
                    "maxExpirationSeconds": 86401,
                }
            },
            [
                f"{S}.podCertificate.maxExpirationSeconds: Invalid value: 86401: if provided, "
                "maxExpirationSeconds must be <= 86400"
            ],
        ),
        (
            {"podCertificate": {**CERTIFICATE, "keyPath": ""}},
            [
                f"{S}.podCertificate: Required value: specify at least one of "
                "credentialBundlePath, keyPath, and certificateChainPath"
            ],
        ),
    ],
)
def test_what_is_refused(source: dict[str, Any], expected: list[str]) -> None:
    assert judged(source) == expected


def test_no_two_files_have_the_same_path() -> None:
    item = {"key": "k", "path": "p"}
    found = judged(
        {"secret": {"name": "s", "items": [item]}},
        {"configMap": {"name": "c", "items": [item]}},
        {"podCertificate": {**CERTIFICATE, "keyPath": "p"}},
    )
    assert found == [
        f'{P}: Invalid value: "c": conflicting duplicate paths',
        f'{P}: Invalid value: "p": conflicting duplicate paths',
    ]
