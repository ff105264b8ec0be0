"""Who asks for a certificate is who asks, whatever the request says of that itself."""

import base64
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.apiserver.kit import MERGE, Api

Json = dict[str, Any]
WHERE = "/apis/certificates.k8s.io/v1/certificatesigningrequests"
FORGED = {
    "username": "system:node:other",
    "uid": "forged",
    "groups": ["system:masters"],
    "extra": {"a": ["b"]},
}
EVE = {
    "impersonate-user": "eve",
    "impersonate-group": "staff",
    "impersonate-uid": "u-eve",
    "impersonate-extra-scopes": "view",
}


def body(**spec: Any) -> Json:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "jane")])
    asked = x509.CertificateSigningRequestBuilder().subject_name(name).sign(key, hashes.SHA256())
    text = base64.b64encode(asked.public_bytes(serialization.Encoding.PEM)).decode()
    signer = "kubernetes.io/kube-apiserver-client"
    given = {"request": text, "signerName": signer, "usages": ["client auth"], **spec}
    return {"metadata": {"name": "it"}, "spec": given, "status": {"certificate": "Zm9yZ2Vk"}}


@pytest.mark.parametrize("forged", [{}, FORGED])
async def test_the_request_is_of_who_asks(api: Api, forged: Json) -> None:
    made = await api.ask("POST", WHERE, body(**forged))
    assert made.status == 201, made.body
    spec = made.body["spec"]
    assert spec["username"] == "system:apiserver"
    assert spec["groups"] == ["system:masters", "system:authenticated"]
    assert {"uid", "extra"}.isdisjoint(spec)
    assert not made.body.get("status")


async def test_it_is_of_whom_they_act_as(api: Api) -> None:
    rule = {"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}
    group = "/apis/rbac.authorization.k8s.io/v1"
    role = {"metadata": {"name": "all"}, "rules": [rule]}
    await api.ask("POST", f"{group}/clusterroles", role)
    subject = {"kind": "User", "name": "eve", "apiGroup": "rbac.authorization.k8s.io"}
    ref = {"kind": "ClusterRole", "name": "all", "apiGroup": "rbac.authorization.k8s.io"}
    binding = {"metadata": {"name": "all"}, "subjects": [subject], "roleRef": ref}
    await api.ask("POST", f"{group}/clusterrolebindings", binding)

    made = await api.ask("POST", WHERE, body(**FORGED), headers=EVE)
    assert made.status == 201, made.body
    spec = made.body["spec"]
    assert (spec["username"], spec["uid"]) == ("eve", "u-eve")
    assert spec["groups"] == ["staff", "system:authenticated"]
    assert spec["extra"] == {"scopes": ["view"]}


async def test_it_stays(api: Api) -> None:
    await api.ask("POST", WHERE, body())
    for where in (f"{WHERE}/it", f"{WHERE}/it/status", f"{WHERE}/it/approval"):
        changed = await api.ask("PATCH", where, {"spec": FORGED}, kind=MERGE)
        assert changed.status == 200, changed.body
        assert changed.body["spec"]["username"] == "system:apiserver"
