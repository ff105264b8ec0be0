"""The table of what there is below an object."""

from argosy.api.resources.table import BUILT_IN
from argosy.apiserver.subresources import known_as, names_of, subresources


def test_all_that_is_promised_works() -> None:
    known = subresources(None)
    promised = [(resource, name) for resource in BUILT_IN for name in names_of(resource)]

    assert promised
    assert not [name for resource, name in promised if known_as(known, resource, name) is None]
