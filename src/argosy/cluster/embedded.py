"""The embedded cluster: API server, controllers, scheduler and node in one process.

`Embedded.run` is the whole life of `argosy up`. Everything below it speaks through the API; this
is the only place that knows all the parts.
"""

import asyncio
import errno
import ipaddress
import logging
import os
import secrets
import signal
import socket
import ssl
import sys
import sysconfig
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

import uvloop

import argosy
from argosy.api.features import Switches
from argosy.apiserver.aggregation.identity import ProxyCertificate
from argosy.apiserver.authentication.keys import KeyFileError, Keys
from argosy.apiserver.configfile import ConfigurationError
from argosy.apiserver.flowcontrol.governor import Bounds
from argosy.apiserver.negotiate import answer_error
from argosy.base.clock import Clock, SystemClock
from argosy.base.errors import StatusError
from argosy.client import kubeconfig
from argosy.cluster import keys
from argosy.cluster.bootstrap import bootstrap, bootstrap_roles
from argosy.cluster.collecting import settle
from argosy.cluster.server import ControlPlane, control_plane
from argosy.controllers.nodetaints import node_taints
from argosy.http.message import Request, Response
from argosy.http.renewal import Renewal
from argosy.http.server import Server, serve
from argosy.http.tls import Certificates, ensure_certificates, server_context
from argosy.node.agent import NodeAgent, NodeConfig
from argosy.node.gpus import SimulatedGPU
from argosy.node.runtimes.host import HostRuntime
from argosy.runtime.manager import Manager
from argosy.runtime.metrics import Metrics
from argosy.store.folder import FILE
from argosy.store.interface import StoreOpenError
from argosy.store.sealing import Sealing
from argosy.store.sqlite import SqliteStore
from argosy.store.upkeep import Upkeep

log = logging.getLogger(__name__)

DRAIN_SECONDS = 5.0
GUARDS_HINT = "these flags and files are kube-apiserver's: see Kubernetes' documentation of them"
LISTEN_HINTS: Mapping[int | None, str] = {
    errno.EADDRINUSE: "another process uses the port: choose one with --port, 0 for any free one",
    errno.EACCES: "ports below 1024 are for root: choose a higher one with --port",
}


if TYPE_CHECKING:
    from argosy.apiserver.audit.recorder import Recorder
    from argosy.apiserver.guards import Guards
    from argosy.cluster.auditing import Auditing
    from argosy.cluster.guarding import Guarding
    from argosy.node.simulated.groups import Group
    from argosy.scheduler.profiles import Setup
    from argosy.store.rekeying import Rekeying


class StartError(Exception):
    """The cluster can't start; the text says why, `hint` what would help."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.hint = hint


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What `argosy up` was asked for."""

    data_dir: Path
    port: int
    listen: tuple[str, ...] = ("127.0.0.1",)
    gpus: tuple[SimulatedGPU, ...] = ()
    simulated: "tuple[Group, ...]" = ()
    node_name: str = "localhost"
    switches: Switches | None = None
    encryption_provider_config: Path | None = None
    encryption_provider_config_reload: bool = False
    auditing: "Auditing | None" = None
    reading_inflight: int = 400
    writing_inflight: int = 200
    fair: bool = True
    guarding: "Guarding | None" = None
    scheduler_config: Path | None = None


class Embedded:
    """One run of the embedded cluster."""

    def __init__(self, options: Options, clock: Clock, ready: Callable[[str], None]) -> None:
        self._options = options
        self._clock = clock
        self._ready = ready
        self._stopping = asyncio.Event()
        self._metrics = Metrics()
        self._rekeying: Rekeying | None = None
        self._scheduling: Setup | None = None

    def stop(self) -> None:
        """Ask the cluster to end; `run` returns when it has."""
        self._stopping.set()

    async def run(self) -> None:
        """Start, serve until `stop`, take the pods down, close. Raises StartError."""
        self._scheduling = scheduling(self._options.scheduler_config, self._clock)
        folder = prepared(self._options.data_dir)
        if self._options.encryption_provider_config_reload:
            needed(self._options.encryption_provider_config)
        sealing = sealing_of(self._options.encryption_provider_config, self._clock)
        store = opened(folder / "store", sealing)
        upkeep = Upkeep(store, folder / "store", self._clock).run()
        self._rekeying = keys.keeping(store, folder / "store", sealing, self._clock)
        keeping = () if self._rekeying is None else (self._rekeying.run(),)
        tasks = [asyncio.create_task(task) for task in (upkeep, *keeping)]
        try:
            await self._serve(store, folder, sealing)
        finally:
            for task in tasks:
                task.cancel()
            if sealing is not None:
                sealing.close()
            await store.close()

    async def _serve(self, store: SqliteStore, folder: Path, sealing: Sealing | None) -> None:
        token = admin_token(folder / "kubeconfig")
        nodes = _NodeDoor()

        def certified() -> Certificates:
            names = certified_names(self._options.listen)
            return ensure_certificates(folder / "pki", names, self._clock.now())

        certificates = certified()
        guards = guarded(self._options.guarding, certificates.ca_pem)
        plane = self._plane(store, folder, token, nodes, guards)
        plane.server.aggregation.front = ProxyCertificate(folder / "pki", self._clock)
        trusted = certificates.ca_pem
        if guards is not None and guards.front_proxy is not None:
            trusted += b"\n" + guards.front_proxy.authority
        tls = server_context(certificates.cert_file, certificates.key_file, client_ca=trusted)
        plane.server.metrics.database = folder / "store" / FILE
        followed = self._options.encryption_provider_config_reload
        keys.show(plane.server, sealing, changing=followed)
        if followed:
            file = self._options.encryption_provider_config
            keys.follow(plane.server, self._rekeying, file, self._clock)
        recorder = self._recorder(plane)
        server = await self._listening(plane, tls)
        renewal = asyncio.create_task(Renewal(tls, certified, self._clock).run())
        following = asyncio.create_task(plane.server.followed())
        try:
            url = f"https://{_reachable(server.addresses[0])}"
            plane.server.issuer.address = url
            config = kubeconfig.render(url, certificates.ca_pem, token)
            write_private(folder / "kubeconfig", config)
            await bootstrap(plane.client("argosy"), plane.resources)
            plane.server.state.bootstrapped = True
            await self._work(plane, nodes, folder, url)
        finally:
            plane.server.state.stopping = True
            renewal.cancel()
            following.cancel()
            await server.close(DRAIN_SECONDS)
            await plane.server.close()
            if recorder is not None:
                await asyncio.to_thread(recorder.close)

    def _plane(
        self,
        store: SqliteStore,
        folder: Path,
        token: str,
        nodes: "_NodeDoor",
        guards: "Guards | None",
    ) -> ControlPlane:
        """The API server. Raises StartError."""
        try:
            return control_plane(
                store,
                self._clock,
                admin_token=token,
                node=nodes,
                chosen=self._options.switches,
                keys=signing_keys(folder / "pki" / "sa.key"),
                guards=guards,
                bounds=bounds(self._options),
            )
        except ConfigurationError as error:
            raise StartError(str(error), GUARDS_HINT) from None

    def _recorder(self, plane: ControlPlane) -> "Recorder | None":
        """Of the audit log, where one is asked for. Raises StartError."""
        if self._options.auditing is None:
            return None
        from argosy.cluster.auditing import AuditError, audited

        try:
            return audited(plane.server, self._options.auditing, self._clock)
        except AuditError as error:
            raise StartError(str(error), error.hint) from None

    async def _listening(self, plane: ControlPlane, tls: ssl.SSLContext) -> Server:
        addresses = [(address, self._options.port) for address in self._options.listen]
        try:
            return await serve(
                plane.server.handle,
                addresses=addresses,
                tls=tls,
                error_body=status_body,
                clock=self._clock,
            )
        except OSError as error:
            shown = ", ".join(f"{address}:{port}" for address, port in addresses)
            hint = LISTEN_HINTS.get(error.errno, "--listen takes addresses of this machine")
            raise StartError(f"listening on {shown}: {system_reason(error)}", hint) from None

    async def _work(self, plane: ControlPlane, nodes: "_NodeDoor", folder: Path, url: str) -> None:
        """Run node and controllers until asked to stop; the node, and its pods, end last."""
        plane.server.metrics.others.append(self._metrics.families)
        local = Manager(plane.client("argosy-node"), self._clock, metrics=self._metrics)
        agent = NodeAgent(
            manager=local,
            config=node_config(self._options, folder, url),
            runtimes={"host": HostRuntime()},
        )
        nodes.agent = agent
        local.add_runner(agent.run)
        # Runs before the scheduler does, which would let pods rest that find a tainted node.
        taints = Manager(plane.client("argosy"), self._clock, metrics=self._metrics)
        taints.add(node_taints(taints))
        async with asyncio.TaskGroup() as group:
            node = group.create_task(local.run())
            tainting = group.create_task(taints.run())
            control = group.create_task(self._control(plane, agent.started, folder, url))
            await self._stopping.wait()
            plane.server.state.stopping = True
            control.cancel()
            tainting.cancel()
            await agent.stop()
            node.cancel()

    async def _control(
        self, plane: ControlPlane, started: asyncio.Event, folder: Path, url: str
    ) -> None:
        """Once the node has started all is ready; then run controllers and scheduler, which are
        read only now: no first answer needs them.
        """
        await started.wait()
        plane.server.state.ready = True
        self._ready(url)
        await bootstrap_roles(plane.client("argosy"), plane.gate)
        operators = await asyncio.to_thread(_operators)
        control = Manager(
            plane.client("argosy"), self._clock, metrics=self._metrics, grace=DRAIN_SECONDS
        )
        operators.add_operators(control, plane.resources)
        garbage = Manager(plane.client("argosy"), self._clock, metrics=self._metrics)
        operators.add_kubernetes(
            control,
            folder / "volumes",
            plane.resources,
            collector=garbage,
            gate=plane.gate,
            scheduling=self._scheduling,
        )
        operators.add_credentials(
            control, folder / "pki", plane.server.issuer.keys, plane.server.used
        )
        operators.add_aggregation(control, plane.server.aggregation, folder / "pki")
        operators.add_address(control, url)
        if self._options.simulated:
            from argosy.node.simulated.simulated import add_simulated_nodes

            add_simulated_nodes(control, self._options.simulated)
        settle()
        async with asyncio.TaskGroup() as group:
            group.create_task(control.run())
            group.create_task(garbage.run())


def _operators() -> ModuleType:
    from argosy.cluster import operators

    return operators


class _NodeDoor:
    """The way from the API server to this machine's node, once there is one."""

    agent: NodeAgent | None = None

    async def __call__(self, request: Request) -> Response:
        if self.agent is None:
            return Response(503, {}, b"the node is starting")
        return await self.agent.handle(request)


def node_config(options: Options, folder: Path, url: str = "") -> NodeConfig:
    """What the node agent needs to know of this machine."""
    own = {sys.prefix, sys.base_prefix, sysconfig.get_path("purelib")}
    own.add(str(Path(argosy.__file__).parents[1]))
    return NodeConfig(
        name=options.node_name,
        root=folder / "node",
        readable=tuple(sorted(Path(path) for path in own)),
        hidden=(folder / "store", folder / "pki", folder / "kubeconfig", *_secret_files(options)),
        gpus=options.gpus,
        api=url,
    )


def _secret_files(options: Options) -> list[Path]:
    """Files with keys, and of the audit log, wherever they are."""
    audit = options.auditing
    files = [options.encryption_provider_config]
    if audit is not None:
        files += [audit.webhook, None if audit.path in ("", "-") else Path(audit.path)]
    if options.guarding is not None:
        from argosy.cluster.guarding import secret_files

        files += secret_files(options.guarding)
    return [file for file in files if file is not None]


def prepared(folder: Path) -> Path:
    """The data folder, made where there is none. Raises StartError."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o700)
        probe = folder / ".writable"
        probe.write_bytes(b"")
        probe.unlink()
    except OSError as error:
        raise StartError(
            f"using the data folder {folder}: {error.strerror or error}",
            "choose a folder that you may write to with --data-dir",
        ) from None
    return folder


def opened(folder: Path, sealing: Sealing | None = None) -> SqliteStore:
    """The store in `folder`, sealed as `sealing` says. Raises StartError."""
    try:
        return SqliteStore.open(folder, sealing=sealing)
    except StoreOpenError as error:
        raise StartError(str(error), error.hint) from None


def needed(file: Path | None) -> None:
    """Raises StartError where there is no such file that could be followed."""
    if file is None:
        raise StartError(
            "--encryption-provider-config-automatic-reload must be set with "
            "--encryption-provider-config",
            "name the file, or leave out that it is followed",
        )


def sealing_of(file: Path | None, clock: Clock) -> Sealing | None:
    """What is sealed on the disk, and how, as the file says. Raises StartError."""
    if file is None:
        return None
    from argosy.store.encryption import EncryptionConfigError, read

    try:
        return read(file, clock)
    except EncryptionConfigError as error:
        raise StartError(str(error), error.hint) from None


def scheduling(file: Path | None, clock: Clock) -> "Setup | None":
    """How the scheduler decides, where a file says so. Raises StartError."""
    if file is None:
        return None
    # Who configures plugins waits for NumPy, which they calculate with.
    from argosy.scheduler.config.reading import ConfigError
    from argosy.scheduler.config.setup import configured

    try:
        return configured(file, clock)
    except ConfigError as error:
        raise StartError(str(error), error.hint) from None


def guarded(asked: "Guarding | None", client_authority: bytes) -> "Guards | None":
    """How the server is guarded, as was asked for. Raises StartError."""
    if asked is None:
        return None
    from argosy.cluster.guarding import guards

    try:
        return guards(asked, client_authority)
    except ConfigurationError as error:
        raise StartError(str(error), GUARDS_HINT) from None


def bounds(options: Options) -> Bounds:
    """How many requests may be in progress at once. Raises StartError."""
    if options.fair and not options.reading_inflight + options.writing_inflight:
        raise StartError(
            "--max-requests-inflight and --max-mutating-requests-inflight are both 0",
            "their sum is divided fairly: give one of them, or --no-enable-priority-and-fairness",
        )
    return Bounds(options.reading_inflight, options.writing_inflight, options.fair)


def signing_keys(file: Path) -> Keys:
    """The key that signs service accounts' tokens. Raises StartError."""
    try:
        return Keys(file)
    except KeyFileError as error:
        hint = "restore the file, or remove it: then all tokens of service accounts end"
        raise StartError(str(error), hint) from None


def system_reason(error: OSError) -> str:
    """The operating system's words for `error`, without what libraries wrap around them."""
    if error.errno is None or isinstance(error, socket.gaierror):  # gaierror's numbers are its own
        return error.strerror or str(error)
    return os.strerror(error.errno)


def admin_token(path: Path) -> str:
    """The admin's token: the one in the kubeconfig of the last run, else a new one."""
    try:
        known = kubeconfig.load(path).token
    except kubeconfig.KubeconfigError:
        known = ""
    return known or secrets.token_urlsafe(32)


def write_private(path: Path, text: str) -> None:
    """Write a file for its owner's eyes, complete or not at all."""
    draft = path.with_name(f".{path.name}.new")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


def certified_names(listen: tuple[str, ...]) -> list[str]:
    """The names that the server's certificate is good for."""
    names = {"localhost", "127.0.0.1", "kubernetes", "kubernetes.default.svc"}
    return sorted(names | {address for address in listen if not _everywhere(address)})


def _everywhere(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_unspecified
    except ValueError:
        return False


def _reachable(address: tuple[str, int]) -> str:
    """Where a client on this machine finds the server."""
    host, port = address
    if _everywhere(host):
        host = "127.0.0.1"
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def status_body(code: int, text: str) -> tuple[bytes, str]:
    """What the HTTP server itself refuses, as a `Status`."""
    reasons = {400: "BadRequest", 413: "RequestEntityTooLarge", 500: "InternalError"}
    response = answer_error(StatusError(code, reasons.get(code, "Unknown"), text))
    assert isinstance(response.body, bytes)
    return response.body, "application/json"


def run(options: Options, ready: Callable[[str], None]) -> None:
    """Run the embedded cluster until SIGTERM or SIGINT. Raises StartError."""
    uvloop.run(_until_signalled(options, ready))


async def _until_signalled(options: Options, ready: Callable[[str], None]) -> None:
    embedded = Embedded(options, SystemClock(), ready)
    loop = asyncio.get_running_loop()
    for signum in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(signum, embedded.stop)
    await embedded.run()
