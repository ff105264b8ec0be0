"""Configurations of webhooks: what is refused when they are written."""

from typing import Any

import pytest

from tests.apiserver.admission.webhooks.kit import VALIDATING, Json, Webhook
from tests.apiserver.kit import Api

WRONG: list[tuple[Json, str, str]] = [
    ({"name": "short"}, "webhooks[0].name", "domain"),
    ({"clientConfig": {}}, "webhooks[0].clientConfig", "exactly one of"),
    ({"clientConfig": {"url": "http://a.b/"}}, "webhooks[0].clientConfig.url", "https"),
    ({"clientConfig": {"url": "https://u:p@a.b/"}}, "webhooks[0].clientConfig.url", "user"),
    ({"clientConfig": {"url": "https://a.b/?c=d"}}, "webhooks[0].clientConfig.url", "query"),
    (
        {"clientConfig": {"service": {"name": "a", "namespace": "b", "path": "c"}}},
        "webhooks[0].clientConfig.service.path",
        "must start with a '/'",
    ),
    ({"timeoutSeconds": 31}, "webhooks[0].timeoutSeconds", "between 1 and 30"),
    ({"sideEffects": "Some"}, "webhooks[0].sideEffects", "supported values"),
    ({"admissionReviewVersions": ["v2"]}, "webhooks[0].admissionReviewVersions", "at least one"),
    (
        {"matchConditions": [{"name": "a", "expression": "object."}]},
        "webhooks[0].matchConditions[0].expression",
        "compilation failed",
    ),
    (
        {"matchConditions": [{"name": "a", "expression": "1"}]},
        "webhooks[0].matchConditions[0].expression",
        "must evaluate to bool",
    ),
    (
        {"matchConditions": [{"name": "a", "expression": "'a' in " + str(["b"] * 500)}] * 2},
        "webhooks[0].matchConditions[1].name",
        "Duplicate value",
    ),
]


@pytest.mark.parametrize(("change", "field", "text"), WRONG)
async def test_what_is_wrong_is_named(api: Api, change: Json, field: str, text: str) -> None:
    made = {"metadata": {"name": "it"}, "webhooks": [{**Webhook(port=1).one(), **change}]}
    answer = await api.ask("POST", VALIDATING, made)
    assert answer.status == 422, answer.body
    assert any(where == field and text in why for where, why in answer.causes), answer.causes


async def test_long_conditions_are_compiled_and_old_ones_kept(api: Api) -> None:
    long = " && ".join(f"object.metadata.name != 'n{index}'" for index in range(100))
    conditions = [{"name": "a", "expression": long}]
    made: dict[str, Any] = {"metadata": {"name": "it"}}
    made["webhooks"] = [Webhook(port=1).one(matchConditions=conditions)]
    assert (await api.ask("POST", VALIDATING, made)).status == 201
    conditions[0]["expression"] = f"{long} &&"
    answer = await api.ask("PUT", f"{VALIDATING}/it", made)
    assert answer.status == 422, answer.body
