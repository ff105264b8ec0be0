"""What the control plane keeps for itself: `coordination.k8s.io`, `events.k8s.io`,
`flowcontrol.apiserver.k8s.io` and `internal.apiserver.k8s.io`.
"""

from dataclasses import replace

from argosy.api.resource import AGE, NAME, Column
from argosy.api.resources.built_in import also, blank, built_in
from argosy.api.resources.core import EVENT

COORDINATION = "coordination.k8s.io"
FLOW_CONTROL = "flowcontrol.apiserver.k8s.io"

LEASE = built_in(
    "Lease", "leases", NAME, blank("Holder", "spec.holderIdentity"), AGE, group=COORDINATION
)
LEASE_CANDIDATE = built_in(
    "LeaseCandidate",
    "leasecandidates",
    NAME,
    blank("LeaseName", "spec.leaseName"),
    blank("BinaryVersion", "spec.binaryVersion"),
    blank("EmulationVersion", "spec.emulationVersion"),
    AGE,
    group=COORDINATION,
    version="v1beta1",
)
NEW_EVENT = replace(
    EVENT, group="events.k8s.io", definition="io.k8s.api.events.v1.Event", storage_group=""
)
"""An event with other names for its fields: `apiserver.conversion` knows them."""

FLOW_SCHEMA = built_in(
    "FlowSchema",
    "flowschemas",
    NAME,
    blank("PriorityLevel", "spec.priorityLevelConfiguration.name"),
    Column("MatchingPrecedence", "spec.matchingPrecedence", empty=0),
    Column("DistinguisherMethod", "spec.distinguisherMethod.type"),
    AGE,
    Column("MissingPL", "flow-dangling"),
    group=FLOW_CONTROL,
    namespaced=False,
    status=True,
)
PRIORITY_LEVEL = built_in(
    "PriorityLevelConfiguration",
    "prioritylevelconfigurations",
    NAME,
    blank("Type", "spec.type"),
    Column("NominalConcurrencyShares", "spec.limited.nominalConcurrencyShares"),
    Column("Queues", "spec.limited.limitResponse.queuing.queues"),
    Column("HandSize", "spec.limited.limitResponse.queuing.handSize"),
    Column("QueueLengthLimit", "spec.limited.limitResponse.queuing.queueLengthLimit"),
    AGE,
    group=FLOW_CONTROL,
    namespaced=False,
    status=True,
)
STORAGE_VERSION = built_in(
    "StorageVersion",
    "storageversions",
    NAME,
    Column("CommonEncodingVersion", "status.commonEncodingVersion", empty="<unset>"),
    Column("StorageVersions", "storage-versions"),
    AGE,
    group="internal.apiserver.k8s.io",
    version="v1alpha1",
    namespaced=False,
    status=True,
)

CONTROL = (
    LEASE,
    LEASE_CANDIDATE,
    also(LEASE_CANDIDATE, "v1alpha2"),
    NEW_EVENT,
    FLOW_SCHEMA,
    PRIORITY_LEVEL,
    also(FLOW_SCHEMA, "v1beta3", on=True),
    also(PRIORITY_LEVEL, "v1beta3", on=True),
    STORAGE_VERSION,
)
