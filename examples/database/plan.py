"""What shall be there for a `Database`, and how it is: functions of the object and what it owns."""

from base64 import b64encode
from secrets import token_urlsafe
from typing import Any

from argosy.api.batch import CronJob
from argosy.api.core import Secret, Service
from argosy.api.meta import Condition
from argosy.api.statefulsets import StatefulSet
from argosy.api.storage import PersistentVolumeClaim
from argosy.base.clock import timestamp
from argosy.runtime.commit import Plan
from argosy.runtime.conditions import with_condition
from argosy.runtime.operator import Operator, Seen, child

from .kinds import Database, DatabaseStatus

Json = dict[str, Any]
OWNED = (Secret, Service, StatefulSet, PersistentVolumeClaim, CronJob)
DUMP = ("pg_dumpall", "--username=postgres", "--file=/data/dump.sql")


def plan(database: Database, seen: Seen) -> Plan:
    """A password that is made once, a name, the pods with their storage, and backups."""
    name, spec = database.metadata.name, database.spec
    labels = {"app.kubernetes.io/name": "database", "app.kubernetes.io/instance": name}
    secret = seen.get(Secret, name)
    data = secret.data if secret else {"password": b64encode(token_urlsafe().encode()).decode()}
    service = {"clusterIP": "None", "selector": labels, "ports": [{"name": "sql", "port": 5432}]}
    size = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": spec.storage}}}
    pods = {
        "replicas": spec.replicas,
        "serviceName": name,
        "selector": {"matchLabels": labels},
        "template": {"metadata": {"labels": labels}, "spec": _pod(database, *spec.command)},
        "volumeClaimTemplates": [{"metadata": {"name": "data"}, "spec": size}],
    }
    apply = [
        child(database, Secret, name, data=data),
        child(database, Service, name, spec=service),
        child(database, StatefulSet, name, spec=pods),
    ]
    if spec.backup:
        volume = {"name": "data", "persistentVolumeClaim": {"claimName": f"{name}-backup"}}
        more = {"restartPolicy": "OnFailure", "volumes": [volume]}
        dump = {**_pod(database, *DUMP, f"--host={name}"), **more}
        cron = {"schedule": spec.backup, "jobTemplate": {"spec": {"template": {"spec": dump}}}}
        apply.append(child(database, PersistentVolumeClaim, f"{name}-backup", spec=size))
        apply.append(child(database, CronJob, name, spec=cron))
    return Plan(apply=apply, prune={CronJob.resource})


def _pod(database: Database, *command: str) -> Json:
    """A pod that knows the password and has a volume `data`."""
    name, spec = database.metadata.name, database.spec
    password = {"secretKeyRef": {"name": name, "key": "password"}}
    env: list[Json] = [{"name": "PGDATA", "value": "/data/content"}]
    env += [{"name": key, "valueFrom": password} for key in ("POSTGRES_PASSWORD", "PGPASSWORD")]
    container = {
        "name": "main",
        "image": spec.image,
        "command": list(command),
        "env": env,
        "resources": {"requests": {"memory": spec.memory}},
        "volumeMounts": [{"name": "data", "mountPath": "/data"}],
    }
    runtime = {"runtimeClassName": spec.runtime_class_name} if spec.runtime_class_name else {}
    return {"containers": [container], **runtime}


def status(database: Database, seen: Seen) -> DatabaseStatus:
    """Ready is a database whose pods are all as they were asked for."""
    observed, wanted = database.metadata.generation, database.spec.replicas
    pods = seen.get(StatefulSet, database.metadata.name)
    newest = pods is not None and pods.status.observed_generation == pods.metadata.generation
    ready = min(pods.status.ready_replicas, pods.status.updated_replicas) if pods and newest else 0
    message = f"{ready} of {wanted} pods are ready"
    state, reason = ("True", "Ready") if ready == wanted else ("False", "Progressing")
    new = Condition(type="Ready", status=state, reason=reason, message=message)
    told = with_condition(database.status.conditions, new, timestamp(seen.now))
    return DatabaseStatus(observed_generation=observed, ready_replicas=ready, conditions=told)


DATABASES = Operator(
    name="example.com/database", kind=Database, plan=plan, status=status, owns=OWNED
)
