import { assertEquals, assertRejects } from "@std/assert";
import type { JSONValue, RestClient } from "@cloudydeno/kubernetes-apis/common.ts";
import { DiscoveryV1Api } from "@cloudydeno/kubernetes-apis/discovery.k8s.io/v1";
import { CoreV1Api } from "@cloudydeno/kubernetes-apis/core/v1";
import { NetworkingV1Api } from "@cloudydeno/kubernetes-apis/networking.k8s.io/v1";
import { createKubernetesClient, isNotFound, isRefusal, tolerant } from "./kubernetes_client.ts";

/** A client that gives every call the same answer. */
function answering(answer: unknown): RestClient {
  return tolerant(
    { performRequest: () => Promise.resolve(structuredClone(answer)) } as unknown as RestClient,
  );
}

/** The fields that have a value: what a server leaves out is undefined in the package's structs. */
function told(struct: object | null | undefined): object {
  return Object.fromEntries(Object.entries(struct ?? {}).filter(([, value]) => value !== undefined));
}

function slice(endpoints: null | object[]): JSONValue {
  return {
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSlice",
    metadata: { name: "web-1", managedFields: [{ manager: "somebody" }] },
    addressType: "IPv4",
    endpoints,
    ports: null,
  } as JSONValue;
}

Deno.test("tolerant() lists EndpointSlices without endpoints", async () => {
  const list = {
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSliceList",
    metadata: { resourceVersion: "1" },
    items: [slice(null), slice([{ addresses: ["10.0.0.1"] }])],
  };
  const { items } = await new DiscoveryV1Api(answering(list)).getEndpointSliceListForAllNamespaces();
  assertEquals(items.map(({ endpoints }) => endpoints.length), [0, 1]);
  assertEquals(items.map(({ metadata }) => metadata?.managedFields ?? []), [[], []]);
});

Deno.test("tolerant() lists Services with a condition without a time", async () => {
  const list = {
    apiVersion: "v1",
    kind: "ServiceList",
    metadata: { resourceVersion: "1" },
    items: [{
      metadata: { name: "web" },
      spec: { clusterIP: "10.0.0.1" },
      status: { conditions: [{ type: "Odd", status: "True", lastTransitionTime: null }] },
    }],
  };
  const { items } = await new CoreV1Api(answering(list)).getServiceListForAllNamespaces();
  assertEquals(items.map(({ metadata }) => metadata?.name), ["web"]);
});

Deno.test("tolerant() leaves of a status what is looked at", async () => {
  const items = [{
    metadata: { name: "one" },
    status: {
      addresses: [{ type: "InternalIP", address: "10.0.0.1" }],
      conditions: [{ type: "Ready", status: "True" }],
      loadBalancer: { ingress: [{ ip: "192.0.2.1" }] },
      images: [{ names: ["a"] }],
      podIP: "10.0.0.1",
      hostIP: "10.0.0.9",
    },
  }];
  const listing = (kind: string) =>
    answering({ kind: `${kind}List`, metadata: { resourceVersion: "1" }, items });
  const core = (kind: string) => new CoreV1Api(listing(kind));
  const networking = new NetworkingV1Api(listing("Ingress"));
  const lists = await Promise.all([
    core("Node").getNodeList(),
    core("Pod").namespace("test").getPodList(),
    core("Service").getServiceListForAllNamespaces(),
    networking.getIngressListForAllNamespaces(),
  ]);
  assertEquals(lists.map(({ items: [object] }) => Object.keys(told(object?.status))), [
    ["addresses"],
    ["conditions", "podIP"],
    ["loadBalancer"],
    ["loadBalancer"],
  ]);
});

Deno.test("tolerant() leaves of managed fields whether the controller has applied any", async () => {
  const ours = {
    manager: "pingress-controller",
    operation: "Apply",
    time: "2026-01-31T12:00:00Z",
    fieldsV1: {},
  };
  const others = [{ ...ours, manager: "kubectl" }, { ...ours, operation: "Update" }];
  const list = {
    kind: "IngressList",
    metadata: { resourceVersion: "1" },
    items: [{ metadata: { name: "a", managedFields: [...others, ours] } }, {
      metadata: { name: "b", managedFields: others },
    }],
  };
  const { items } = await new NetworkingV1Api(answering(list)).getIngressListForAllNamespaces();
  assertEquals(items.map(({ metadata }) => metadata?.managedFields?.map(told) ?? []), [
    [{ manager: "pingress-controller", operation: "Apply" }],
    [],
  ]);
});

Deno.test("tolerant() watches EndpointSlices without endpoints, and passes errors on", async () => {
  const status = {
    apiVersion: "v1",
    kind: "Status",
    metadata: {},
    status: "Failure",
    code: 410,
    reason: "Expired",
  };
  const events = ReadableStream.from([{ type: "ADDED", object: slice(null) }, {
    type: "ERROR",
    object: status,
  }]);
  const client = tolerant({ performRequest: () => Promise.resolve(events) } as unknown as RestClient);
  const watched = await Array.fromAsync(
    await new DiscoveryV1Api(client).watchEndpointSliceListForAllNamespaces(),
  );
  assertEquals(watched.map((event) => event.type), ["ADDED", "ERROR"]);
  const [, error] = watched;
  assertEquals(error?.type === "ERROR" && [error.object.code, error.object.status], [410, "Failure"]);
});

Deno.test("tolerant() ends a call that is never answered", async () => {
  const silent = { performRequest: () => new Promise(() => {}) } as unknown as RestClient;
  const client = tolerant(silent, { answerTimeout: 5 });
  await assertRejects(() => new CoreV1Api(client).getNodeList(), Error, "did not answer GET /api/v1/nodes");
});

Deno.test("isNotFound() knows the API server's answer", () => {
  assertEquals(isNotFound(Object.assign(new Error(), { httpCode: 404 })), true);
  assertEquals(isNotFound(Object.assign(new Error(), { httpCode: 403 })), false);
  assertEquals(isNotFound(undefined), false);
});

Deno.test("isRefusal() tells what would be refused again from what may work later", () => {
  const failure = (httpCode: number, status = {}) => Object.assign(new Error(), { httpCode, status });
  const terminating = { details: { causes: [{ reason: "NamespaceTerminating" }] } };
  const refusals = [failure(404), failure(422), failure(403, terminating)];
  const others = [failure(403), failure(409), failure(429), failure(500), new Error("connection refused")];
  assertEquals(refusals.map(isRefusal), [true, true, true]);
  assertEquals(others.map(isRefusal), [false, false, false, false, false]);
});

Deno.test("createKubernetesClient() needs a service account that can be read", async () => {
  await assertRejects(
    () => createKubernetesClient({ serviceHost: "127.0.0.1", servicePort: "1" }),
    Error,
    "ca.crt",
  );
});

Deno.test("tolerant() tells of each request and how it went", async () => {
  const told: [string, number | undefined][] = [];
  const failures: unknown[] = [
    undefined,
    Object.assign(new Error("no"), { httpCode: 403 }),
    new Error("cut off"),
  ];
  const client = tolerant({
    performRequest: () => {
      const failure = failures.shift();
      return failure === undefined ? Promise.resolve({}) : Promise.reject(failure);
    },
  } as unknown as RestClient, { onAnswer: (method, status) => told.push([method, status]) });
  await client.performRequest({ method: "GET", path: "/" });
  for (let failed = 0; failed < 2; failed++) {
    await assertRejects(() => client.performRequest({ method: "PATCH", path: "/" }));
  }
  assertEquals(told, [["GET", 200], ["PATCH", 403], ["PATCH", undefined]]);
});
