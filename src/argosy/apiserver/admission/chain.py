"""The rules, in the order in which they run."""

from argosy.apiserver.admission.namespace import namespace_exists
from argosy.apiserver.admission.rule import Rule
from argosy.apiserver.admission.service_addresses import ServiceAddresses
from argosy.apiserver.admission.trainjob import runtime_exists
from argosy.store.interface import Store


def rules(store: Store) -> tuple[Rule, ...]:
    """The rules of a server that keeps its objects in `store`."""
    return (
        namespace_exists,
        runtime_exists,
        ServiceAddresses(store),
    )
