/**
 * What the dashboard's server answers, as its pages read it. Types only: JSON on the way between them.
 *
 * Times are milliseconds since 1970, durations are in milliseconds, rates are per second.
 *
 * @module
 */

/** The numbers of one moment: `GET /api/overview`, and the data of each `overview` event of `/api/live`. */
export interface Overview {
  /** The controller's version. */
  version: string;
  /** What the routes and endpoints are called, by the proxies too: they say which they serve. */
  revision: string;
  /** When anything of the configuration last changed, what is wrong with it included: pages are asked for anew. */
  changedAt: number;
  /** When the proxies were last asked; left out before that. */
  scrapedAt?: number;
  /** Does this controller lead? */
  isLeader: boolean;
  /** What there is. */
  counts: {
    ingresses: number;
    routes: number;
    hosts: number;
    namespaces: number;
    certificates: number;
    /** Certificates that end within 30 days, those that have ended among them. */
    expiringCertificates: number;
    proxies: number;
    /** Proxies that answer, are ready, and serve this revision. */
    readyProxies: number;
  };
  /** Of all backends of routes together, each address once. */
  endpoints: EndpointCounts;
  /** The worst first, at most 20 of them. */
  problems: ProblemView[];
  /** How many problems there are in all. */
  problemCount: number;
  /** What all proxies do together; left out while none has been asked twice. */
  traffic?: Traffic;
  /** The last minutes, oldest first: for the charts. */
  history: TrafficPoint[];
}

/** Traffic over the last interval between two scrapes. */
export interface Traffic {
  /** Requests per second. */
  rate: number;
  /** The share of answers with 5xx, from 0 to 1. */
  errorShare: number;
  /** The time that half of the requests did not exceed; left out where there were none. */
  p50?: number;
  /** The time that 99 of 100 did not exceed. */
  p99?: number;
}

/** The traffic of a backend over the last interval between two scrapes, by all routes that lead to it. */
export type BackendTraffic = Pick<Traffic, "rate" | "errorShare">;

/** {@linkcode Traffic} at one moment. */
export interface TrafficPoint extends Traffic {
  /** When. */
  at: number;
}

/** Something that somebody should look at. */
export interface ProblemView {
  severity: "error" | "warning";
  /** A word for programs. */
  reason: string;
  /** What is wrong, what follows from it, and what to do. */
  message: string;
  /** The field of the object. */
  field?: string;
  /** The Ingress; both are empty for what is wrong with no Ingress (`ApplyFailed`, `DefaultCertificate`). */
  namespace: string;
  name: string;
}

/** A page of a table. */
export interface Page<Row> {
  /** How many rows there are that match. */
  total: number;
  /** Where `rows` begin among them. */
  offset: number;
  rows: Row[];
}

/**
 * A route: `GET /api/routes?search=&namespace=&host=&problems=1&passedOver=1&offset=0&limit=200`, sorted by host and
 * path. `search` is looked for in host, path, Service and Ingress, without regard to case; with `passedOver` there are
 * only those of which an endpoint is passed over.
 */
export interface RouteView {
  /** Left out for every host. */
  host?: string;
  /** Left out for what no other route takes. */
  path?: string;
  type: "Exact" | "Prefix" | "Regex" | "Default";
  /** The Ingress that it comes from. */
  ingress: { namespace: string; name: string };
  /** The Service and its port. */
  backend: BackendName;
  endpoints: EndpointCounts;
  /** Left out where the backend has none, and while none is known. */
  traffic?: BackendTraffic;
  /** The Secret of the host's certificate, as `namespace/name`. */
  certificate?: string;
  /** How many problems its Ingress has. */
  problems: number;
}

/** A Service and its port. */
export interface BackendName {
  namespace: string;
  name: string;
  port: number | string;
}

/** How many endpoints there are: of a backend there may be thousands, which many routes may lead to. */
export interface EndpointCounts {
  total: number;
  /** Those that at least one proxy passes over, since it could not reach them. */
  passedOver: number;
  /** Those of which it is not known whether any proxy does: all of them while none says so. */
  unknown: number;
}

/** A backend with all its endpoints: `GET /api/endpoints?backend=NAMESPACE/NAME:PORT`; 404 where no route leads to it. */
export interface BackendView extends BackendName {
  /** How many proxies say which endpoints they pass over. */
  proxies: number;
  /** Those first that most proxies pass over. */
  endpoints: EndpointView[];
}

/** One address of a backend. */
export interface EndpointView {
  /** As `10.0.0.1:8080`. */
  address: string;
  /**
   * How many proxies pass it over, since they could not reach it; left out where that is not known. With 0 it is not
   * known to be down: that it can be reached, no proxy says.
   */
  passedOver?: number;
}

/** What the filters of the routes' table offer: `GET /api/filters`. */
export interface Filters {
  namespaces: string[];
  hosts: string[];
}

/** All Ingresses, shortly: `GET /api/ingresses?search=&namespace=&problems=1&offset=0&limit=200`. */
export interface IngressRow {
  namespace: string;
  name: string;
  hosts: string[];
  routes: number;
  errors: number;
  warnings: number;
}

/** One Ingress: `GET /api/ingresses/NAMESPACE/NAME`; 404 where Pingress serves none of that name. */
export interface IngressView {
  namespace: string;
  name: string;
  className: string;
  createdAt?: number;
  /** The addresses in its status. */
  addresses: string[];
  routes: RouteView[];
  /** What its routes lead to, each once. */
  backends: BackendView[];
  problems: ProblemView[];
  /** The latest first; empty where the source has none, or may not read them. */
  events: EventView[];
  /** Its annotations that mean something to Pingress. */
  annotations: AnnotationView[];
  /** Without what nobody wrote. */
  yaml: string;
}

/** An Event of Kubernetes. */
export interface EventView {
  at: number;
  type: "Normal" | "Warning";
  reason: string;
  message: string;
  count: number;
}

/** An annotation, as it is understood. */
export interface AnnotationView {
  name: string;
  value: string;
  /** What becomes of it. */
  support: "supported" | "different" | "accepted" | "unsupported" | "refused";
  /** What is different, or why it is refused. */
  note?: string;
}

/** A certificate: `GET /api/certificates?limit=…`, those that end first come first; all of them without a limit. */
export interface CertificateView {
  /** The Secret, as `namespace/name`. */
  secret: string;
  /** DNS names and addresses in it. */
  names: string[];
  issuer: string;
  notBefore: number;
  notAfter: number;
  /** Hosts that it is used for; `*` stands for all that have none. */
  hosts: string[];
  /** The Ingresses that name it. */
  ingresses: { namespace: string; name: string }[];
}

/** A proxy: `GET /api/proxies`. */
export interface ProxyView {
  /** Its Pod, or its address where there is none. */
  name: string;
  node?: string;
  address: string;
  isReady: boolean;
  /** Why nothing is known of it, if so. */
  failure?: string;
  /** The revision that it serves. */
  revision?: string;
  /** For how long it has been behind the controller, at least; 0 where it serves the same. */
  lag?: number;
  workers?: number;
  connections?: number;
  /** How many endpoints it passes over. */
  passedOver?: number;
  traffic?: Traffic;
  reloads?: number;
  reloadFailures?: number;
}

/** Where a URL would go: `GET /api/explain?url=…`; 400 with `{ error }` for what is no URL. */
export interface Explanation {
  /** As it is matched: the host in lower case, the path as the proxy normalises it. */
  url: { scheme: "http" | "https"; host: string; port?: number; path: string };
  /** In the order in which the proxy looks. */
  steps: ExplanationStep[];
  /** The route that takes it; left out where the answer is 404, or comes earlier. */
  route?: RouteView;
  /** That route's backend. */
  backend?: BackendView;
  /** What the client gets, in a sentence. */
  outcome: string;
}

/** One step of a match. */
export interface ExplanationStep {
  /** What is asked, such as `Which hosts match?`. */
  title: string;
  /** The candidates, with what became of each. */
  candidates: { label: string; verdict: "taken" | "passed over" | "not reached"; why: string }[];
}
