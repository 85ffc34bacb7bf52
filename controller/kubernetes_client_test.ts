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
