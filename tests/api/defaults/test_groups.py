"""Defaults of the groups beside core, apps and batch."""

from typing import Any

import pytest

from argosy.api.defaults.prepare import prepare
from tests.api.kit import defaulted, made, put

RBAC = "rbac.authorization.k8s.io"
FLOW = "flowcontrol.apiserver.k8s.io"
ADMISSION = "admissionregistration.k8s.io/v1"
MATCH = {"matchPolicy": "Equivalent", "namespaceSelector": {}, "objectSelector": {}}
RULE = {"operations": ["*"], "apiGroups": ["*"], "apiVersions": ["*"], "resources": ["*"]}


@pytest.mark.parametrize(
    ("obj", "expected"),
    [
        (
            made(
                f"{RBAC}/v1",
                "RoleBinding",
                roleRef={"kind": "Role", "name": "r"},
                subjects=[{"kind": "User", "name": "u"}, {"kind": "ServiceAccount", "name": "s"}],
            ),
            {
                "roleRef": {"apiGroup": RBAC, "kind": "Role", "name": "r"},
                "subjects": [
                    {"apiGroup": RBAC, "kind": "User", "name": "u"},
                    {"kind": "ServiceAccount", "name": "s"},
                ],
            },
        ),
        (
            made(
                "networking.k8s.io/v1",
                "NetworkPolicy",
                spec={"egress": [{"ports": [{"port": 53}]}]},
            ),
            {
                "spec": {
                    "egress": [{"ports": [{"port": 53, "protocol": "TCP"}]}],
                    "policyTypes": ["Ingress", "Egress"],
                }
            },
        ),
        (
            made("networking.k8s.io/v1", "NetworkPolicy"),
            {"spec": {"policyTypes": ["Ingress"]}},
        ),
        (
            made(
                "networking.k8s.io/v1",
                "IngressClass",
                spec={"parameters": {"kind": "K", "name": "n"}},
            ),
            {"spec": {"parameters": {"kind": "K", "name": "n", "scope": "Cluster"}}},
        ),
        (
            made("storage.k8s.io/v1", "StorageClass", provisioner="p"),
            {"provisioner": "p", "reclaimPolicy": "Delete", "volumeBindingMode": "Immediate"},
        ),
        (
            made("storage.k8s.io/v1", "CSIDriver", spec={"podInfoOnMount": True}),
            {
                "spec": {
                    "attachRequired": True,
                    "podInfoOnMount": True,
                    "storageCapacity": False,
                    "fsGroupPolicy": "ReadWriteOnceWithFSType",
                    "volumeLifecycleModes": ["Persistent"],
                    "requiresRepublish": False,
                    "seLinuxMount": False,
                }
            },
        ),
        (
            made("scheduling.k8s.io/v1", "PriorityClass"),
            {"preemptionPolicy": "PreemptLowerPriority", "value": 0},
        ),
        (
            made("scheduling.k8s.io/v1beta1", "PodGroup", spec={"schedulingPolicy": {}}),
            {"spec": {"schedulingPolicy": {}, "disruptionMode": {"single": {}}}},
        ),
        (
            made(
                "resource.k8s.io/v1",
                "ResourceClaim",
                spec={
                    "devices": {
                        "requests": [
                            {"name": "a", "exactly": {"deviceClassName": "c"}},
                            {
                                "name": "b",
                                "firstAvailable": [
                                    {"name": "x", "deviceClassName": "c", "allocationMode": "All"}
                                ],
                            },
                        ]
                    }
                },
            ),
            {
                "spec": {
                    "devices": {
                        "requests": [
                            {
                                "name": "a",
                                "exactly": {
                                    "deviceClassName": "c",
                                    "allocationMode": "ExactCount",
                                    "count": 1,
                                },
                            },
                            {
                                "name": "b",
                                "firstAvailable": [
                                    {"name": "x", "deviceClassName": "c", "allocationMode": "All"}
                                ],
                            },
                        ]
                    }
                }
            },
        ),
        (
            made(
                ADMISSION,
                "MutatingWebhookConfiguration",
                webhooks=[
                    {
                        "name": "a.b.c",
                        "rules": [RULE],
                        "clientConfig": {"service": {"name": "s", "namespace": "n"}},
                    }
                ],
            ),
            {
                "webhooks": [
                    {
                        **MATCH,
                        "name": "a.b.c",
                        "rules": [{**RULE, "scope": "*"}],
                        "clientConfig": {"service": {"name": "s", "namespace": "n", "port": 443}},
                        "failurePolicy": "Fail",
                        "timeoutSeconds": 10,
                        "reinvocationPolicy": "Never",
                    }
                ]
            },
        ),
        (
            made(
                ADMISSION,
                "ValidatingAdmissionPolicy",
                spec={"matchConstraints": {"resourceRules": [RULE]}},
            ),
            {
                "spec": {
                    "failurePolicy": "Fail",
                    "matchConstraints": {**MATCH, "resourceRules": [{**RULE, "scope": "*"}]},
                }
            },
        ),
        (
            made(ADMISSION, "ValidatingAdmissionPolicyBinding", spec={"matchResources": {}}),
            {"spec": {"matchResources": MATCH}},
        ),
        (
            made(f"{FLOW}/v1", "FlowSchema", spec={"matchingPrecedence": 0}),
            {"spec": {"matchingPrecedence": 1000}},
        ),
        (
            made(
                f"{FLOW}/v1",
                "PriorityLevelConfiguration",
                spec={
                    "type": "Limited",
                    "limited": {
                        "nominalConcurrencyShares": 0,
                        "limitResponse": {"type": "Queue", "queuing": {"queues": 8}},
                    },
                },
            ),
            {
                "spec": {
                    "type": "Limited",
                    "limited": {
                        "nominalConcurrencyShares": 0,
                        "lendablePercent": 0,
                        "limitResponse": {
                            "type": "Queue",
                            "queuing": {"queues": 8, "handSize": 8, "queueLengthLimit": 50},
                        },
                    },
                }
            },
        ),
        (
            made(
                f"{FLOW}/v1beta3",
                "PriorityLevelConfiguration",
                spec={
                    "type": "Limited",
                    "limited": {"nominalConcurrencyShares": 0, "limitResponse": {"type": "Reject"}},
                },
            ),
            {
                "spec": {
                    "type": "Limited",
                    "limited": {
                        "nominalConcurrencyShares": 30,
                        "lendablePercent": 0,
                        "limitResponse": {"type": "Reject"},
                    },
                }
            },
        ),
    ],
    ids=lambda value: value.get("kind"),
)
def test_defaults(obj: dict[str, Any], expected: dict[str, Any]) -> None:
    filled = defaulted(obj)
    head = ("apiVersion", "kind", "metadata")
    assert {name: part for name, part in filled.items() if name not in head} == expected
    assert defaulted(filled) == filled, "what has its defaults gets no others"


def test_devices_that_are_given_back_are_no_longer_reported_on() -> None:
    first, second = ({"driver": "a.b", "pool": "n", "device": name} for name in ("x", "y"))
    claim = made(
        "resource.k8s.io/v1", "ResourceClaim", spec={}, status={"devices": [first, second]}
    )
    both = put(claim, "status.allocation", {"devices": {"results": [first, second]}})
    one = put(claim, "status.allocation", {"devices": {"results": [first]}})
    prepare("ResourceClaim", "status", one, both)
    assert one["status"]["devices"] == [first]
    prepare("ResourceClaim", "status", claim, None)
    assert claim["status"]["devices"] == [first, second], "those were never allocated"


def test_a_verdict_changes_conditions_and_an_update_no_request() -> None:
    asked = made(
        "certificates.k8s.io/v1",
        "CertificateSigningRequest",
        spec={"request": "YQ==", "signerName": "a.b/c"},
        status={"certificate": "Yg=="},
    )
    approved = put(asked, "status", {"conditions": [{"type": "Approved", "status": "True"}]})
    prepare("CertificateSigningRequest", "approval", approved, asked)
    assert approved["status"] == {
        "certificate": "Yg==",
        "conditions": [{"type": "Approved", "status": "True"}],
    }
    changed = put(asked, "spec.signerName", "d.e/f")
    prepare("CertificateSigningRequest", "", changed, asked)
    assert changed["spec"] == asked["spec"]
