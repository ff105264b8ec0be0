"""Who a pod is."""

import pytest

from tests.apiserver.kit import Answer, Api, Json, path

ACCOUNTS = "/api/v1/namespaces/default/serviceaccounts"
ENFORCED = {"annotations": {"kubernetes.io/enforce-mountable-secrets": "true"}}


async def account(api: Api, name: str, meta: Json | None = None, **more: object) -> None:
    sent = {"metadata": {"name": name, **(meta or {})}, **more}
    assert (await api.ask("POST", ACCOUNTS, sent)).status == 201


async def posted(
    api: Api, meta: Json | None = None, container: Json | None = None, **spec: object
) -> Answer:
    main = {"name": "main", "image": "x", **(container or {})}
    sent = {"metadata": {"name": "it", **(meta or {})}, "spec": {"containers": [main], **spec}}
    return await api.ask("POST", path("Pod"), sent)


async def test_a_pod_is_default_unless_it_says_otherwise(api: Api) -> None:
    spec = (await posted(api)).body["spec"]
    assert (spec["serviceAccountName"], spec["serviceAccount"]) == ("default", "default")


async def test_a_new_namespace_takes_pods_before_it_has_an_account(api: Api) -> None:
    await api.ask("POST", "/api/v1/namespaces", {"metadata": {"name": "new"}})
    sent = {"metadata": {"name": "it"}, "spec": {"containers": [{"name": "a", "image": "x"}]}}
    answer = await api.ask("POST", path("Pod", namespace="new"), sent)
    assert answer.status == 201, answer.body


async def test_any_other_account_must_be_there(api: Api) -> None:
    answer = await posted(api, serviceAccountName="robot")
    assert (answer.status, answer.message) == (
        403,
        'pods "it" is forbidden: error looking up service account default/robot: '
        'serviceaccount "robot" not found',
    )


async def test_it_pulls_with_the_secrets_of_its_account(api: Api) -> None:
    await account(api, "robot", imagePullSecrets=[{"name": "registry"}])
    answer = await posted(api, serviceAccountName="robot")
    assert answer.body["spec"]["imagePullSecrets"] == [{"name": "registry"}]


def env(secret: str) -> Json:
    source = {"secretKeyRef": {"name": secret, "key": "k"}}
    return {"env": [{"name": "A", "valueFrom": source}]}


ENDING = "is not allowed because service account robot does not reference that secret"


@pytest.mark.parametrize(
    ("container", "spec", "why"),
    [
        (env("own"), {}, ""),
        (
            env("theirs"),
            {},
            f'container main with envVar A referencing secret.secretName="theirs" {ENDING}',
        ),
        (
            {},
            {"volumes": [{"name": "v", "secret": {"secretName": "theirs"}}]},
            f'volume with secret.secretName="theirs" {ENDING}',
        ),
        (
            {},
            {"imagePullSecrets": [{"name": "theirs"}]},
            'imagePullSecrets[0].name="theirs" is not allowed because service account robot does '
            "not reference that imagePullSecret",
        ),
    ],
)
async def test_an_account_may_limit_its_pods_to_its_secrets(
    api: Api, container: Json, spec: Json, why: str
) -> None:
    await account(api, "robot", ENFORCED, secrets=[{"name": "own"}])
    answer = await posted(api, None, container, serviceAccountName="robot", **spec)
    assert answer.status == (403 if why else 201), answer.body
    assert answer.message.endswith(why)


@pytest.mark.parametrize(
    ("container", "spec", "why"),
    [
        ({}, {}, ""),
        ({}, {"serviceAccountName": "default"}, "a mirror pod may not reference service accounts"),
        (env("own"), {}, "a mirror pod may not reference secrets"),
    ],
)
async def test_the_copy_of_a_nodes_own_pod_has_no_account(
    api: Api, container: Json, spec: Json, why: str
) -> None:
    mirror = {"annotations": {"kubernetes.io/config.mirror": "abc"}}
    answer = await posted(api, mirror, container, nodeName="here", **spec)
    assert answer.status == (403 if why else 201), answer.body
    assert answer.message.endswith(why)
