"""FlowSchemas and PriorityLevelConfigurations, as far as they are acted on."""

from typing import Any, Literal

import msgspec

Json = dict[str, Any]


class _Part(msgspec.Struct, frozen=True, rename="camel"):
    pass


class Meta(_Part, frozen=True):
    """What is needed of an object's metadata."""

    name: str = ""
    uid: str = ""


class Named(_Part, frozen=True):
    """A user or group by name, an account also by its namespace."""

    name: str
    namespace: str = ""


class Subject(_Part, frozen=True):
    """Whom a rule is about; `kind` says which of the three it is."""

    kind: str
    user: Named | None = None
    group: Named | None = None
    service_account: Named | None = None


class ResourceRule(_Part, frozen=True):
    """Requests to resources."""

    verbs: list[str]
    api_groups: list[str]
    resources: list[str]
    cluster_scope: bool = False
    namespaces: list[str] = []


class PathRule(_Part, frozen=True):
    """Requests to other paths."""

    verbs: list[str]
    non_resource_urls: list[str] = msgspec.field(name="nonResourceURLs")


class Rule(_Part, frozen=True):
    """Who asks, and for what."""

    subjects: list[Subject]
    resource_rules: list[ResourceRule] = []
    non_resource_rules: list[PathRule] = []


class Method(_Part, frozen=True):
    """What tells the flows of a schema apart."""

    type: str


class Reference(_Part, frozen=True):
    """A priority level by name."""

    name: str


class SchemaSpec(_Part, frozen=True):
    """What a flow schema says."""

    priority_level_configuration: Reference
    matching_precedence: int = 1000
    distinguisher_method: Method | None = None
    rules: list[Rule] = []


class FlowSchema(_Part, frozen=True):
    """Which requests belong to which level."""

    metadata: Meta
    spec: SchemaSpec


class Queuing(_Part, frozen=True):
    """How a level's requests wait."""

    queues: int = 64
    hand_size: int = 8
    queue_length_limit: int = 50


class LimitResponse(_Part, frozen=True):
    """What happens to requests that find no seat."""

    type: Literal["Queue", "Reject"]
    queuing: Queuing | None = None


class Limited(_Part, frozen=True):
    """A level's share, what it lends, and what it may borrow."""

    limit_response: LimitResponse
    nominal_concurrency_shares: int = 30
    lendable_percent: int = 0
    borrowing_limit_percent: int | None = None


class Exempt(_Part, frozen=True):
    """What is set aside for the exempt level, and how much of it may be lent."""

    nominal_concurrency_shares: int = 0
    lendable_percent: int = 0


class LevelSpec(_Part, frozen=True):
    """What a priority level says."""

    type: Literal["Exempt", "Limited"]
    limited: Limited | None = None
    exempt: Exempt | None = None


class PriorityLevel(_Part, frozen=True):
    """How many requests may be in progress, and what becomes of the others."""

    metadata: Meta
    spec: LevelSpec
