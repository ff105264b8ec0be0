"""The order of admission, and its second round."""

from typing import Any, cast

import pytest

from argosy.apiserver.admission.chain import phases
from argosy.apiserver.admission.rule import CREATE, UPDATE, Attributes, Plugin, Rule


def saying(name: str, said: list[str]) -> Rule:
    def rule(attributes: Attributes) -> None:
        said.append(name)

    return rule


@pytest.mark.parametrize("operation", ["CREATE", "UPDATE"])
def test_what_follows_the_webhooks_is_done_once(operation: Any) -> None:
    said: list[str] = []
    plugins = (
        Plugin("first", None, CREATE | UPDATE, mutate=saying("first", said)),
        Plugin("MutatingAdmissionWebhook"),
        Plugin("then", None, CREATE | UPDATE, saying("then", said), saying("judge", said)),
    )
    known = phases(plugins, "pods", operation)
    for rules in (known.mutating, known.completing, known.validating):
        for rule in rules:
            rule(cast(Attributes, None))
        said.append("|")
    assert said == ["first", "|", "then", "|", "judge", "|"]
