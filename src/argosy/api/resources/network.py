"""`networking.k8s.io` and `discovery.k8s.io`."""

from argosy.api.resource import AGE, NAME, Column
from argosy.api.resources.built_in import also, built_in

NETWORKING = "networking.k8s.io"

ENDPOINT_SLICE = built_in(
    "EndpointSlice",
    "endpointslices",
    NAME,
    Column("AddressType", "addressType"),
    Column("Ports", "slice-ports"),
    Column("Endpoints", "slice-endpoints"),
    AGE,
    group="discovery.k8s.io",
)
INGRESS_CLASS = built_in(
    "IngressClass",
    "ingressclasses",
    Column("Name", "class-name"),
    Column("Controller", "spec.controller", empty=""),
    Column("Parameters", "ingressclass-parameters"),
    AGE,
    group=NETWORKING,
    namespaced=False,
)
INGRESS = built_in(
    "Ingress",
    "ingresses",
    NAME,
    Column("Class", "spec.ingressClassName"),
    Column("Hosts", "ingress-hosts"),
    Column("Address", "load-balancer"),
    Column("Ports", "ingress-ports"),
    AGE,
    group=NETWORKING,
    short_names=("ing",),
    status=True,
)
IP_ADDRESS = built_in(
    "IPAddress",
    "ipaddresses",
    NAME,
    Column("ParentRef", "parent-reference"),
    group=NETWORKING,
    namespaced=False,
    short_names=("ip",),
)
NETWORK_POLICY = built_in(
    "NetworkPolicy",
    "networkpolicies",
    NAME,
    Column("Pod-Selector", "policy-selector"),
    AGE,
    group=NETWORKING,
    short_names=("netpol",),
)
SERVICE_CIDR = built_in(
    "ServiceCIDR",
    "servicecidrs",
    NAME,
    Column("CIDRs", "service-cidrs"),
    AGE,
    group=NETWORKING,
    namespaced=False,
    status=True,
)

NETWORK = (
    ENDPOINT_SLICE,
    INGRESS_CLASS,
    INGRESS,
    IP_ADDRESS,
    NETWORK_POLICY,
    SERVICE_CIDR,
    also(IP_ADDRESS, "v1beta1"),
    also(SERVICE_CIDR, "v1beta1"),
)
