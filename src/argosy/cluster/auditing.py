"""The audit log of the embedded cluster, as `argosy up` was asked for it."""

import sys
import threading
from dataclasses import dataclass
from pathlib import Path

from argosy.apiserver.app import APIServer
from argosy.apiserver.audit.files import Keep, Printed, Rotated
from argosy.apiserver.audit.policy import PolicyError, read
from argosy.apiserver.audit.recorder import Recorder, Sink
from argosy.apiserver.audit.writer import Output, Writer
from argosy.apiserver.metrics import Counter
from argosy.base.clock import Clock

WEBHOOK_SECONDS = 1.0
"""Events of so long go to a webhook together."""
EVENTS = ("apiserver_audit_event_total", "Audit events that were generated.")
LOST = ("apiserver_audit_error_total", "Audit events that could not be written.")


class AuditError(Exception):
    """There can be no audit log; the text says why, `hint` what would help."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.hint = hint


@dataclass(frozen=True, slots=True, kw_only=True)
class Auditing:
    """What is told, and where: `path` is a file, or - for stdout; `webhook` a kubeconfig.

    A file of `size` MiB is full; so many older ones are kept, for so many days; 0 is no limit.
    """

    policy: Path
    path: str = ""
    webhook: Path | None = None
    size: int = 100
    backups: int = 100
    days: int = 366


def audited(server: APIServer, asked: Auditing, clock: Clock) -> Recorder:
    """A recorder of all that `server` is asked from now on. Raises AuditError."""
    try:
        policy = read(asked.policy)
    except PolicyError as error:
        hint = "see Kubernetes' documentation, “Auditing”, for the form of a policy"
        raise AuditError(str(error), hint) from None
    recorder = Recorder(policy, _sinks(asked, clock), clock)
    server.metrics.counters += [
        Counter(*EVENTS, lambda: recorder.events),
        Counter(*LOST, lambda: recorder.lost),
    ]
    server.audit = recorder
    return recorder


def _sinks(asked: Auditing, clock: Clock) -> list[Sink]:
    outputs = [_output(asked, clock)] if asked.path else []
    sinks: list[Sink] = []
    if asked.webhook is not None:
        sinks.append(_webhook(asked.webhook))
    return [*map(Writer, outputs), *sinks]


def _webhook(file: Path) -> Sink:
    from argosy.apiserver.audit.webhook import Posted
    from argosy.apiserver.remotes import RemoteError
    from argosy.apiserver.remotes import read as remote_of

    try:
        remote = remote_of(file, "audit webhook")
    except RemoteError as error:
        hint = "--audit-webhook-config-file takes a kubeconfig with the webhook as its server"
        raise AuditError(str(error), hint) from None
    closing = threading.Event()
    return Writer(Posted(remote, closing.wait), gather=WEBHOOK_SECONDS, closing=closing)


def _output(asked: Auditing, clock: Clock) -> Output:
    if asked.path == "-":
        return Printed(sys.stdout.fileno())
    keep = Keep(size=asked.size, backups=asked.backups, days=asked.days)
    try:
        return Rotated(Path(asked.path), keep, clock)
    except OSError as error:
        text = f"opening the audit log {asked.path}: {error.strerror or error}"
        raise AuditError(
            text, "name a file that this user may write with --audit-log-path"
        ) from None
