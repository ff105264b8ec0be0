"""Admission policies as a user of kubectl meets them."""

from tests.apiserver.admission.policy.kit import binding, policy, rule
from tests.e2e.kit import Json
from tests.e2e.kubectl import Kubectl

GROUP = "admissionregistration.k8s.io/v1"


def test_a_policy_refuses_and_warns(kubectl: Kubectl) -> None:
    name = f"{kubectl.namespace}.example.com"
    own = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": kubectl.namespace}}}
    constraints = {"resourceRules": [rule("configmaps", group="")], **own}
    red = {"expression": "object.data.color == 'red'", "message": "only red"}
    made: Json = policy(red, name=name, matchConstraints=constraints)
    bound: Json = binding(name, "Warn", policy=name)
    try:
        for kind, obj in (("Policy", made), ("PolicyBinding", bound)):
            typed = {"apiVersion": GROUP, "kind": f"ValidatingAdmission{kind}", **obj}
            kubectl.ok("apply", "-f", "-", stdin=typed)
        words = f"ValidatingAdmissionPolicy '{name}' with binding '{name}'"

        done = kubectl("create", "configmap", "blue", "--from-literal=color=blue")
        assert done.code == 0, done.err
        assert f"Warning: Validation failed for {words}: only red" in done.err

        deny = '{"spec": {"validationActions": ["Deny"]}}'
        kubectl.ok("patch", "validatingadmissionpolicybinding", name, "--type=merge", "-p", deny)
        done = kubectl("create", "configmap", "green", "--from-literal=color=green")
        assert done.code == 1
        assert f"{words} denied request: only red" in done.err
        kubectl.ok("create", "configmap", "red", "--from-literal=color=red")
    finally:
        for kind in ("validatingadmissionpolicybinding", "validatingadmissionpolicy"):
            kubectl.ok("delete", kind, name, "--ignore-not-found")
