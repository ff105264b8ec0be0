"""`argosy who-can`: who may do something in a cluster, and by which binding and role."""

import asyncio
import os
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from argosy.cli.terminal import fail, say
from argosy.cli.up import default_data_dir

if TYPE_CHECKING:
    from argosy.client.client import Client
    from argosy.security.rbac.holders import Holder

Json = dict[str, Any]
HEADS = ("KIND", "NAME", "NAMESPACE", "BINDING", "ROLE")
RBAC = "/apis/rbac.authorization.k8s.io/v1"


class UnknownResourceError(Exception):
    """The cluster serves no such resource."""


@dataclass(frozen=True, slots=True)
class Anybody:
    """Whoever may ask."""

    name: str = ""
    groups: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is asked about, as RBAC sees it."""

    user: Anybody = Anybody()
    verb: str
    group: str = ""
    resource: str = ""
    subresource: str = ""
    namespace: str = ""
    name: str = ""
    path: str | None = None


def who_can(
    verb: Annotated[str, typer.Argument(help="get, list, create, …; or *", show_default=False)],
    resource: Annotated[
        str,
        typer.Argument(
            metavar="RESOURCE[/NAME]",
            help="pods, deploy, certificates.cert-manager.io, pods/web; or a path such as /metrics",
            show_default=False,
        ),
    ],
    namespace: Annotated[
        str, typer.Option("--namespace", "-n", help="The namespace that is asked about.")
    ] = "default",
    subresource: Annotated[
        str, typer.Option(help="A subresource, such as log or scale.", show_default=False)
    ] = "",
    kubeconfig: Annotated[
        Path | None,
        typer.Option(
            help="The cluster  [default: $KUBECONFIG, or that of argosy up]", show_default=False
        ),
    ] = None,
) -> None:
    """Say who may do something, by the cluster's roles and bindings.

    Each line is a user, group or service account, with the binding that names it and the role that
    allows it. What another authorizer of the cluster (for nodes, a webhook) allows is not seen.
    """
    from argosy.base.errors import StatusError
    from argosy.client.kubeconfig import KubeconfigError

    path = (kubeconfig or _usual()).expanduser()
    wanted = _wanted(verb, resource, subresource, namespace)
    try:
        found = asyncio.run(_asked(path, wanted))
    except KubeconfigError as error:
        fail(str(error), "name the cluster's kubeconfig with --kubeconfig")
    except UnknownResourceError as error:
        fail(str(error), "kubectl api-resources lists what there is; write RESOURCE.GROUP")
    except StatusError as error:
        fail(str(error), "who asks must be allowed to list roles and bindings of the cluster")
    except (ConnectionError, ValueError, OSError) as error:
        fail(str(error), "is the cluster running? argosy up starts one")
    if not found:
        say("nobody, but who is in system:masters")
    for line in table(
        [(one.kind, one.name, one.namespace, one.binding, one.role) for one in found]
    ):
        sys.stdout.write(f"{line}\n")


def _usual() -> Path:
    named = os.environ.get("KUBECONFIG", "").split(os.pathsep)[0]
    return Path(named) if named else default_data_dir() / "kubeconfig"


def _wanted(verb: str, resource: str, subresource: str, namespace: str) -> Wanted:
    if resource.startswith("/"):
        return Wanted(verb=verb, path=resource)
    resource, _, name = resource.partition("/")
    return Wanted(
        verb=verb, resource=resource, name=name, subresource=subresource, namespace=namespace
    )


def table(rows: Sequence[Sequence[str]]) -> list[str]:
    """Aligned lines under their heads; none without rows."""
    if not rows:
        return []
    shown = [HEADS, *([cell or "-" for cell in row] for row in rows)]
    widths = [max(len(row[i]) for row in shown) for i in range(len(HEADS))]
    return [
        "   ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in shown
    ]


async def _asked(path: Path, wanted: Wanted) -> "list[Holder]":
    from argosy.client import kubeconfig
    from argosy.client.client import Client
    from argosy.client.https import transport

    way = transport(kubeconfig.load(path))
    try:
        return await holders_of(Client(way, "argosy-who-can"), wanted)
    finally:
        await way.close()


async def holders_of(client: "Client", wanted: Wanted) -> "list[Holder]":
    """Who may do it in the cluster. Raises UnknownResourceError, StatusError, ConnectionError."""
    from argosy.security.rbac.holders import holders

    if wanted.path is None and wanted.resource != "*":
        wanted = await _resolved(client, wanted)
    roles = await _listed(client, f"{RBAC}/clusterroles", "ClusterRole")
    bindings = await _listed(client, f"{RBAC}/clusterrolebindings", "ClusterRoleBinding")
    if wanted.namespace:
        where = f"{RBAC}/namespaces/{wanted.namespace}"
        roles += await _listed(client, f"{where}/roles", "Role")
        bindings += await _listed(client, f"{where}/rolebindings", "RoleBinding")
    return holders(roles, bindings, wanted)


async def _resolved(client: "Client", wanted: Wanted) -> Wanted:
    """With the group and plural of what the resource is called, by the cluster's discovery."""
    called, _, group = wanted.resource.partition(".")
    groups = (await _json(client, "/apis"))["groups"]
    roots = [("", "/api/v1")]
    roots += [(one["name"], f"/apis/{one['preferredVersion']['groupVersion']}") for one in groups]
    for name, root in roots:
        if group and name != group:
            continue
        for resource in (await _json(client, root))["resources"]:
            if called.lower() in _names(resource):
                scope = wanted.namespace if resource["namespaced"] else ""
                return replace(wanted, resource=resource["name"], group=name, namespace=scope)
    raise UnknownResourceError(f'the cluster has no resource "{wanted.resource}"')


def _names(resource: Json) -> Iterable[str]:
    """What it is called. Those of subresources are not asked for by name."""
    names: tuple[str, ...] = (
        resource["name"],
        resource.get("singularName", ""),
        resource["kind"].lower(),
    )
    return () if "/" in resource["name"] else (*names, *(resource.get("shortNames") or ()))


async def _listed(client: "Client", path: str, kind: str) -> list[Json]:
    items = (await _json(client, path)).get("items") or []
    return [{**item, "kind": kind} for item in items]  # items of a list don't say their kind


async def _json(client: "Client", path: str) -> Json:
    import msgspec

    found: Json = msgspec.json.decode(await client.call("GET", path))
    return found
