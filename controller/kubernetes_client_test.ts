import { assertEquals, assertRejects } from "@std/assert";
import type { JSONValue, RestClient } from "@cloudydeno/kubernetes-apis/common.ts";
import { DiscoveryV1Api } from "@cloudydeno/kubernetes-apis/discovery.k8s.io/v1";
import { CoreV1Api } from "@cloudydeno/kubernetes-apis/core/v1";
import { createKubernetesClient, isNotFound, tolerant } from "./kubernetes_client.ts";

/** A client that gives every call the same answer. */
function answering(answer: unknown): RestClient {
  return tolerant(
    { performRequest: () => Promise.resolve(structuredClone(answer)) } as unknown as RestClient,
  );
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

Deno.test("createKubernetesClient() needs a service account that can be read", async () => {
  await assertRejects(
    () => createKubernetesClient({ serviceHost: "127.0.0.1", servicePort: "1" }),
    Error,
    "ca.crt",
  );
});
