"""`authentication.k8s.io` and `authorization.k8s.io`: questions that are answered, never stored."""

from argosy.api.resource import NAME
from argosy.api.resources.built_in import built_in
from argosy.api.resources.core import CREATED

AUTHENTICATION = "authentication.k8s.io"
AUTHORIZATION = "authorization.k8s.io"
ASKED = ("create",)

SELF_SUBJECT_REVIEW = built_in(
    "SelfSubjectReview",
    "selfsubjectreviews",
    NAME,
    CREATED,
    group=AUTHENTICATION,
    namespaced=False,
    verbs=ASKED,
)
TOKEN_REVIEW = built_in(
    "TokenReview",
    "tokenreviews",
    NAME,
    CREATED,
    group=AUTHENTICATION,
    namespaced=False,
    verbs=ASKED,
)
LOCAL_SUBJECT_ACCESS_REVIEW = built_in(
    "LocalSubjectAccessReview",
    "localsubjectaccessreviews",
    NAME,
    CREATED,
    group=AUTHORIZATION,
    verbs=ASKED,
)
SELF_SUBJECT_ACCESS_REVIEW = built_in(
    "SelfSubjectAccessReview",
    "selfsubjectaccessreviews",
    NAME,
    CREATED,
    group=AUTHORIZATION,
    namespaced=False,
    verbs=ASKED,
)
SELF_SUBJECT_RULES_REVIEW = built_in(
    "SelfSubjectRulesReview",
    "selfsubjectrulesreviews",
    NAME,
    CREATED,
    group=AUTHORIZATION,
    namespaced=False,
    verbs=ASKED,
)
SUBJECT_ACCESS_REVIEW = built_in(
    "SubjectAccessReview",
    "subjectaccessreviews",
    NAME,
    CREATED,
    group=AUTHORIZATION,
    namespaced=False,
    verbs=ASKED,
)

IDENTITY = (
    SELF_SUBJECT_REVIEW,
    TOKEN_REVIEW,
    LOCAL_SUBJECT_ACCESS_REVIEW,
    SELF_SUBJECT_ACCESS_REVIEW,
    SELF_SUBJECT_RULES_REVIEW,
    SUBJECT_ACCESS_REVIEW,
)

TOKEN_REQUEST = built_in("TokenRequest", "serviceaccounts", group=AUTHENTICATION, verbs=ASKED)
"""What is asked of `serviceaccounts/NAME/token`; there is no collection of it."""
