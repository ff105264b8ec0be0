"""Kubernetes' documented examples for ValidatingAdmissionPolicy, in own words."""

import pytest

from tests.apiserver.admission.policy.kit import (
    DEPLOYMENTS,
    POLICIES,
    deployment,
    documents,
    put,
    warned,
)
from tests.apiserver.kit import MERGE, Api, Json

REPLICAS = """
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {name: demo-policy.example.com}
spec:
  failurePolicy: Fail
  matchConstraints:
    resourceRules:
    - {apiGroups: [apps], apiVersions: [v1], operations: [CREATE, UPDATE], resources: [deployments]}
  validations:
  - expression: "object.spec.replicas <= 5"
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: {name: demo-binding-test.example.com}
spec:
  policyName: demo-policy.example.com
  validationActions: [Deny]
  matchResources:
    namespaceSelector: {matchLabels: {environment: test}}
"""
LIMITED = """
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {name: replicalimit-policy.example.com}
spec:
  failurePolicy: Fail
  paramKind: {apiVersion: rules.example.com/v1, kind: ReplicaLimit}
  matchConstraints:
    resourceRules:
    - {apiGroups: [apps], apiVersions: [v1], operations: [CREATE, UPDATE], resources: [deployments]}
  validations:
  - expression: "object.spec.replicas <= params.maxReplicas"
    reason: Invalid
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: {name: replicalimit-binding-test.example.com}
spec:
  policyName: replicalimit-policy.example.com
  validationActions: [Deny]
  paramRef:
    {name: replica-limit-test.example.com, namespace: default, parameterNotFoundAction: Deny}
  matchResources:
    namespaceSelector: {matchLabels: {environment: test}}
"""
LIMITS: Json = {
    "metadata": {"name": "replicalimits.rules.example.com"},
    "spec": {
        "group": "rules.example.com",
        "names": {"kind": "ReplicaLimit", "plural": "replicalimits"},
        "scope": "Namespaced",
        "versions": [
            {
                "name": "v1",
                "served": True,
                "storage": True,
                "schema": {
                    "openAPIV3Schema": {
                        "type": "object",
                        "properties": {"maxReplicas": {"type": "integer"}},
                    }
                },
            }
        ],
    },
}
MESSAGE = """
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {name: deploy-replica-policy.example.com}
spec:
  paramKind: {apiVersion: v1, kind: ConfigMap}
  matchConstraints:
    resourceRules:
    - {apiGroups: [apps], apiVersions: [v1], operations: [CREATE, UPDATE], resources: [deployments]}
  validations:
  - expression: "object.spec.replicas <= int(params.data.maxReplicas)"
    messageExpression: "'object.spec.replicas must be no greater than ' + params.data.maxReplicas"
    reason: Invalid
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: {name: deploy-replica-binding}
spec:
  policyName: deploy-replica-policy.example.com
  validationActions: [Deny]
  paramRef: {name: limits, parameterNotFoundAction: Deny}
"""
VARIABLES = """
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {name: image-matches-namespace-environment.policy.example.com}
spec:
  failurePolicy: Fail
  matchConstraints:
    resourceRules:
    - {apiGroups: [apps], apiVersions: [v1], operations: [CREATE, UPDATE], resources: [deployments]}
  variables:
  - name: environment
    expression: >-
      'environment' in namespaceObject.metadata.labels
      ? namespaceObject.metadata.labels['environment'] : 'prod'
  - name: exempt
    expression: >-
      'exempt' in object.metadata.labels && object.metadata.labels['exempt'] == 'true'
  - name: containers
    expression: object.spec.template.spec.containers
  - name: containersToCheck
    expression: >-
      variables.containers.filter(c, c.image.contains('example.com/'))
  validations:
  - expression: >-
      variables.exempt || variables.containersToCheck.all(c,
      c.image.startsWith(variables.environment + '.'))
    messageExpression: "'only ' + variables.environment + ' images are allowed in namespace ' +
      namespaceObject.metadata.name"
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: {name: image-binding}
spec:
  policyName: image-matches-namespace-environment.policy.example.com
  validationActions: [Deny]
"""
AUDITED = """
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {name: demo-policy.example.com}
spec:
  failurePolicy: Fail
  matchConstraints:
    resourceRules:
    - {apiGroups: [apps], apiVersions: [v1], operations: [CREATE, UPDATE], resources: [deployments]}
  validations:
  - expression: "object.spec.replicas > 50"
    messageExpression: "'Deployment spec.replicas set to ' + string(object.spec.replicas)"
  auditAnnotations:
  - key: high-replica-count
    valueExpression: "'Deployment spec.replicas set to ' + string(object.spec.replicas)"
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: {name: demo-binding}
spec:
  policyName: demo-policy.example.com
  validationActions: [Warn, Audit]
"""
CONDITIONS = """
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {name: demo-policy.example.com}
spec:
  failurePolicy: Fail
  matchConstraints:
    resourceRules:
    - {apiGroups: ['*'], apiVersions: ['*'], operations: [CREATE, UPDATE], resources: ['*']}
  matchConditions:
  - name: exclude-leases
    expression: "!(request.resource.group == 'coordination.k8s.io' &&
      request.resource.resource == 'leases')"
  - name: exclude-kubelet-requests
    expression: "!('system:nodes' in request.userInfo.groups)"
  - name: rbac
    expression: "request.resource.group != 'rbac.authorization.k8s.io'"
  validations:
  - expression: "!object.metadata.name.contains('demo') || object.metadata.namespace == 'demo'"
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: {name: demo-binding}
spec: {policyName: demo-policy.example.com, validationActions: [Deny]}
"""
AUTHORIZER = """
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {name: only-breakglass.example.com}
spec:
  matchConstraints:
    resourceRules:
    - {apiGroups: [''], apiVersions: [v1], operations: [CREATE], resources: [configmaps]}
  validations:
  - expression: >-
      authorizer.group('').resource('configmaps').namespace('default').name(object.metadata.name)
      .check('breakglass').allowed()
    message: 'you are not authorized to break the glass'
    reason: Forbidden
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: {name: only-breakglass}
spec: {policyName: only-breakglass.example.com, validationActions: [Deny]}
"""


async def labelled(api: Api, **labels: str) -> None:
    answer = await api.ask(
        "PATCH", "/api/v1/namespaces/default", {"metadata": {"labels": labels}}, kind=MERGE
    )
    assert answer.status == 200


async def test_replicas_are_limited_in_test_namespaces(api: Api) -> None:
    await documents(api, REPLICAS)
    await put(api, DEPLOYMENTS, deployment("before", 6))
    await labelled(api, environment="test")
    answer = await api.ask("POST", DEPLOYMENTS, deployment("nginx", 6))

    assert (answer.status, answer.body["reason"]) == (422, "Invalid")
    assert answer.message == (
        'deployments.apps "nginx" is forbidden: ValidatingAdmissionPolicy '
        "'demo-policy.example.com' with binding 'demo-binding-test.example.com' denied request: "
        "failed expression: object.spec.replicas <= 5"
    )
    await put(api, DEPLOYMENTS, deployment("nginx", 5))
    answer = await api.ask("PATCH", f"{DEPLOYMENTS}/nginx", {"spec": {"replicas": 7}}, kind=MERGE)
    assert answer.status == 422


async def test_replicas_are_limited_by_a_parameter_of_a_kind_of_its_own(api: Api) -> None:
    await labelled(api, environment="test")
    await documents(api, LIMITED)
    answer = await api.ask("POST", DEPLOYMENTS, deployment())
    assert answer.message.endswith(
        "ValidatingAdmissionPolicy 'replicalimit-policy.example.com' denied request: "
        "failed to configure policy: failed to find resource referenced by paramKind: "
        "'rules.example.com/v1, Kind=ReplicaLimit'"
    )

    await put(api, "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", LIMITS)
    answer = await api.ask("POST", DEPLOYMENTS, deployment())
    assert answer.message.endswith(
        "failed to configure binding: no params found for policy binding with `Deny` "
        "parameterNotFoundAction"
    )

    limit = {
        "apiVersion": "rules.example.com/v1",
        "kind": "ReplicaLimit",
        "metadata": {"name": "replica-limit-test.example.com"},
        "maxReplicas": 3,
    }
    await put(api, "/apis/rules.example.com/v1/namespaces/default/replicalimits", limit)
    answer = await api.ask("POST", DEPLOYMENTS, deployment(replicas=4))
    assert answer.message.endswith("failed expression: object.spec.replicas <= params.maxReplicas")
    await put(api, DEPLOYMENTS, deployment(replicas=3))


async def test_a_message_is_an_expression(api: Api) -> None:
    await documents(api, MESSAGE)
    limits = {"metadata": {"name": "limits"}, "data": {"maxReplicas": "3"}}
    await put(api, "/api/v1/namespaces/default/configmaps", limits)
    answer = await api.ask("POST", DEPLOYMENTS, deployment(replicas=4))

    assert answer.message.endswith("denied request: object.spec.replicas must be no greater than 3")


@pytest.mark.parametrize(
    ("image", "labels", "status"),
    [
        ("prod.example.com/nginx", {}, 422),
        ("staging.example.com/nginx", {}, 201),
        ("prod.example.com/nginx", {"exempt": "true"}, 201),
        ("nginx", {}, 201),
    ],
)
async def test_images_match_their_namespace(
    api: Api, image: str, labels: dict[str, str], status: int
) -> None:
    await documents(api, VARIABLES)
    await labelled(api, environment="staging")
    obj = deployment(labels={"app": "nginx", **labels})
    obj["spec"]["template"]["spec"]["containers"][0]["image"] = image
    answer = await api.ask("POST", DEPLOYMENTS, obj)

    assert answer.status == status, answer.body
    if status == 422:
        assert answer.message.endswith(
            "denied request: only staging images are allowed in namespace default"
        )


async def test_what_is_warned_of_is_let_through(api: Api) -> None:
    await documents(api, AUDITED)
    answer = await put(api, DEPLOYMENTS, deployment(replicas=3))

    assert warned(answer) == (
        "299 - \"Validation failed for ValidatingAdmissionPolicy 'demo-policy.example.com' "
        "with binding 'demo-binding': Deployment spec.replicas set to 3\""
    )
    assert not warned(await put(api, DEPLOYMENTS, deployment("many", 51)))


async def test_conditions_narrow_what_a_policy_is_about(api: Api) -> None:
    await documents(api, CONDITIONS)
    refused = {"metadata": {"name": "demo"}}
    answer = await api.ask("POST", "/api/v1/namespaces/default/configmaps", refused)
    assert answer.status == 422
    lease = "/apis/coordination.k8s.io/v1/namespaces/default/leases"
    await put(api, lease, refused)
    role = "/apis/rbac.authorization.k8s.io/v1/namespaces/default/roles"
    await put(api, role, refused)


async def test_an_expression_asks_who_may(api: Api) -> None:
    await documents(api, AUTHORIZER)
    where = "/api/v1/namespaces/default/configmaps"
    rules = [{"apiGroups": [""], "resources": ["configmaps"], "verbs": ["create"]}]
    role = {"metadata": {"name": "maker"}, "rules": rules}
    await put(api, "/apis/rbac.authorization.k8s.io/v1/namespaces/default/roles", role)
    bound = {
        "metadata": {"name": "maker"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "maker"},
        "subjects": [{"kind": "User", "name": "jane", "apiGroup": "rbac.authorization.k8s.io"}],
    }
    bindings = "/apis/rbac.authorization.k8s.io/v1/namespaces/default/rolebindings"
    await put(api, bindings, bound)
    jane = {"impersonate-user": "jane"}
    answer = await api.ask("POST", where, {"metadata": {"name": "glass"}}, headers=jane)

    assert (answer.status, answer.body["reason"]) == (403, "Forbidden")
    assert answer.message.endswith("denied request: you are not authorized to break the glass")
    await put(api, where, {"metadata": {"name": "glass"}})  # an admin may do everything


async def test_types_are_checked(api: Api) -> None:
    spec = {
        "matchConstraints": {
            "resourceRules": [
                {
                    "apiGroups": ["apps"],
                    "apiVersions": ["v1"],
                    "operations": ["CREATE", "UPDATE"],
                    "resources": ["deployments", "replicasets"],
                }
            ]
        },
        "validations": [
            {
                "expression": "object.replicas > 1",
                "message": "must be replicated",
                "reason": "Invalid",
            }
        ],
    }
    name = {"name": "deploy-replica-policy.example.com"}
    answer = await put(api, POLICIES, {"metadata": name, "spec": spec})

    problem = "ERROR: <input>:1:7: undefined field 'replicas'\n | object.replicas > 1\n | ......^"
    kinds = (f"apps/v1, Kind={kind}: {problem}\n" for kind in ("Deployment", "ReplicaSet"))
    assert answer.body["status"] == {
        "observedGeneration": 1,
        "typeChecking": {
            "expressionWarnings": [
                {"fieldRef": "spec.validations[0].expression", "warning": "\n".join(kinds)}
            ]
        },
    }
