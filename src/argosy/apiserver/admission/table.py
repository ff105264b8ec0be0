"""The admission plugins, in the order in which they run within each phase.

The order is kube-apiserver's, and so is what is on; what is not upstream's stands where upstream
has that step outside of its chain. A plugin without rules is a place for what comes.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

from argosy.apiserver.admission import pod_security
from argosy.apiserver.admission.certificate_approval import may_approve
from argosy.apiserver.admission.certificate_requester import requester
from argosy.apiserver.admission.certificate_signing import may_sign
from argosy.apiserver.admission.certificate_subject import no_masters
from argosy.apiserver.admission.claim_resize import may_grow
from argosy.apiserver.admission.default_tolerations import tolerate_for_a_while
from argosy.apiserver.admission.in_use import POD_GROUPS, STORAGE
from argosy.apiserver.admission.ingress_class import default_ingress_class
from argosy.apiserver.admission.job_parallelism import keep_parallelism
from argosy.apiserver.admission.limit_ranger import LimitRanger
from argosy.apiserver.admission.namespace import namespace_exists
from argosy.apiserver.admission.node_features import node_can_follow
from argosy.apiserver.admission.node_restriction import restrict_nodes
from argosy.apiserver.admission.node_taint import taint_not_ready
from argosy.apiserver.admission.pod_group_workload import workload_exists
from argosy.apiserver.admission.pod_resize import fits_its_node
from argosy.apiserver.admission.policy.enforced import MutatingPolicies, ValidatingPolicies
from argosy.apiserver.admission.policy.followed import Registry
from argosy.apiserver.admission.policy.params import Params
from argosy.apiserver.admission.policy.versions import Versions
from argosy.apiserver.admission.policy.written import Written
from argosy.apiserver.admission.priority import Priority
from argosy.apiserver.admission.protected import PROTECTED, stays
from argosy.apiserver.admission.rbac_escalation import RESOURCES as GRANTING
from argosy.apiserver.admission.rbac_escalation import NoEscalation
from argosy.apiserver.admission.resource_quota import ResourceQuotas
from argosy.apiserver.admission.rule import CREATE, DELETE, EVERY, UPDATE, WRITES, Plugin
from argosy.apiserver.admission.runtime_class import RuntimeClasses
from argosy.apiserver.admission.service_account import ServiceAccounts
from argosy.apiserver.admission.service_addresses import ServiceAddresses
from argosy.apiserver.admission.storage_class import default_storage_class
from argosy.apiserver.admission.topology_labels import label_by_topology
from argosy.apiserver.admission.trainjob import runtime_exists
from argosy.apiserver.admission.trust_bundle import may_attest
from argosy.apiserver.admission.webhooks.calling import Calls
from argosy.apiserver.admission.webhooks.mutating import MutatingWebhooks
from argosy.apiserver.admission.webhooks.validating import ValidatingWebhooks
from argosy.apiserver.admission.webhooks.written import conditions_compile
from argosy.apiserver.authorization.roles import Roles
from argosy.apiserver.catalog import Catalog
from argosy.base.clock import timestamp
from argosy.store.interface import Store

if TYPE_CHECKING:
    from argosy.apiserver.extensions.conversions import Conversions


def _of(*resources: str) -> frozenset[str]:
    return frozenset(resources)


PODS, NEW_CLAIMS = _of("pods"), _of("pods", "persistentvolumeclaims")
CLAIMS, GROWING = _of("persistentvolumeclaims"), _of("pods/resize", "persistentvolumeclaims")
DEBUGGED, RESIZED, BOUND = (
    _of("pods/ephemeralcontainers"),
    _of("pods/resize"),
    _of("pods", "pods/binding"),
)
RUNNING, GROUPS = _of("pods", "pods/resize"), _of("podgroups.scheduling.k8s.io")
CLASSES = _of("priorityclasses.scheduling.k8s.io")
REQUESTS = "certificatesigningrequests.certificates.k8s.io"
WEBHOOKS = _of(
    "mutatingwebhookconfigurations.admissionregistration.k8s.io",
    "validatingwebhookconfigurations.admissionregistration.k8s.io",
)
POLICIES = _of(
    "mutatingadmissionpolicies.admissionregistration.k8s.io",
    "validatingadmissionpolicies.admissionregistration.k8s.io",
)
EVENTS = _of("events", "events.events.k8s.io")
BUNDLES = _of("clustertrustbundles.certificates.k8s.io")


def plugins(
    store: Store,
    roles: Roles,
    catalog: Catalog,
    conversions: "Callable[[], Conversions]",
    calls: Calls,
) -> tuple[Plugin, ...]:
    """All that there are, for a server that keeps its objects in `store`."""
    params = Params(Versions(store, catalog, conversions))
    last = _last(store, roles, catalog, params, calls)
    return (*_who_and_how_much(), *_completed(), *_COVERED, *last)


def _who_and_how_much() -> tuple[Plugin, ...]:
    limits, accounts = LimitRanger(), ServiceAccounts()
    bounds, account = limits.check, accounts.check
    return (
        Plugin("Protected", _of(*PROTECTED), DELETE, mutate=stays),
        Plugin("NamespaceLifecycle", None, CREATE, mutate=namespace_exists),
        Plugin("LimitRanger", NEW_CLAIMS, CREATE, mutate=limits.complete, validate=bounds),
        Plugin("LimitRanger", GROWING, UPDATE, mutate=limits.complete, validate=bounds),
        Plugin("ServiceAccount", PODS, CREATE, mutate=accounts.complete, validate=account),
        Plugin("ServiceAccount", DEBUGGED, UPDATE, validate=account),
        Plugin("NodeRestriction", None, EVERY, mutate=restrict_nodes),
        Plugin("TaintNodesByCondition", _of("nodes"), CREATE, mutate=taint_not_ready),
    )


def _completed() -> tuple[Plugin, ...]:
    priority, runtimes, security = Priority(), RuntimeClasses(), pod_security.PodSecurity()
    runtime = runtimes.check
    return (
        Plugin("PodSecurity", pod_security.RESOURCES, WRITES, validate=security),
        Plugin("Priority", PODS, WRITES, mutate=priority.set_priority),
        Plugin("Priority", CLASSES, WRITES, validate=priority.one_default),
        Plugin("DefaultTolerationSeconds", PODS, WRITES, mutate=tolerate_for_a_while),
        Plugin("EventRateLimit", EVENTS, WRITES),
        Plugin("DefaultStorageClass", CLAIMS, CREATE, mutate=default_storage_class),
        *(
            Plugin("StorageObjectInUseProtection", _of(kind), CREATE, mutate=protect)
            for kind, protect in STORAGE.items()
        ),
        Plugin("PodGroupProtection", GROUPS, CREATE, mutate=POD_GROUPS),
        Plugin("PersistentVolumeClaimResize", CLAIMS, UPDATE, validate=may_grow),
        Plugin("RuntimeClass", PODS, CREATE, mutate=runtimes.complete, validate=runtime),
    )


_COVERED = (
    Plugin("CertificateApproval", _of(f"{REQUESTS}/approval"), UPDATE, validate=may_approve),
    Plugin("CertificateSigning", _of(f"{REQUESTS}/status"), UPDATE, validate=may_sign),
    Plugin("ClusterTrustBundleAttest", BUNDLES, WRITES, validate=may_attest),
    Plugin("CertificateSubjectRestriction", _of(REQUESTS), CREATE, validate=no_masters),
    Plugin(
        "DefaultIngressClass",
        _of("ingresses.networking.k8s.io"),
        CREATE,
        mutate=default_ingress_class,
    ),
    Plugin("PodTopologyLabels", BOUND, CREATE, mutate=label_by_topology),
    Plugin("PodGroupWorkloadExists", GROUPS, CREATE, validate=workload_exists),
    Plugin("NodeDeclaredFeatureValidator", RUNNING, UPDATE, validate=node_can_follow),
    Plugin("JobValidation", _of("jobs.batch"), UPDATE, validate=keep_parallelism),
    Plugin("PodResizeValidator", RESIZED, UPDATE, validate=fits_its_node),
)


def _last(
    store: Store, roles: Roles, catalog: Catalog, params: Params, calls: Calls
) -> tuple[Plugin, ...]:
    addresses, jobs = ServiceAddresses(store), _of("trainjobs.trainer.kubeflow.org")
    registry = Registry(store)
    policies = ValidatingPolicies(registry, params)
    changing = MutatingPolicies(registry, params, lambda: timestamp(calls.clock.now()))
    mutating = MutatingWebhooks(registry, params.versions, calls)
    validating = ValidatingWebhooks(registry, params.versions, calls)
    return (
        Plugin("MutatingAdmissionPolicy", None, EVERY, mutate=changing),
        Plugin("MutatingAdmissionWebhook", None, EVERY, mutate=mutating),
        Plugin("ServiceAddresses", _of("services"), WRITES, mutate=addresses),
        Plugin("CertificateRequester", _of(REQUESTS), CREATE, mutate=requester),
        Plugin("TrainJobRuntime", jobs, CREATE, validate=runtime_exists),
        Plugin("RBACEscalation", GRANTING, WRITES, validate=NoEscalation(roles)),
        Plugin("WebhookConditions", WEBHOOKS, WRITES, validate=conditions_compile),
        Plugin("PolicyExpressions", POLICIES, WRITES, validate=Written(catalog)),
        Plugin("ValidatingAdmissionPolicy", None, EVERY, validate=policies),
        Plugin("ValidatingAdmissionWebhook", None, EVERY, validate=validating),
        Plugin("ResourceQuota", None, WRITES | DELETE, validate=ResourceQuotas(store)),
    )
