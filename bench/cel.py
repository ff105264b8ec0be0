"""How fast rules are: `python -m bench.cel` prints a table.

The kind has 20 rules of the sorts that the CRDs of Gateway API, Kueue and KServe have; the object
is one of ten listeners.
"""

from statistics import median
from timeit import repeat
from typing import Any

from rich.console import Console
from rich.table import Table

from argosy.api.cel.environment import Environment
from argosy.api.cel.rules import Rules
from argosy.api.cel.rulescompile import compile_rules

LISTENERS = 10
SPEC_RULES = (
    "self.replicas >= 0",
    "self.replicas <= self.most",
    "!has(self.host) || self.host.size() < 64",
    "!has(self.host) || self.host.matches('^[a-z0-9]([-a-z0-9]*[a-z0-9])?$')",
    "self.mode in ['Auto', 'Manual', 'Off']",
    "self.mode == 'Manual' ? has(self.host) : true",
    "has(self.host) || has(self.port)",
    "!(has(self.paused) && self.paused && self.replicas > 5)",
    "self.labels.all(k, k.startsWith('example.com/') || !k.contains('/'))",
    "size(self.labels) <= 16",
    "'app' in self.labels",
    "self.mode == oldSelf.mode",
    "!has(oldSelf.host) || self.host == oldSelf.host",
    "quantity(self.memory).isGreaterThan(quantity('1Mi'))",
    "self.listeners.all(l, l.port > 0 && l.port < 65536)",
    "self.listeners.all(l, l.protocol in ['HTTP', 'HTTPS', 'TLS', 'TCP'])",
    "self.listeners.all(l, l.protocol == 'HTTP' ? !has(l.tls) : true)",
    "self.listeners.exists(l, l.protocol == 'HTTP')",
    "self.listeners.all(l, self.listeners.exists_one(m, m.name == l.name))",
    "self.listeners.map(l, l.port).isSorted()",
)


def schema() -> dict[str, Any]:
    """The kind's openAPIV3Schema."""
    text = {"type": "string", "maxLength": 253}
    listener = {
        "type": "object",
        "required": ["name", "port", "protocol"],
        "properties": {
            "name": text,
            "port": {"type": "integer"},
            "protocol": text,
            "tls": {"type": "object", "properties": {"mode": text}},
        },
    }
    spec = {
        "type": "object",
        "properties": {
            "replicas": {"type": "integer"},
            "most": {"type": "integer"},
            "port": {"type": "integer"},
            "paused": {"type": "boolean"},
            "host": text,
            "mode": text,
            "memory": text,
            "labels": {"type": "object", "maxProperties": 64, "additionalProperties": text},
            "listeners": {"type": "array", "maxItems": 64, "items": listener},
        },
        "x-kubernetes-validations": [{"rule": rule} for rule in SPEC_RULES],
    }
    return {"type": "object", "properties": {"spec": spec}}


def example() -> dict[str, Any]:
    """A typical object of the kind."""
    return {
        "apiVersion": "example.com/v1",
        "kind": "Gateway",
        "metadata": {"name": "main"},
        "spec": {
            "replicas": 3,
            "most": 10,
            "host": "main-gateway",
            "mode": "Auto",
            "memory": "64Mi",
            "labels": {"app": "web", "example.com/tier": "front"},
            "listeners": [
                {"name": f"l{at}", "port": 8000 + at, "protocol": "HTTP"} for at in range(LISTENERS)
            ],
        },
    }


def main() -> None:
    """Prints the table."""
    rules = compile_rules(schema())
    assert isinstance(rules, Rules), rules
    old, new = example(), example()
    assert rules.validate(new, old) == []
    shared = Environment({"x": "dyn"})
    table = Table("what", "µs", title=f"CEL: {len(SPEC_RULES)} rules, {LISTENERS} listeners")
    rows = (
        ("validate an update, all rules", lambda: rules.validate(new, old), 200),
        ("compile the schema", lambda: compile_rules(schema()), 3),
        ("compile one expression, same types", lambda: shared.compile("x.a == 1 || x.b > 2"), 50),
    )
    for name, run, number in rows:
        times = repeat(run, number=number, repeat=7)
        table.add_row(name, f"{median(times) / number * 1e6:,.0f}")
    Console().print(table)


if __name__ == "__main__":
    main()
