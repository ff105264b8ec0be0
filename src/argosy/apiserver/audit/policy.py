"""The audit policy: what is told of which requests. The first rule that fits decides.

The rules, their validation and its words are kube-apiserver's (`audit.k8s.io/v1` Policy). Requests
whose bodies are tokens are told at `Metadata` at most, whatever a rule says: upstream leaves that
to who writes the policy.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import yaml

from argosy.api.names import subdomain_faults
from argosy.apiserver.authorization.attributes import Attributes
from argosy.base.errors import FieldError, invalid_value, not_supported, required

API_VERSION = "audit.k8s.io/v1"
LEVELS = ("None", "Metadata", "Request", "RequestResponse")
STAGES = ("RequestReceived", "ResponseStarted", "ResponseComplete", "Panic")
METADATA, REQUEST, RESPONSE = 1, 2, 3
"""Levels by their places in `LEVELS`: a higher one tells more."""
TOKENS = frozenset({("authentication.k8s.io", "tokenreviews"), ("", "serviceaccounts/token")})
"""Group and resource of requests whose bodies, or answers, hold a token."""
SECRETS = TOKENS | {("", "secrets")}
"""Those whose bodies are confidential: even words about what is wrong with them may be."""


class PolicyError(Exception):
    """The policy can't be used; the text says why."""


class Covered(msgspec.Struct, rename="camel", forbid_unknown_fields=True, frozen=True):
    """Resources of a group: upstream's GroupResources."""

    group: str = ""
    resources: list[str] = []
    resource_names: list[str] = []

    def covers(self, asked: Attributes) -> bool:
        """Whether the request is about one of them."""
        if self.group not in ("*", asked.group):
            return False
        if not self.resources:
            return True
        if self.resource_names and asked.name not in self.resource_names:
            return False
        whole, below = asked.whole_resource, asked.subresource
        names = {"*", whole, f"{asked.resource}/*"}
        return any(name in names or (below and name == f"*/{below}") for name in self.resources)


class Rule(msgspec.Struct, rename="camel", forbid_unknown_fields=True, frozen=True):
    """One rule of the policy; an empty list means all."""

    level: str = ""
    users: list[str] = []
    user_groups: list[str] = []
    verbs: list[str] = []
    resources: list[Covered] = []
    namespaces: list[str] = []
    non_resource_urls: list[str] = msgspec.field(default_factory=list, name="nonResourceURLs")
    omit_stages: list[str] = []
    omit_managed_fields: bool | None = None

    def fits(self, asked: Attributes) -> bool:
        """Whether it decides for the request."""
        user = asked.user
        if self.users and user.name not in self.users:
            return False
        if self.user_groups and not set(self.user_groups).intersection(user.groups):
            return False
        if self.verbs and asked.verb not in self.verbs:
            return False
        if self.namespaces or self.resources:
            return asked.path is None and self._covers(asked)
        if self.non_resource_urls:
            path = asked.path
            return path is not None and any(_matches(path, url) for url in self.non_resource_urls)
        return True

    def _covers(self, asked: Attributes) -> bool:
        if self.namespaces and asked.namespace not in self.namespaces:
            return False
        return not self.resources or any(item.covers(asked) for item in self.resources)


@dataclass(frozen=True, slots=True)
class Treatment:
    """What is told of a request: its level (a place in `LEVELS`), and what is left out."""

    level: int
    omitted: frozenset[str]
    omit_managed_fields: bool


class Written(msgspec.Struct, rename="camel", forbid_unknown_fields=True, frozen=True):
    """A whole policy, as it stands in its file."""

    api_version: str = ""
    kind: str = ""
    metadata: dict[str, Any] = {}
    rules: list[Rule] = []
    omit_stages: list[str] = []
    omit_managed_fields: bool = False


class Policy:
    """Decides what is told of a request; asked of each, so all answers are made before."""

    def __init__(self, written: Written) -> None:
        self._rules = [(rule, _treatment(written, rule)) for rule in written.rules]
        stages, omits = frozenset(written.omit_stages), written.omit_managed_fields
        self._tokens = {
            treatment: Treatment(METADATA, treatment.omitted, treatment.omit_managed_fields)
            for _, treatment in self._rules
        }
        self._default = Treatment(0, stages, omits)

    def treatment(self, asked: Attributes) -> Treatment:
        """What is told of the request."""
        for rule, treatment in self._rules:
            if rule.fits(asked):
                if treatment.level <= METADATA or (asked.group, asked.whole_resource) not in TOKENS:
                    return treatment
                return self._tokens[treatment]
        return self._default


def _treatment(written: Written, rule: Rule) -> Treatment:
    own = rule.omit_managed_fields
    return Treatment(
        LEVELS.index(rule.level),
        frozenset((*written.omit_stages, *rule.omit_stages)),
        written.omit_managed_fields if own is None else own,
    )


def read(file: Path) -> Policy:
    """The policy in `file`. Raises PolicyError."""
    try:
        return parse(file.read_bytes())
    except OSError as error:
        text = f'failed to read file path "{file}": {error.strerror}'
    except PolicyError as error:
        text = f"{error}: from file {file}"
    raise PolicyError(f"loading audit policy file: {text}")


def parse(text: bytes) -> Policy:
    """The policy in YAML or JSON. Raises PolicyError."""
    try:
        found = yaml.safe_load(text)
        given = found if isinstance(found, dict) else {}
        if (given.get("apiVersion"), given.get("kind")) != (API_VERSION, "Policy"):
            group, _, version = str(given.get("apiVersion") or "").rpartition("/")
            shown = f"{group}/{version}, Kind={given.get('kind') or ''}"
            raise PolicyError(f"unknown group version field {shown} in policy")
        written = msgspec.convert(_without_nulls(given), Written)
    except (yaml.YAMLError, msgspec.ValidationError, RecursionError) as error:
        raise PolicyError(f"failed decoding: {error}") from None
    if errors := list(faults(written)):
        shown = ", ".join(map(str, errors))
        raise PolicyError(f"[{shown}]" if len(errors) > 1 else shown)
    if not written.rules:
        raise PolicyError("loaded illegal policy with 0 rules")
    return Policy(written)


def _without_nulls(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _without_nulls(item) for name, item in value.items() if item is not None}
    return [_without_nulls(item) for item in value] if isinstance(value, list) else value


def faults(written: Written) -> Iterator[FieldError]:
    """What is wrong with it, in upstream's words."""
    yield from _stage_faults(written.omit_stages, "omitStages")
    for index, rule in enumerate(written.rules):
        yield from _rule_faults(rule, f"rules[{index}]")


def _rule_faults(rule: Rule, path: str) -> Iterator[FieldError]:
    if not rule.level:
        yield required(f"{path}.level")
    elif rule.level not in LEVELS:
        yield not_supported(f"{path}.level", rule.level, LEVELS)
    yield from _url_faults(rule.non_resource_urls, f"{path}.nonResourceURLs")
    for item in rule.resources:
        yield from _resource_faults(item, f"{path}.resources")
    yield from _stage_faults(rule.omit_stages, f"{path}.omitStages")
    if rule.non_resource_urls and (rule.resources or rule.namespaces):
        detail = "rules cannot apply to both regular resources and non-resource URLs"
        yield invalid_value(f"{path}.nonResourceURLs", rule.non_resource_urls, detail)


def _url_faults(urls: list[str], path: str) -> Iterator[FieldError]:
    for index, url in enumerate(urls):
        field = f"{path}[{index}]"
        if url != "*" and not url.startswith("/"):
            detail = "non-resource URL rules must begin with a '/' character"
            yield invalid_value(field, url, detail)
        if "*" in url[:-1]:
            detail = "non-resource URL wildcards '*' must be the final character of the rule"
            yield invalid_value(field, url, detail)


def _resource_faults(item: Covered, path: str) -> Iterator[FieldError]:
    if item.group not in ("", "*") and (wrong := subdomain_faults(item.group)):
        yield invalid_value(f"{path}.group", item.group, ",".join(wrong))
    if item.resource_names and not item.resources:
        detail = "using resourceNames requires at least one resource"
        yield invalid_value(f"{path}.resourceNames", item.resource_names, detail)


def _stage_faults(stages: list[str], path: str) -> Iterator[FieldError]:
    for index, stage in enumerate(stages):
        if stage not in STAGES:
            detail = f"allowed stages are {','.join(STAGES)}"
            yield invalid_value(f"{path}[{index}]", stage, detail)


def _matches(path: str, url: str) -> bool:
    if url.endswith("*"):
        return path.startswith(url.rstrip("*"))
    return path == url
