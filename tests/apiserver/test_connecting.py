"""What admission is shown of those who connect."""

from typing import Any

import pytest

from argosy.apiserver.connecting import connection

CASES: list[tuple[str, str, str, dict[str, Any]]] = [
    (
        "PodExecOptions",
        "command=sh&command=-c&stdin=true&stdout=1&tty=false&container=a",
        "",
        {"command": ["sh", "-c"], "stdin": True, "stdout": True, "container": "a"},
    ),
    ("PodAttachOptions", "stderr=&command=sh", "", {"stderr": True}),
    ("PodPortForwardOptions", "ports=80,81&ports=9&ports=x", "", {"ports": [80, 81, 9]}),
    ("ServiceProxyOptions", "a=b", "c/d", {"path": "/c/d"}),
    ("NodeProxyOptions", "", "", {}),
]


@pytest.mark.parametrize(("kind", "query", "path", "wanted"), CASES)
def test_the_query_becomes_options(
    kind: str, query: str, path: str, wanted: dict[str, Any]
) -> None:
    assert connection(kind, query, path) == {"kind": kind, "apiVersion": "v1", **wanted}
