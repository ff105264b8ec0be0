"""Defaults of `admissionregistration.k8s.io`."""

from collections.abc import Callable, Mapping

from argosy.api.defaults.fill import Json, fill

MATCH = {"matchPolicy": "Equivalent", "namespaceSelector": {}, "objectSelector": {}}
HOOK = {**MATCH, "failurePolicy": "Fail", "timeoutSeconds": 10}


def _webhooks(configuration: Json) -> None:
    for hook in configuration.get("webhooks") or ():
        fill(hook, HOOK)
        if configuration["kind"] == "MutatingWebhookConfiguration":
            fill(hook, {"reinvocationPolicy": "Never"})
        _scopes(hook.get("rules"))
        service = hook["clientConfig"].get("service")
        if service is not None:
            service.setdefault("port", 443)


def _scopes(rules: list[Json] | None) -> None:
    for rule in rules or ():
        rule.setdefault("scope", "*")


def _match(resources: Json | None) -> None:
    if resources is not None:
        fill(resources, MATCH)
        _scopes(resources.get("resourceRules"))
        _scopes(resources.get("excludeResourceRules"))


def _policy(policy: Json) -> None:
    spec = policy.setdefault("spec", {})
    spec.setdefault("failurePolicy", "Fail")
    _match(spec.get("matchConstraints"))


def _binding(binding: Json) -> None:
    _match((binding.get("spec") or {}).get("matchResources"))


DEFAULTS: Mapping[str, Callable[[Json], None]] = {
    "MutatingAdmissionPolicy": _policy,
    "MutatingAdmissionPolicyBinding": _binding,
    "MutatingWebhookConfiguration": _webhooks,
    "ValidatingAdmissionPolicy": _policy,
    "ValidatingAdmissionPolicyBinding": _binding,
    "ValidatingWebhookConfiguration": _webhooks,
}
