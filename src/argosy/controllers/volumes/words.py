"""The names by which those who bind, provision and place volumes talk to each other.

Source: Kubernetes' "Well-Known Labels, Annotations and Taints".
"""

BOUND_BY_CONTROLLER = "pv.kubernetes.io/bound-by-controller"
"""On a volume or a claim: nobody asked for just this other one, so it may be given up."""
BIND_COMPLETED = "pv.kubernetes.io/bind-completed"
"""On a claim: it was bound once. Should its volume be gone, then so are its data."""
PROVISIONED_BY = "pv.kubernetes.io/provisioned-by"
PROVISIONERS = (
    "volume.kubernetes.io/storage-provisioner",
    "volume.beta.kubernetes.io/storage-provisioner",
)
"""On a claim: who is to make its volume."""
SELECTED_NODE = "volume.kubernetes.io/selected-node"
"""On a claim that waited for a pod: the node for which its volume is to be made."""
OLD_CLASS = "volume.beta.kubernetes.io/storage-class"
DEFAULT_CLASS = (
    "storageclass.kubernetes.io/is-default-class",
    "storageclass.beta.kubernetes.io/is-default-class",
)
FINALIZER = "kubernetes.io/pv-controller"
"""On a volume that is to be deleted with its data: the data go first."""
COMPONENT = "persistentvolume-controller"
WAIT = "WaitForFirstConsumer"
"""A class's binding mode, and the reason of an event."""
YES = "yes"
