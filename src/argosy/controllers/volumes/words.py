"""The names by which those who provision and remove volumes talk to each other.

Those that the scheduler knows too are in `api.volumebinding`.
Source: Kubernetes' "Well-Known Labels, Annotations and Taints".
"""

PROVISIONED_BY = "pv.kubernetes.io/provisioned-by"
PROVISIONERS = (
    "volume.kubernetes.io/storage-provisioner",
    "volume.beta.kubernetes.io/storage-provisioner",
)
"""On a claim: who is to make its volume."""
DEFAULT_CLASS = (
    "storageclass.kubernetes.io/is-default-class",
    "storageclass.beta.kubernetes.io/is-default-class",
)
FINALIZER = "kubernetes.io/pv-controller"
"""On a volume that is to be deleted with its data: the data go first."""
COMPONENT = "persistentvolume-controller"
