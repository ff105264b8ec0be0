"""The rules, in the order in which they run."""

from argosy.apiserver.admission.namespace import namespace_exists
from argosy.apiserver.admission.rule import Rule
from argosy.apiserver.admission.trainjob import runtime_exists

RULES: tuple[Rule, ...] = (
    namespace_exists,
    runtime_exists,
)
