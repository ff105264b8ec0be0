"""Defaults of `rbac.authorization.k8s.io`."""

from collections.abc import Callable, Mapping

from argosy.api.defaults.fill import Json

GROUP = "rbac.authorization.k8s.io"


def _binding(binding: Json) -> None:
    reference = binding["roleRef"]
    reference["apiGroup"] = reference.get("apiGroup") or GROUP
    for subject in binding.get("subjects") or ():
        if subject["kind"] in ("User", "Group"):
            subject["apiGroup"] = subject.get("apiGroup") or GROUP


DEFAULTS: Mapping[str, Callable[[Json], None]] = {
    "ClusterRoleBinding": _binding,
    "RoleBinding": _binding,
}
