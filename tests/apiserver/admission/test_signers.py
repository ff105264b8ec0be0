"""Who may approve, sign and attest."""

from collections.abc import Callable

import pytest

from argosy.apiserver.admission.certificate_approval import may_approve
from argosy.apiserver.admission.certificate_signing import may_sign
from argosy.apiserver.admission.rule import Rule
from argosy.apiserver.admission.trust_bundle import may_attest
from argosy.apiserver.authorization.attributes import Attributes as Access
from argosy.apiserver.authorization.authorizer import Decision
from argosy.base.errors import StatusError
from tests.apiserver.admission.kit import asked
from tests.apiserver.kit import Api, Json

GROUP = "certificates.k8s.io"
META: Json = {"name": "it"}
SPEC = {"signerName": "example.com/one"}


def allowing(verb: str, name: str) -> Callable[[Access], Decision]:
    def authorize(wanted: Access) -> Decision:
        assert (wanted.group, wanted.resource) == (GROUP, "signers")
        return Decision((wanted.verb, wanted.name) == (verb, name))

    return authorize


@pytest.mark.parametrize(
    ("rule", "verb", "plural", "subresource"),
    [
        (may_approve, "approve", "certificatesigningrequests", "approval"),
        (may_sign, "sign", "certificatesigningrequests", "status"),
        (may_attest, "attest", "clustertrustbundles", ""),
    ],
)
@pytest.mark.parametrize(
    ("name", "may"),
    [("example.com/one", True), ("example.com/*", True), ("example.com/two", False), ("", False)],
)
async def test_who_speaks_for_a_signer(
    api: Api, rule: Rule, verb: str, plural: str, subresource: str, name: str, may: bool
) -> None:
    old = {"metadata": META, "spec": SPEC}
    new = {**old, "status": {"certificate": "abc"}}
    authorize = allowing(verb, name)
    attributes = asked(
        api, plural, new, old, group=GROUP, subresource=subresource, authorize=authorize
    )
    if may:
        rule(attributes)
        return
    with pytest.raises(StatusError, match='user not permitted to .* signerName "example.com/one"'):
        rule(attributes)


async def test_what_changes_nothing_needs_no_signer(api: Api) -> None:
    old = {"metadata": META, "spec": SPEC, "status": {"certificate": "abc"}}
    new = {**old, "metadata": {**META, "finalizers": ["a/b"]}}
    nobody = allowing("", "")
    requests, bundles = "certificatesigningrequests", "clustertrustbundles"
    may_sign(asked(api, requests, new, old, subresource="status", group=GROUP, authorize=nobody))
    may_attest(asked(api, bundles, new, old, group=GROUP, authorize=nobody))
    unsigned: Json = {"metadata": META, "spec": {}}
    may_attest(asked(api, bundles, unsigned, group=GROUP, authorize=nobody))
