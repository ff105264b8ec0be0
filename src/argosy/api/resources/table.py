"""All built-in resources, in the order in which discovery shows them.

Within a group a version stands before the ones that it is preferred to. The first version of a
kind is the one that is stored, in every minor; the table has other versions only where they are of
the same shape, so that nothing but `apiVersion` tells them apart, or where the server converts
them, as HorizontalPodAutoscaler in autoscaling/v1. In the table's minors these are of another
shape, and are not served: all of resource.k8s.io/v1beta1, PodCertificateRequest in
certificates.k8s.io/v1beta1.

What can't be watched is never stored: reviews, bindings, component statuses. Not here: scales.
"""

from argosy.api.resource import Resource
from argosy.api.resources.access import ACCESS
from argosy.api.resources.control import CONTROL
from argosy.api.resources.core import CORE
from argosy.api.resources.extensions import EXTENSIONS
from argosy.api.resources.identity import IDENTITY
from argosy.api.resources.network import NETWORK
from argosy.api.resources.scheduling import PLACEMENT
from argosy.api.resources.storage import STORAGE
from argosy.api.resources.workloads import WORKLOADS

BUILT_IN: tuple[Resource, ...] = (
    *CORE,
    *IDENTITY,
    *WORKLOADS,
    *NETWORK,
    *STORAGE,
    *ACCESS,
    *PLACEMENT,
    *CONTROL,
    *EXTENSIONS,
)
