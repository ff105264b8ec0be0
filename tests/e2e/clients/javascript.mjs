// Requests, one a line, made with @kubernetes/client-node: its core API, and its object API for
// other kinds. `node javascript.mjs KUBECONFIG NAMESPACE`; javascript.py starts it and tells what
// the requests mean.

import { createInterface } from 'node:readline';
import * as k8s from '@kubernetes/client-node';

const [kubeconfig, namespace] = process.argv.slice(2);
const config = new k8s.KubeConfig();
config.loadFromFile(kubeconfig);
const core = config.makeApiClient(k8s.CoreV1Api);
const objects = k8s.KubernetesObjectApi.makeApiClient(config);

function tell(answer) {
    process.stdout.write(JSON.stringify(answer) + '\n');
}

// Its models want dates where JSON has text; the server keeps both fields by itself.
function written(body) {
    const { creationTimestamp, managedFields, ...metadata } = body.metadata;
    return { ...body, metadata: { ...metadata, namespace } };
}

function apply({ body, manager, force }) {
    const strategy = k8s.PatchStrategy.ServerSideApply;
    const flag = force || undefined;
    return objects.patch(written(body), undefined, undefined, manager, flag, strategy);
}

function watch({ apiVersion, plural, query }) {
    const root = apiVersion.includes('/') ? '/apis' : '/api';
    const path = `${root}/${apiVersion}/namespaces/${namespace}/${plural}`;
    return new Promise((resolve, reject) => {
        const each = (type, object) => tell({ done: [type, object] });
        const end = (error) => (error ? reject(error) : resolve());
        new k8s.Watch(config).watch(path, query, each, end);
    });
}

const CORE = {
    create: ({ kind, body }) => core[`createNamespaced${kind}`]({ namespace, body }),
    read: ({ kind, name }) => core[`readNamespaced${kind}`]({ namespace, name }),
    list: ({ kind, labels }) =>
        core[`listNamespaced${kind}`]({ namespace, labelSelector: labels }),
    // A list of operations: this API sends a JSON patch where nothing else is asked for.
    label: ({ kind, name, labels }) => {
        const body = Object.entries(labels).map(([key, value]) => ({
            op: 'add',
            path: `/metadata/labels/${key}`,
            value,
        }));
        return core[`patchNamespaced${kind}`]({ namespace, name, body });
    },
    update: ({ kind, name, body }) =>
        core[`replaceNamespaced${kind}`]({ namespace, name, body: written(body) }),
    delete: ({ kind, name }) => core[`deleteNamespaced${kind}`]({ namespace, name }),
    apply,
    watch,
};

const named = ({ apiVersion, kind, name }) => ({ apiVersion, kind, metadata: { name, namespace } });

const OTHERS = {
    create: ({ body }) => objects.create(written(body)),
    read: (request) => objects.read(named(request)),
    list: ({ apiVersion, kind, labels }) => {
        const none = undefined;
        return objects.list(apiVersion, kind, namespace, none, none, none, none, labels);
    },
    label: (request) => {
        const body = named(request);
        body.metadata.labels = request.labels;
        // Its default is a strategic merge patch, which custom kinds don't know.
        const strategy = k8s.PatchStrategy.MergePatch;
        return objects.patch(body, undefined, undefined, undefined, undefined, strategy);
    },
    update: ({ body }) => objects.replace(written(body)),
    delete: (request) => objects.delete(named(request)),
    apply,
    watch,
};

function refused(error) {
    if (!(error instanceof k8s.ApiException)) throw error;
    const { code, body } = error;
    return { code, status: typeof body === 'string' ? JSON.parse(body) : body };
}

for await (const line of createInterface({ input: process.stdin })) {
    const request = JSON.parse(line);
    const verbs = request.kind in { ConfigMap: 0, Pod: 0 } ? CORE : OTHERS;
    try {
        const done = await verbs[request.verb](request);
        if (request.verb === 'watch') break;
        tell({ done });
    } catch (error) {
        tell({ refused: refused(error) });
    }
}
