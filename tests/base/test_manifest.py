"""Objects as YAML: as people write them."""

import yaml

from argosy.base.manifest import dumped


def test_documents_without_anchors_in_the_order_given() -> None:
    text = {"type": "string"}
    found = dumped({"kind": "B", "a": [text, text]}, {"kind": "on", "line": "x " * 100})
    assert "&" not in found and "*" not in found
    assert found.startswith("kind: B\na:\n- type: string\n- type: string\n---\nkind: 'on'\n")
    assert len(list(yaml.safe_load_all(found))) == 2
    assert max(map(len, found.splitlines())) > 200  # nothing is folded
