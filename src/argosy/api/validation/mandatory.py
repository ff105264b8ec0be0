"""The flow schemas and priority levels that every cluster has, with the only specs they may have.

Their subjects and numbers are upstream's: `exempt` for administrators, `catch-all` for what no
other schema takes.
"""

from collections.abc import Mapping, Sequence
from typing import Any

Json = Mapping[str, Any]


def _flow_schema(level: str, precedence: int, groups: Sequence[str], **rest: Any) -> dict[str, Any]:
    everywhere = {"apiGroups": ["*"], "resources": ["*"], "namespaces": ["*"], "clusterScope": True}
    return {
        "priorityLevelConfiguration": {"name": level},
        "matchingPrecedence": precedence,
        "rules": [
            {
                "subjects": [{"kind": "Group", "group": {"name": name}} for name in groups],
                "resourceRules": [{"verbs": ["*"], **everywhere}],
                "nonResourceRules": [{"verbs": ["*"], "nonResourceURLs": ["*"]}],
            }
        ],
        **rest,
    }


FLOW_SCHEMAS: Mapping[str, Json] = {
    "exempt": _flow_schema("exempt", 1, ["system:masters"]),
    "catch-all": _flow_schema(
        "catch-all",
        10_000,
        ["system:unauthenticated", "system:authenticated"],
        distinguisherMethod={"type": "ByUser"},
    ),
}
PRIORITY_LEVELS: Mapping[str, Json] = {
    "exempt": {
        "type": "Exempt",
        "exempt": {"nominalConcurrencyShares": 0, "lendablePercent": 0},
    },
    "catch-all": {
        "type": "Limited",
        "limited": {
            "nominalConcurrencyShares": 5,
            "lendablePercent": 0,
            "limitResponse": {"type": "Reject"},
        },
    },
}
