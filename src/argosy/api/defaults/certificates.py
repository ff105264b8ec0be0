"""What a write makes of a request for a certificate."""

from collections.abc import Callable, Mapping

from argosy.api.defaults.fill import Json


def _same_request(new: Json, old: Json | None) -> None:
    """What was asked for stays: an update changes metadata alone, and says nothing of the rest."""
    if old is not None:
        new["spec"] = old["spec"]


def _verdict(new: Json, old: Json | None) -> None:
    """A verdict is a condition; of the status it changes nothing else."""
    conditions = (new.get("status") or {}).get("conditions") or []
    new["status"] = {**((old or {}).get("status") or {}), "conditions": conditions}


PREPARE: Mapping[tuple[str, str], Callable[[Json, Json | None], None]] = {
    ("CertificateSigningRequest", ""): _same_request,
    ("CertificateSigningRequest", "approval"): _verdict,
}
