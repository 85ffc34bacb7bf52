/**
 * What a controller of a busy cluster would answer the dashboard, made up and always the same: thousands of
 * Ingresses, some with problems, and proxies of which not all are well.
 *
 * @module
 */
import { type Rule, serviceKey } from "@pingress/config";
import { annotationViews } from "../../controller/dashboard/annotation_views.ts";
import type {
  BackendName,
  BackendView,
  CertificateView,
  Explanation,
  IngressRow,
  IngressView,
  Overview,
  Page,
  ProblemView,
  ProxyView,
  RouteView,
  TrafficPoint,
} from "../../controller/dashboard/api.ts";
import { EndpointHealth } from "../../controller/dashboard/endpoint_health.ts";
import { explain as explainUrl } from "../../controller/dashboard/explain.ts";
import type { Translation } from "../../controller/translate/translate.ts";

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

const NAMESPACES = ["shop", "billing", "auth", "search", "media", "platform", "data", "internal"];
const WORDS = [
  "cart",
  "checkout",
  "catalog",
  "invoices",
  "login",
  "profile",
  "images",
  "reports",
  "events",
  "api",
];
const PATHS = ["/", "/api", "/v1/orders", "/static", "/healthz"];

const ANNOTATIONS = {
  "nginx.ingress.kubernetes.io/proxy-body-size": "20m",
  "nginx.ingress.kubernetes.io/canary-weight-total": "1000",
  "nginx.ingress.kubernetes.io/client-body-buffer-size": "16k",
  "nginx.ingress.kubernetes.io/configuration-snippet": "more_set_headers 'X-Frame-Options: DENY';",
};

/** As the controller words them. */
const PROBLEMS: Pick<ProblemView, "severity" | "reason" | "message" | "field">[] = [
  {
    severity: "error",
    reason: "ServiceNotFound",
    field: "spec.rules[0].http.paths[1].backend.service.name",
    message: "There is no Service shop/checkout-v2: the answer is 503 until it is created",
  },
  {
    severity: "error",
    reason: "PathConflict",
    field: "spec.rules[0].http.paths[0]",
    message:
      "events.billing.example.com / is claimed by the older Ingress billing/audit: this path is not served",
  },
  {
    severity: "warning",
    reason: "SecretNotFound",
    field: "spec.tls[0].secretName",
    message: "There is no Secret media/images-tls of type kubernetes.io/tls: " +
      "its hosts keep their last certificate, if there was one, until it is created",
  },
  {
    severity: "warning",
    reason: "UnsupportedAnnotation",
    field: "metadata.annotations[nginx.ingress.kubernetes.io/configuration-snippet]",
    message: "It does nothing: Pingress takes no text for a configuration of another program: " +
      "use the annotation for what it does",
  },
];

/** What five of the proxies say of endpoints: some are passed over by two of them, and all of two backends by all. */
const HEALTH = new EndpointHealth(
  Array.from({ length: 5 }, (_, proxy) => {
    const some = proxy < 2 ? [1, 1019].map((index) => endpointsOf(index)[0] ?? "") : [];
    return { addresses: new Set([...some, ...endpointsOf(40), ...endpointsOf(1029)]), hasMore: false };
  }),
);

/** A made-up cluster. */
export interface Cluster {
  overview: Overview;
  routes: RouteView[];
  /** The endpoints of each backend, as `namespace/name:port`. */
  endpoints: Map<string, string[]>;
  ingresses: IngressRow[];
  certificates: CertificateView[];
  proxies: ProxyView[];
  problems: ProblemView[];
}

/** Makes a cluster of so many Ingresses, with two routes each, as it is at a moment. */
export function makeCluster(count: number, now: number): Cluster {
  const numbers = Array.from({ length: count }, (_, index) => index);
  const problems = numbers.flatMap(problemsOf);
  const routes = numbers.flatMap((index) => routesOf(index)).sort(byHost);
  const endpoints = new Map(
    numbers.flatMap((index) =>
      backendsOf(index).map((backend, place) => [serviceKey(backend), endpointsOf(index + place)] as const)
    ),
  );
  const certificates = numbers.filter(hasCertificate).map((index) => certificateOf(index, now))
    .sort((one, other) => one.notAfter - other.notAfter);
  const history = traffic(now);
  const proxies = makeProxies(history);
  return {
    routes,
    endpoints,
    certificates,
    problems,
    proxies,
    ingresses: numbers.map((index) => {
      const own = problemsOf(index);
      const errors = own.filter(({ severity }) => severity === "error").length;
      return {
        ...nameOf(index),
        hosts: [hostOf(index)],
        routes: 2,
        errors,
        warnings: own.length - errors,
      };
    }),
    overview: {
      version: "0.1.0",
      revision: "b71c9e04f2d8",
      changedAt: now - 4 * MINUTE,
      scrapedAt: now,
      isLeader: true,
      counts: {
        ingresses: count,
        routes: routes.length,
        hosts: count,
        namespaces: Math.min(count, NAMESPACES.length),
        certificates: certificates.length,
        expiringCertificates: certificates.filter(({ notAfter }) => notAfter < now + 30 * DAY).length,
        proxies: proxies.length,
        readyProxies: proxies.filter(({ isReady, lag }) => isReady && lag === 0).length,
      },
      endpoints: HEALTH.count([...new Set([...endpoints.values()].flat())]),
      problems: problems.toSorted((one, other) => one.severity.localeCompare(other.severity)).slice(0, 8),
      problemCount: problems.length,
      traffic: history.at(-1),
      history,
    } as Overview,
  };
}

/** One Ingress of the cluster, with all that is known of it. */
export function ingressView(cluster: Cluster, { namespace, name }: IngressRow, now: number): IngressView {
  const isOwn = (of: { namespace: string; name: string }) => of.namespace === namespace && of.name === name;
  const routes = cluster.routes.filter(({ ingress }) => isOwn(ingress));
  return {
    namespace,
    name,
    className: "pingress",
    createdAt: now - 212 * DAY,
    addresses: ["203.0.113.7", "203.0.113.8"],
    routes,
    backends: routes.flatMap(({ backend }) => backendView(cluster, serviceKey(backend)) ?? []),
    problems: cluster.problems.filter(isOwn),
    events: [
      {
        at: now - 4 * MINUTE,
        type: "Warning",
        reason: "ServiceNotFound",
        message: "There is no Service shop/checkout-v2: the answer is 503 until it is created",
        count: 3,
      },
      {
        at: now - 52 * MINUTE,
        type: "Normal",
        reason: "Resolved",
        message: "PathConflict is resolved",
        count: 1,
      },
    ],
    annotations: annotationViews({ metadata: { namespace, name, annotations: ANNOTATIONS } }, []),
    yaml: yamlOf(namespace, name),
  };
}

/** A backend, as `namespace/name:port`, with its endpoints. */
export function backendView({ routes, endpoints }: Cluster, key: string): BackendView | undefined {
  const backend = routes.find(({ backend }) => serviceKey(backend) === key)?.backend;
  return backend &&
    { ...backend, proxies: HEALTH.proxies, endpoints: HEALTH.views(endpoints.get(key) ?? []) };
}

/** Where a URL would go in the cluster, as the controller explains it. */
export function explain(cluster: Cluster, text: string): Explanation {
  const { routes } = cluster;
  const { hostname } = new URL(text);
  const views = routes.filter(({ host }) => host === hostname);
  const rules = views.map(({ host = "", path = "", type, backend }): Rule => ({
    host,
    path: { type: type === "Exact" ? "Exact" : "Prefix", path },
    backend: { type: "Service", ...backend },
  }));
  const secret = views[0]?.certificate;
  const certificates: Translation["certificates"] = new Map(
    secret === undefined ? [] : [[hostname, { secret, cert: "", key: "" }]],
  );
  const explanation = explainUrl(text, {
    translation: { config: { rules }, endpoints: Object.fromEntries(cluster.endpoints), certificates },
    routeView: (rule) => views[rules.findIndex((one) => one === rule)],
  });
  const backend = explanation.route && backendView(cluster, serviceKey(explanation.route.backend));
  return { ...explanation, ...backend !== undefined && { backend } };
}

/** The rows that a query of a table asks for. */
export function page<Row>(rows: Row[], query: URLSearchParams, matches: (row: Row) => boolean): Page<Row> {
  const offset = Number(query.get("offset") ?? 0);
  const found = rows.filter(matches);
  return {
    total: found.length,
    offset,
    rows: found.slice(offset, offset + Number(query.get("limit") ?? 200)),
  };
}

function nameOf(index: number): { namespace: string; name: string } {
  const word = WORDS[index % WORDS.length] ?? "";
  const namespace = NAMESPACES[Math.floor(index / WORDS.length) % NAMESPACES.length] ?? "";
  return { namespace, name: index < WORDS.length * NAMESPACES.length ? word : `${word}-${index}` };
}

function hostOf(index: number): string {
  const { namespace, name } = nameOf(index);
  return `${name}.${namespace}.example.com`;
}

function hasCertificate(index: number): boolean {
  return index % 7 !== 3;
}

function problemsOf(index: number): ProblemView[] {
  if (index % 17 !== 1) return [];
  const problem = PROBLEMS[Math.floor(index / 17) % PROBLEMS.length];
  return problem === undefined ? [] : [{ ...problem, ...nameOf(index) }];
}

function routesOf(index: number): RouteView[] {
  const ingress = nameOf(index);
  const second = PATHS[1 + index % (PATHS.length - 1)] ?? "";
  return backendsOf(index).map((backend, place) => ({
    host: hostOf(index),
    path: place === 0 ? "/" : second,
    type: place === 1 && index % 7 === 0 ? "Exact" : "Prefix",
    ingress,
    backend,
    endpoints: HEALTH.count(endpointsOf(index + place)),
    ...trafficOf(index + place),
    ...hasCertificate(index) && { certificate: `${ingress.namespace}/${ingress.name}-tls` },
    problems: problemsOf(index).length,
  }));
}

function trafficOf(index: number): Pick<RouteView, "traffic"> {
  if (index % 23 === 2 || index % 5 === 4) return {};
  const errorShare = index % 29 === 10 ? 0.12 : index % 11 === 4 ? 0.004 : 0;
  return { traffic: { rate: 1200 / (1 + index % 97) ** 1.4, errorShare } };
}

function backendsOf(index: number): [BackendName, BackendName] {
  const { namespace, name } = nameOf(index);
  return [{ namespace, name, port: 80 }, { namespace, name: `${name}-v2`, port: "http" }];
}

function endpointsOf(index: number): string[] {
  const count = index % 23 === 2 ? 0 : index === 3 ? 64 : 1 + index % 4;
  return Array.from(
    { length: count },
    (_, place) => `10.${42 + Math.floor(index / 200)}.${index % 200}.${place + 10}:8080`,
  );
}

function certificateOf(index: number, now: number): CertificateView {
  const ingress = nameOf(index);
  const days = index === 40 ? -2 : index % 400 === 5 ? 4 + index % 9 : 20 + (index * 37) % 300;
  return {
    secret: `${ingress.namespace}/${ingress.name}-tls`,
    names: [hostOf(index), ...index % 3 === 0 ? [`www.${hostOf(index)}`] : []],
    issuer: index % 4 === 0 ? "Example Internal CA" : "Let's Encrypt R11",
    notBefore: now + (days - 90) * DAY,
    notAfter: now + days * DAY,
    hosts: [hostOf(index)],
    ingresses: [ingress],
  };
}

function traffic(now: number): TrafficPoint[] {
  return Array.from({ length: 120 }, (_, index) => {
    const wave = Math.sin(index / 17) * 0.12 + Math.sin(index / 4.3) * 0.04 + Math.sin(index * 1.7) * 0.03;
    const burst = index > 70 && index < 82 ? 0.011 : 0;
    return {
      at: now - (119 - index) * 5000,
      rate: 1840 * (1 + wave),
      errorShare: 0.0007 * (1 + wave * 3) + burst,
      p50: 4.2 * (1 + wave),
      p99: 41 * (1 + wave * 2) + burst * 2400,
    };
  });
}

function makeProxies(history: TrafficPoint[]): ProxyView[] {
  const last = history.at(-1);
  return Array.from({ length: 6 }, (_, index): ProxyView => {
    const about = {
      name: `pingress-proxy-server-${"abcdef"[index]}${index}x7k`,
      node: `worker-${index + 1}`,
      address: `10.42.${index}.8:10254`,
    };
    if (index === 5) {
      return {
        ...about,
        isReady: false,
        failure: "Nothing answers at its admin port: connection refused. See the Pod's log.",
      };
    }
    const isBehind = index === 3;
    return {
      ...about,
      isReady: true,
      revision: isBehind ? "a2240c11bb07" : "b71c9e04f2d8",
      lag: isBehind ? 74_000 : 0,
      workers: 4,
      connections: 412 + index * 37,
      passedOver: index < 2 ? 5 : 3,
      traffic: { ...last, rate: (last?.rate ?? 0) / 5, errorShare: 0.0004 * index },
      reloads: 31,
      reloadFailures: isBehind ? 2 : 0,
    };
  });
}

function byHost(one: RouteView, other: RouteView): number {
  return `${one.host} ${one.path}` < `${other.host} ${other.path}` ? -1 : 1;
}

function yamlOf(namespace: string, name: string): string {
  return `apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: ${name}
  namespace: ${namespace}
  annotations:
    nginx.ingress.kubernetes.io/proxy-body-size: 20m
    nginx.ingress.kubernetes.io/proxy-buffering: "off"
spec:
  ingressClassName: pingress
  tls:
    - hosts: [${name}.${namespace}.example.com]
      secretName: ${name}-tls
  rules:
    - host: ${name}.${namespace}.example.com
      http:
        paths:
          - path: /
            pathType: Prefix
            backend:
              service: { name: ${name}, port: { number: 80 } }
`;
}
