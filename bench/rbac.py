"""Decisions with many bindings: `python -m bench.rbac [bindings]`.

Half are for the cluster, half in a thousand namespaces; users have one role by a binding and one by
a group. Prints the time of one decision, allowed and refused, of one that begins after a write, and
what the bindings cost in time and memory.
"""

import asyncio
import statistics
import sys
import time
import tracemalloc
from collections.abc import Callable

import msgspec

from argosy.apiserver.authorization.attributes import Attributes
from argosy.apiserver.authorization.authorizer import Authorizer
from argosy.apiserver.request import User
from argosy.store.memory import MemoryStore

ROUNDS, CALLS = 40, 500
GROUPS = ("team-7", "system:authenticated")


def stored(kind: str, name: str, namespace: str = "", **more: object) -> tuple[str, bytes]:
    """A key and its object."""
    meta = {"name": name, "namespace": namespace}
    place = f"{namespace}/{name}" if namespace else name
    key = f"/rbac.authorization.k8s.io/{kind.lower()}s/{place}"
    return key, msgspec.json.encode({"kind": kind, "metadata": meta, **more})


def binding(number: int) -> tuple[str, bytes]:
    """Every other one is for the cluster."""
    name, user = f"b{number}", {"kind": "User", "name": f"user-{number}"}
    group = {"kind": "Group", "name": f"team-{number % 100}"}
    subjects = [user, group] if number % 10 == 7 else [user]
    role = {"kind": "ClusterRole", "name": f"role-{number % 50}"}
    if number % 2:
        namespace = f"ns-{number % 1000}"
        return stored("RoleBinding", name, namespace, roleRef=role, subjects=subjects)
    return stored("ClusterRoleBinding", name, roleRef=role, subjects=subjects)


def role(number: int) -> tuple[str, bytes]:
    """Thirty rules, as the bigger defaults have."""
    rules = [
        {"verbs": ["get", "list"], "apiGroups": [""], "resources": [f"kind-{number}-{i}", "pods"]}
        for i in range(30)
    ]
    return stored("ClusterRole", f"role-{number}", rules=rules)


async def written(store: MemoryStore, key: str, value: bytes) -> None:
    """Store an object."""
    await store.write(key, lambda record, revision: value)


async def main(bindings: int) -> None:
    """Fill a store, decide, print."""
    store = MemoryStore()
    for key, value in (*map(role, range(50)), *map(binding, range(bindings))):
        await written(store, key, value)
    authorizer = Authorizer(store, lambda gate: True)
    asked = Attributes(user=User("user-7", GROUPS), verb="get", resource="pods", namespace="ns-7")
    tracemalloc.start()
    began = time.perf_counter()
    assert authorizer.authorize(asked).allowed
    read = time.perf_counter() - began
    size = tracemalloc.get_traced_memory()[0] / 2**20
    tracemalloc.stop()
    other = Attributes(user=asked.user, verb="delete", resource="nodes", namespace="ns-7")
    assert not authorizer.authorize(other).allowed
    print(f"{bindings} bindings: first decision {read * 1000:.0f} ms (traced), {size:.1f} MiB")
    print(f"allowed  {each(lambda: authorizer.authorize(asked)):.2f} µs")
    print(f"refused  {each(lambda: authorizer.authorize(other)):.2f} µs")
    began = time.perf_counter()
    for number in range(100):
        key, value = binding(number)
        await written(store, key, value)
        authorizer.authorize(asked)
    print(f"after a write  {(time.perf_counter() - began) * 10_000:.1f} µs, the write with it")


def each(decide: Callable[[], object]) -> float:
    """Microseconds of the processor for one call: the median of the rounds."""
    times = []
    for _ in range(ROUNDS):
        began = time.process_time()
        for _ in range(CALLS):
            decide()
        times.append((time.process_time() - began) / CALLS * 1e6)
    return statistics.median(times)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000))
