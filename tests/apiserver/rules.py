"""Objects made wrong in one place, and what the answer must say of it."""

import copy
from typing import Any

from tests.apiserver.kit import CONTAINER, Answer, Api, body, path

Json = dict[str, Any]


def merged(target: Any, patch: Any) -> Any:
    """`target` with `patch` laid over it; `...` takes a field away."""
    if not isinstance(patch, dict):
        return copy.deepcopy(patch)
    result = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is ...:
            result.pop(name, None)
        else:
            result[name] = merged(result.get(name), value)
    return result


def one(**container: Any) -> Json:
    """A pod's spec with this one container."""
    return {"spec": {"containers": [{**CONTAINER, **container}]}}


def assert_fields(answer: Answer, *wanted: str) -> None:
    """The answer is `Invalid`, and names fields that begin as wanted, no others."""
    assert (answer.status, answer.body["reason"]) == (422, "Invalid"), answer.body
    found = {field for field, _ in answer.causes}
    assert all(any(field.startswith(path) for path in wanted) for field in found), found
    assert all(any(field.startswith(path) for field in found) for path in wanted), found
    for field, text in answer.causes:
        assert f"{field}: {text}" in answer.message


async def refused(api: Api, kind: str, wrong: Json, *fields: str) -> None:
    answer = await api.ask("POST", path(kind), merged(body(kind), wrong))
    assert_fields(answer, *fields)
    assert (await api.get(path(kind, "it"))).status == 404
