"""Objects as YAML documents, as people write them: without anchors, in the order given."""

from typing import Any

import yaml


class _Dumper(yaml.SafeDumper):
    def ignore_aliases(self, data: Any) -> bool:
        return True


def dumped(*bodies: dict[str, Any]) -> str:
    """The objects as YAML documents."""
    return yaml.dump_all(bodies, Dumper=_Dumper, sort_keys=False, width=2**20)
