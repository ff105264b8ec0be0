"""Tests of the rows of all other kinds, pods and events apart."""

from typing import Any

import pytest

from tests.api.columns.kit import HOUR_AGO, SELECTED, SELECTOR, row, true

Json = dict[str, Any]
CASES: list[tuple[str, Json, Json]] = [
    (
        "Service",
        {
            "spec": {
                "type": "NodePort",
                "clusterIP": "10.0.0.1",
                "externalIPs": ["1.2.3.4"],
                "selector": {"app": "web"},
                "ports": [{"port": 80, "nodePort": 30080}, {"port": 53, "protocol": "UDP"}],
            }
        },
        {
            "Cluster-IP": "10.0.0.1",
            "External-IP": "1.2.3.4",
            "Port(s)": "80:30080/TCP,53/UDP",
            "Selector": "app=web",
        },
    ),
    ("Service", {"spec": {"type": "LoadBalancer"}}, {"External-IP": "<pending>"}),
    ("APIService", {"spec": {}}, {"Service": "Local", "Available": "Unknown"}),
    (
        "APIService",
        {
            "spec": {"service": {"namespace": "a", "name": "b"}},
            "status": {"conditions": [{"type": "Available", "status": "False", "reason": "X"}]},
        },
        {"Service": "a/b", "Available": "False (X)"},
    ),
    (
        "Service",
        {
            "spec": {"type": "LoadBalancer", "externalIPs": ["9.9.9.9"]},
            "status": {"loadBalancer": {"ingress": [{"hostname": "lb.example.com.and.more"}]}},
        },
        {"External-IP": "lb.example.co...,9.9.9.9"},
    ),
    ("Service", {"spec": {"type": "ExternalName", "externalName": "e"}}, {"External-IP": "e"}),
    ("Service", {"spec": {}}, {"External-IP": "<unknown>", "Port(s)": "<none>", "Type": ""}),
    (
        "Endpoints",
        {
            "subsets": [
                {"addresses": [{"ip": "10.0.0.1"}, {"ip": "::1"}], "ports": [{"port": 80}]},
                {"addresses": [{"ip": "10.0.0.2"}, {"ip": "10.0.0.3"}]},
            ]
        },
        {"Endpoints": "10.0.0.1:80,[::1]:80,10.0.0.2 + 1 more..."},
    ),
    ("Endpoints", {}, {"Endpoints": "<none>"}),
    (
        "EndpointSlice",
        {
            "addressType": "IPv4",
            "ports": [{"port": 80}, {"name": "web"}, {}],
            "endpoints": [{"addresses": ["10.0.0.1"]}, {"addresses": ["10.0.0.2"]}],
        },
        {"AddressType": "IPv4", "Ports": "80,web,*", "Endpoints": "10.0.0.1,10.0.0.2"},
    ),
    ("EndpointSlice", {}, {"Ports": "<unset>", "Endpoints": "<unset>"}),
    (
        "Ingress",
        {
            "spec": {
                "ingressClassName": "nginx",
                "tls": [{}],
                "rules": [{"host": "a"}, {}, {"host": "b"}, {"host": "c"}, {"host": "d"}],
            },
            "status": {"loadBalancer": {"ingress": [{"ip": "10.0.0.1"}]}},
        },
        {
            "Class": "nginx",
            "Hosts": "a,b,c + 2 more...",
            "Address": "10.0.0.1",
            "Ports": "80, 443",
        },
    ),
    ("Ingress", {"spec": {"rules": [{}]}}, {"Class": "<none>", "Hosts": "*", "Ports": "80"}),
    (
        "IngressClass",
        {
            "metadata": {"annotations": {"ingressclass.kubernetes.io/is-default-class": "true"}},
            "spec": {
                "controller": "c",
                "parameters": {"apiGroup": "example.com", "kind": "Settings", "name": "s"},
            },
        },
        {"Name": "it (default)", "Controller": "c", "Parameters": "Settings.example.com/s"},
    ),
    ("IngressClass", {}, {"Name": "it", "Parameters": "<none>"}),
    ("NetworkPolicy", {"spec": {"podSelector": SELECTOR}}, {"Pod-Selector": SELECTED}),
    (
        "IPAddress",
        {"spec": {"parentRef": {"resource": "services", "namespace": "n", "name": "s"}}},
        {"ParentRef": "services/n/s"},
    ),
    ("ServiceCIDR", {"spec": {"cidrs": ["10.0.0.0/8", "fd::/8"]}}, {"CIDRs": "10.0.0.0/8,fd::/8"}),
    (
        "Node",
        {
            "metadata": {
                "labels": {
                    "node-role.kubernetes.io/worker": "",
                    "node-role.kubernetes.io/gpu": "",
                    "kubernetes.io/role": "old",
                }
            },
            "spec": {"unschedulable": True},
            "status": {
                "conditions": true("Ready"),
                "addresses": [{"type": "InternalIP", "address": "10.0.0.9"}],
                "nodeInfo": {"kubeletVersion": "v1", "kernelVersion": "6", "architecture": "arm64"},
            },
        },
        {
            "Status": "Ready,SchedulingDisabled",
            "Roles": "gpu,old,worker",
            "Version": "v1",
            "Internal-IP": "10.0.0.9",
            "External-IP": "<none>",
            "OS-Image": "<unknown>",
            "Kernel-Version": "6 (arm64)",
        },
    ),
    ("Node", {}, {"Status": "Unknown", "Roles": "<none>", "Kernel-Version": "<unknown>"}),
    (
        "PersistentVolume",
        {
            "spec": {
                "capacity": {"storage": "1Gi"},
                "accessModes": ["ReadWriteMany", "ReadWriteOnce"],
                "persistentVolumeReclaimPolicy": "Retain",
                "claimRef": {"namespace": "n", "name": "c"},
                "storageClassName": "fast",
                "volumeMode": "Filesystem",
            },
            "status": {"phase": "Bound"},
        },
        {
            "Capacity": "1Gi",
            "Access Modes": "RWO,RWX",
            "Status": "Bound",
            "Claim": "n/c",
            "StorageClass": "fast",
            "VolumeAttributesClass": "<unset>",
            "Reason": "",
            "VolumeMode": "Filesystem",
        },
    ),
    (
        "PersistentVolumeClaim",
        {
            "spec": {"volumeName": "v", "accessModes": ["ReadWriteOnce"]},
            "status": {
                "phase": "Bound",
                "accessModes": ["ReadWriteOnce"],
                "capacity": {"storage": "1Gi"},
            },
        },
        {"Status": "Bound", "Volume": "v", "Capacity": "1Gi", "Access Modes": "RWO"},
    ),
    (
        "PersistentVolumeClaim",
        {
            "metadata": {"deletionTimestamp": HOUR_AGO},
            "spec": {"accessModes": ["ReadWriteOnce"]},
            "status": {"phase": "Pending"},
        },
        {"Status": "Terminating", "Volume": "", "Capacity": "", "Access Modes": ""},
    ),
    (
        "StorageClass",
        {
            "metadata": {"annotations": {"storageclass.kubernetes.io/is-default-class": "true"}},
            "provisioner": "p",
        },
        {
            "Name": "it (default)",
            "ReclaimPolicy": "Delete",
            "VolumeBindingMode": "Immediate",
            "AllowVolumeExpansion": False,
        },
    ),
    (
        "ResourceQuota",
        {
            "status": {
                "hard": {"requests.cpu": "2", "limits.cpu": "4", "pods": "9"},
                "used": {"pods": "1"},
            }
        },
        {"Request": "pods: 1/9, requests.cpu: 0/2", "Limit": "limits.cpu: 0/4"},
    ),
    (
        "RoleBinding",
        {
            "roleRef": {"kind": "ClusterRole", "name": "edit"},
            "subjects": [
                {"kind": "User", "name": "u1"},
                {"kind": "User", "name": "u2"},
                {"kind": "Group", "name": "g"},
                {"kind": "ServiceAccount", "namespace": "n", "name": "s"},
            ],
        },
        {"Role": "ClusterRole/edit", "Users": "u1, u2", "Groups": "g", "ServiceAccounts": "n/s"},
    ),
    (
        "CertificateSigningRequest",
        {
            "spec": {"signerName": "s", "username": "u", "expirationSeconds": 7200},
            "status": {"conditions": true("Approved", "Failed"), "certificate": "x"},
        },
        {
            "SignerName": "s",
            "Requestor": "u",
            "RequestedDuration": "120m",
            "Condition": "Approved,Failed,Issued",
        },
    ),
    ("CertificateSigningRequest", {}, {"Condition": "Pending", "RequestedDuration": "<none>"}),
    (
        "CertificateSigningRequest",
        {"status": {"conditions": true("Approved", "Denied")}},
        {"Condition": "Denied"},
    ),
    ("PodCertificateRequest", {"status": {"conditions": true("Issued")}}, {"State": "Issued"}),
    ("MutatingWebhookConfiguration", {"webhooks": [{}, {}]}, {"Webhooks": 2}),
    (
        "ValidatingAdmissionPolicy",
        {"spec": {"validations": [{}], "paramKind": {"apiVersion": "v1", "kind": "ConfigMap"}}},
        {"Validations": 1, "ParamKind": "v1/ConfigMap"},
    ),
    ("MutatingAdmissionPolicy", {"spec": {}}, {"Mutations": 0, "ParamKind": "<unset>"}),
    (
        "ValidatingAdmissionPolicyBinding",
        {"spec": {"policyName": "p", "paramRef": {"name": "n"}}},
        {"PolicyName": "p", "ParamRef": "*/n"},
    ),
    ("MutatingAdmissionPolicyBinding", {}, {"PolicyName": "", "ParamRef": "<unset>"}),
    (
        "FlowSchema",
        {
            "spec": {"priorityLevelConfiguration": {"name": "exempt"}, "matchingPrecedence": 1},
            "status": {"conditions": [{"type": "Dangling", "status": "False"}]},
        },
        {
            "PriorityLevel": "exempt",
            "MatchingPrecedence": 1,
            "DistinguisherMethod": "<none>",
            "MissingPL": "False",
        },
    ),
    ("FlowSchema", {}, {"MissingPL": "?"}),
    (
        "CSIDriver",
        {"spec": {"podInfoOnMount": True, "tokenRequests": [{"audience": "a"}]}},
        {
            "AttachRequired": True,
            "PodInfoOnMount": True,
            "TokenRequests": "a",
            "Modes": "<none>",
        },
    ),
    ("CSINode", {"spec": {"drivers": [{}]}}, {"Drivers": 1}),
    (
        "StorageVersionMigration",
        {
            "spec": {"resource": {"group": "apps", "resource": "deployments"}},
            "status": {"conditions": true("Running", "Succeeded")},
        },
        {"Resource": "deployments.apps", "Status": "Succeeded"},
    ),
    (
        "StorageVersion",
        {"status": {"storageVersions": [{"apiServerID": "a", "encodingVersion": "v1"}]}},
        {"CommonEncodingVersion": "<unset>", "StorageVersions": "a=v1"},
    ),
    ("PriorityClass", {"value": 5}, {"Value": 5, "Global-Default": False}),
    (
        "PodGroup",
        {
            "spec": {
                "schedulingPolicy": {"gang": {"minCount": 2}},
                "workloadRef": {"workloadName": "w"},
            },
            "status": {"conditions": true("PodGroupInitiallyScheduled")},
        },
        {"Policy": "Gang", "Workload": "w", "Status": "Scheduled"},
    ),
    (
        "PodGroup",
        {"status": {"conditions": [{"type": "PodGroupInitiallyScheduled", "status": "False"}]}},
        {"Policy": "Basic", "Workload": "<none>", "Status": "Unschedulable"},
    ),
    (
        "PodGroup",
        {"status": {"conditions": true("DisruptionTarget", reason="Preempted")}},
        {"Status": "Preempted"},
    ),
    ("ResourceClaim", {}, {"State": "pending"}),
    (
        "ResourceClaim",
        {
            "metadata": {"deletionTimestamp": HOUR_AGO},
            "status": {"allocation": {}, "reservedFor": [{}]},
        },
        {"State": "deleted,allocated,reserved"},
    ),
    (
        "ResourcePoolStatusRequest",
        {
            "spec": {"driver": "d"},
            "status": {
                "poolCount": 3,
                "pools": [
                    {"totalDevices": 8, "availableDevices": 3},
                    {"totalDevices": 2, "validationError": "broken"},
                ],
                "conditions": true("Complete", lastTransitionTime=HOUR_AGO),
            },
        },
        {
            "Total": "10",
            "Available": "3",
            "Errors": "1",
            "Pools": 3,
            "Status": "Complete (2/3 pools)",
            "Completed": "60m",
        },
    ),
    (
        "ResourcePoolStatusRequest",
        {},
        {"Total": "-", "Pools": 0, "Status": "Pending", "Completed": "<none>"},
    ),
    (
        "ResourcePoolStatusRequest",
        {"status": {"conditions": true("Failed")}},
        {"Total": "-", "Status": "Failed"},
    ),
    (
        "DeviceTaintRule",
        {"spec": {"taint": {"key": "k", "effect": "NoSchedule", "timeAdded": HOUR_AGO}}},
        {"Key": "k", "Value": "", "Effect": "NoSchedule", "TimeAdded": "60m"},
    ),
    ("TrainJob", {"status": {"conditions": true("Complete", "Scheduled")}}, {"State": "Complete"}),
    ("TrainJob", {"status": {"conditions": true("Scheduled")}}, {"State": "Running"}),
    ("TrainJob", {"status": {"conditions": true("Other")}}, {"State": "Created"}),
    ("TrainJob", {}, {"State": ""}),
    ("InferenceService", {"status": {"conditions": true("Ready")}}, {"Ready": "True"}),
    ("ModelVersion", {}, {"Ready": "Unknown"}),
]


@pytest.mark.parametrize("kind, obj, shown", CASES, ids=[case[0] for case in CASES])
def test_what_is_shown(kind: str, obj: Json, shown: Json) -> None:
    assert shown.items() <= row(kind, obj).items()
