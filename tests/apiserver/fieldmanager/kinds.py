"""Schemas for the field manager's tests: a Deployment and a Pod, as far as they are needed."""

from argosy.api.schema import Schema

STRING = Schema(type="string")
INTEGER = Schema(type="integer")
BOOLEAN = Schema(type="boolean")
STRINGS = Schema(type="object", values=STRING)
QUANTITIES = Schema(type="object", values=Schema(type="quantity"))


def record(**properties: Schema) -> Schema:
    return Schema(type="object", properties=properties)


def atomic(items: Schema) -> Schema:
    return Schema(type="array", items=items)


def list_map(items: Schema, *keys: str) -> Schema:
    return Schema(type="array", items=items, list_type="map", list_keys=keys)


def list_set() -> Schema:
    return Schema(type="array", items=STRING, list_type="set")


METADATA = record(
    name=STRING,
    namespace=STRING,
    uid=STRING,
    resourceVersion=STRING,
    generation=INTEGER,
    creationTimestamp=STRING,
    labels=STRINGS,
    annotations=STRINGS,
    finalizers=list_set(),
    managedFields=atomic(Schema(type="any")),
    ownerReferences=list_map(record(uid=STRING, kind=STRING, name=STRING), "uid"),
)
PORT = record(
    name=STRING,
    containerPort=INTEGER,
    protocol=Schema(type="string", default="TCP"),
)
CONTAINER = record(
    name=STRING,
    image=STRING,
    imagePullPolicy=STRING,
    command=atomic(STRING),
    args=atomic(STRING),
    env=list_map(record(name=STRING, value=STRING), "name"),
    ports=list_map(PORT, "containerPort", "protocol"),
    resources=record(limits=QUANTITIES, requests=QUANTITIES),
    volumeMounts=list_map(record(mountPath=STRING, name=STRING, readOnly=BOOLEAN), "mountPath"),
)
SELECTOR = Schema(type="object", properties={"matchLabels": STRINGS}, atomic=True)
POD_SPEC = record(
    containers=list_map(CONTAINER, "name"),
    restartPolicy=STRING,
    nodeName=STRING,
    nodeSelector=Schema(type="object", values=STRING, atomic=True),
    tolerations=atomic(record(key=STRING, operator=STRING, value=STRING, effect=STRING)),
    volumes=list_map(record(name=STRING, emptyDir=record(medium=STRING)), "name"),
    serviceAccountName=STRING,
    terminationGracePeriodSeconds=INTEGER,
)
CONDITIONS = list_map(record(type=STRING, status=STRING, reason=STRING), "type")
POD = record(
    apiVersion=STRING,
    kind=STRING,
    metadata=METADATA,
    spec=POD_SPEC,
    status=record(phase=STRING, conditions=CONDITIONS),
)
DEPLOYMENT = record(
    apiVersion=STRING,
    kind=STRING,
    metadata=METADATA,
    spec=record(
        replicas=INTEGER,
        paused=BOOLEAN,
        selector=SELECTOR,
        strategy=record(type=STRING, rollingUpdate=record(maxSurge=INTEGER)),
        template=record(metadata=METADATA, spec=POD_SPEC),
        config=Schema(type="object", unknown=True),
    ),
    status=record(readyReplicas=INTEGER, conditions=CONDITIONS),
)
