"""`rbac.authorization.k8s.io`, `certificates.k8s.io` and `admissionregistration.k8s.io`."""

from argosy.api.resource import AGE, NAME, Column
from argosy.api.resources.built_in import also, blank, built_in, wide
from argosy.api.resources.core import CREATED

RBAC = "rbac.authorization.k8s.io"
CERTIFICATES = "certificates.k8s.io"
ADMISSION = "admissionregistration.k8s.io"
EXTENSIONS = ("api-extensions",)

SUBJECTS = (
    Column("Role", "role-reference"),
    AGE,
    wide("Users", "subject-users"),
    wide("Groups", "subject-groups"),
    wide("ServiceAccounts", "subject-accounts"),
)

CLUSTER_ROLE_BINDING = built_in(
    "ClusterRoleBinding",
    "clusterrolebindings",
    NAME,
    *SUBJECTS,
    group=RBAC,
    namespaced=False,
)
CLUSTER_ROLE = built_in("ClusterRole", "clusterroles", NAME, CREATED, group=RBAC, namespaced=False)
ROLE_BINDING = built_in("RoleBinding", "rolebindings", NAME, *SUBJECTS, group=RBAC)
ROLE = built_in("Role", "roles", NAME, CREATED, group=RBAC)

CERTIFICATE_SIGNING_REQUEST = built_in(
    "CertificateSigningRequest",
    "certificatesigningrequests",
    NAME,
    AGE,
    Column("SignerName", "spec.signerName"),
    blank("Requestor", "spec.username"),
    Column("RequestedDuration", "csr-duration"),
    Column("Condition", "csr-condition"),
    group=CERTIFICATES,
    namespaced=False,
    short_names=("csr",),
    status=True,
    subresources=("approval",),
)
CLUSTER_TRUST_BUNDLE = built_in(
    "ClusterTrustBundle",
    "clustertrustbundles",
    NAME,
    Column("SignerName", "spec.signerName"),
    group=CERTIFICATES,
    namespaced=False,
    gate="ClusterTrustBundle",
)
POD_CERTIFICATE_REQUEST = built_in(
    "PodCertificateRequest",
    "podcertificaterequests",
    NAME,
    blank("PodName", "spec.podName"),
    blank("ServiceAccountName", "spec.serviceAccountName"),
    blank("NodeName", "spec.nodeName"),
    blank("SignerName", "spec.signerName"),
    Column("State", "podcertificate-state"),
    wide("UnverifiedUserAnnotations", "user-annotations"),
    group=CERTIFICATES,
    status=True,
    gate="PodCertificateRequest",
)

MUTATING_WEBHOOKS = built_in(
    "MutatingWebhookConfiguration",
    "mutatingwebhookconfigurations",
    NAME,
    Column("Webhooks", "webhooks", "integer"),
    AGE,
    group=ADMISSION,
    namespaced=False,
    categories=EXTENSIONS,
)
VALIDATING_WEBHOOKS = built_in(
    "ValidatingWebhookConfiguration",
    "validatingwebhookconfigurations",
    NAME,
    Column("Webhooks", "webhooks", "integer"),
    AGE,
    group=ADMISSION,
    namespaced=False,
    categories=EXTENSIONS,
)
MUTATING_POLICY = built_in(
    "MutatingAdmissionPolicy",
    "mutatingadmissionpolicies",
    NAME,
    Column("Mutations", "policy-mutations", "integer"),
    Column("ParamKind", "policy-parameter-kind"),
    AGE,
    group=ADMISSION,
    namespaced=False,
    categories=EXTENSIONS,
)
VALIDATING_POLICY = built_in(
    "ValidatingAdmissionPolicy",
    "validatingadmissionpolicies",
    NAME,
    Column("Validations", "policy-validations", "integer"),
    Column("ParamKind", "policy-parameter-kind"),
    AGE,
    group=ADMISSION,
    namespaced=False,
    categories=EXTENSIONS,
    status=True,
)
BINDING = (
    NAME,
    blank("PolicyName", "spec.policyName"),
    Column("ParamRef", "policy-parameter"),
    AGE,
)
MUTATING_POLICY_BINDING = built_in(
    "MutatingAdmissionPolicyBinding",
    "mutatingadmissionpolicybindings",
    *BINDING,
    group=ADMISSION,
    namespaced=False,
    categories=EXTENSIONS,
)
VALIDATING_POLICY_BINDING = built_in(
    "ValidatingAdmissionPolicyBinding",
    "validatingadmissionpolicybindings",
    *BINDING,
    group=ADMISSION,
    namespaced=False,
    categories=EXTENSIONS,
)

ACCESS = (
    CLUSTER_ROLE_BINDING,
    CLUSTER_ROLE,
    ROLE_BINDING,
    ROLE,
    CERTIFICATE_SIGNING_REQUEST,
    CLUSTER_TRUST_BUNDLE,
    POD_CERTIFICATE_REQUEST,
    also(CLUSTER_TRUST_BUNDLE, "v1beta1"),
    also(CLUSTER_TRUST_BUNDLE, "v1alpha1"),
    MUTATING_POLICY,
    MUTATING_POLICY_BINDING,
    MUTATING_WEBHOOKS,
    VALIDATING_POLICY,
    VALIDATING_POLICY_BINDING,
    VALIDATING_WEBHOOKS,
    also(MUTATING_POLICY, "v1beta1"),
    also(MUTATING_POLICY_BINDING, "v1beta1"),
    also(VALIDATING_POLICY, "v1beta1"),
    also(VALIDATING_POLICY_BINDING, "v1beta1"),
    also(MUTATING_POLICY, "v1alpha1"),
    also(MUTATING_POLICY_BINDING, "v1alpha1"),
)
