"""Plain scalars: what they are, and what they are not."""

from typing import Any

import pytest
import yaml

from argosy.base.yamlscalars import resolvers


class Loader(yaml.SafeLoader):
    """A loader that reads scalars as Kubernetes does."""


Loader.yaml_implicit_resolvers = resolvers()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1", 1),
        ("-12", -12),
        ("0", 0),
        ("010", 8),
        ("0x1F", 31),
        ("1.5", 1.5),
        ("1e3", 1000.0),
        (".5", 0.5),
        ("-.inf", float("-inf")),
        ("true", True),
        ("~", None),
        ("1:30", "1:30"),
        ("=", "="),
        ("2001-12-14", "2001-12-14"),
        ("2001-12-14T21:59:43Z", "2001-12-14T21:59:43Z"),
        ("1.2.3", "1.2.3"),
        ("1Gi", "1Gi"),
        ("+", "+"),
        (".", "."),
        ("1_", 1),
    ],
)
def test_scalars(text: str, expected: Any) -> None:
    found = yaml.load(text, Loader=Loader)
    assert (found, type(found)) == (expected, type(expected))
