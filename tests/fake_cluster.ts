import type { RestClient } from "@cloudydeno/kubernetes-apis/common.ts";

/** A client whose requests are answered by a function that looks at what it wants of them. */
export function clientOf<Request>(performRequest: (request: Request) => Promise<unknown>): RestClient {
  // the real one has an overload for each form that an answer can have
  return { performRequest } as unknown as RestClient;
}

/** A client for a cluster with some objects, on which some lists are forbidden. */
export function clusterOf(objects: string[], forbidden: string[] = []): RestClient {
  const all = objects.map((text) => JSON.parse(text));
  return clientOf(({ path }: { path: string }) => {
    if (path === "/apis") return Promise.resolve({ groups: [] });
    const resource = path.replace(/^.*\//, "");
    if (forbidden.includes(resource)) {
      return Promise.reject(Object.assign(new Error("forbidden"), { httpCode: 403 }));
    }
    const kind = KINDS[resource];
    if (kind === undefined) throw new Error(`not reached: ${path}`);
    const items = all.filter((object) => object.kind === kind).map((object) => ({
      ...object,
      metadata: { namespace: "default", ...object.metadata },
    }));
    const [apiVersion = ""] = /(?<=^\/apis?\/).*(?=\/)/.exec(path) ?? [];
    return Promise.resolve({ apiVersion, kind: `${kind}List`, metadata: { resourceVersion: "1" }, items });
  });
}

const KINDS: Record<string, string> = {
  ingresses: "Ingress",
  ingressclasses: "IngressClass",
  services: "Service",
  secrets: "Secret",
  endpoints: "Endpoints",
};
