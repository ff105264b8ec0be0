"""ServiceAccount: who a pod is. It names an account that is there, or is `default`.

The account `default` is made by a controller, in every namespace, and made anew when it is deleted.
Upstream's plugin waits for it for a second; here nothing waits, and a pod may be `default` before
that account is there: the outcome is the same. Every other account must be there already.
"""

from collections.abc import Iterator

from argosy.api.resources.core import SERVICE_ACCOUNT
from argosy.apiserver.admission.rule import Attributes, Json
from argosy.apiserver.admission.token_volume import mount, wanted
from argosy.apiserver.admission.views import Views

DEFAULT = "default"
MIRROR = "kubernetes.io/config.mirror"
ENFORCED = "kubernetes.io/enforce-mountable-secrets"
TRUE = ("1", "t", "T", "TRUE", "true", "True")
GROUPS = (("initContainers", "init container"), ("containers", "container"))
DEBUGGING = (("ephemeralContainers", "ephemeral container"),)


class ServiceAccounts:
    """The rules of both phases, which share what they know of accounts."""

    def __init__(self) -> None:
        self._accounts: Views[Json] = Views(lambda obj: obj)

    def complete(self, attributes: Attributes) -> None:
        """Say who the pod is, and what it may pull its images with."""
        spec = attributes.new["spec"]
        if _is_mirror(attributes.new):
            return
        name = spec.get("serviceAccountName")
        if not name:
            name = spec["serviceAccountName"] = DEFAULT
        spec["serviceAccount"] = name
        account = self._of(attributes, name)
        if wanted(spec, account):
            mount(spec, attributes.target.namespace, name)
        pulls = account.get("imagePullSecrets")
        if pulls and not spec.get("imagePullSecrets"):
            spec["imagePullSecrets"] = [{"name": one.get("name", "")} for one in pulls]

    def check(self, attributes: Attributes) -> None:
        """Refuse an account that is not there, and secrets that are not the account's."""
        pod = attributes.new
        if _is_mirror(pod):
            fault = _mirror_fault(pod)
            if fault:
                raise attributes.refusal(fault)
            return
        name = pod["spec"].get("serviceAccountName")
        if not name:
            where = f"{attributes.target.namespace}/{pod['metadata'].get('name', '')}"
            raise attributes.refusal(f"no service account specified for pod {where}")
        account = self._of(attributes, name)
        annotations = (account.get("metadata") or {}).get("annotations") or {}
        if annotations.get(ENFORCED) in TRUE:
            debugging = bool(attributes.target.subresource)
            for fault in _foreign(pod["spec"], account, debugging=debugging):
                raise attributes.refusal(fault)

    def _of(self, attributes: Attributes, name: str) -> Json:
        namespace = attributes.target.namespace
        record = attributes.look(SERVICE_ACCOUNT.key(namespace, name))
        if record is not None:
            return self._accounts.of(record)
        if name == DEFAULT:
            return {}
        raise attributes.refusal(
            f"error looking up service account {namespace}/{name}: "
            f'serviceaccount "{name}" not found'
        )


def _is_mirror(pod: Json) -> bool:
    return MIRROR in (pod["metadata"].get("annotations") or {})


def _mirror_fault(pod: Json) -> str:
    """What the copy of a pod that a node runs by itself may not have."""
    spec = pod["spec"]
    if spec.get("serviceAccountName"):
        return "a mirror pod may not reference service accounts"
    if any(secrets_of(spec)):
        return "a mirror pod may not reference secrets"
    projected = (volume.get("projected") or {} for volume in spec.get("volumes") or ())
    sources = (source for one in projected for source in one.get("sources") or ())
    if any(source.get("serviceAccountToken") is not None for source in sources):
        return "a mirror pod may not use ServiceAccountToken volume projections"
    return ""


def secrets_of(spec: Json) -> Iterator[str]:
    """The secrets that a pod names, wherever it does."""
    yield from (one.get("name", "") for one in spec.get("imagePullSecrets") or ())
    for group, _ in (*GROUPS, *DEBUGGING):
        for container in spec.get(group) or ():
            yield from (name for name, _ in _of_container(container))
    for volume in spec.get("volumes") or ():
        if volume.get("secret") is not None:
            yield volume["secret"].get("secretName", "")
        for source in (volume.get("projected") or {}).get("sources") or ():
            if source.get("secret") is not None:
                yield source["secret"].get("name", "")


def _of_container(container: Json) -> Iterator[tuple[str, str]]:
    """The secrets in a container's environment, and where they stand."""
    for env in container.get("env") or ():
        reference = (env.get("valueFrom") or {}).get("secretKeyRef")
        if reference is not None:
            yield reference.get("name", ""), f"envVar {env['name']}"
    for source in container.get("envFrom") or ():
        if source.get("secretRef") is not None:
            yield source["secretRef"].get("name", ""), "envFrom"


def _foreign(spec: Json, account: Json, *, debugging: bool) -> Iterator[str]:
    """What the pod uses of secrets that its account, which limits it to its own, does not name."""
    name = account["metadata"]["name"]
    own = {one.get("name") for one in account.get("secrets") or ()}
    ending = f"is not allowed because service account {name} does not reference that"
    for volume in () if debugging else spec.get("volumes") or ():
        secret = (volume.get("secret") or {}).get("secretName")
        if volume.get("secret") is not None and secret not in own:
            yield f'volume with secret.secretName="{secret}" {ending} secret'
    for group, shown in DEBUGGING if debugging else GROUPS:
        for container in spec.get(group) or ():
            for secret, where in _of_container(container):
                if secret not in own:
                    with_ = f"{shown} {container['name']} with {where}"
                    yield f'{with_} referencing secret.secretName="{secret}" {ending} secret'
    pulls = {one.get("name") for one in account.get("imagePullSecrets") or ()}
    for i, one in enumerate(() if debugging else spec.get("imagePullSecrets") or ()):
        if one.get("name") not in pulls:
            shown = f'imagePullSecrets[{i}].name="{one.get("name", "")}"'
            yield f"{shown} {ending} imagePullSecret"
