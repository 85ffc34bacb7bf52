import { assertEquals } from "@std/assert";
import { exposition } from "@pingress/config";
import { Cancellation, type DownstreamRequest, type Outcome } from "../exchange.ts";
import { Fields } from "../http1/fields.ts";
import type { HostClass, Route } from "../routing_table.ts";
import { FAMILIES } from "./families.ts";
import { Metrics } from "./metrics.ts";
import { ExchangeRecord } from "./observer.ts";

const CLIENT = { address: "127.0.0.1", scheme: "http" as const, covers: () => true };

interface Counted {
  method?: string;
  status?: number;
  host?: string;
  hostClass?: HostClass;
  backend?: string;
  retries?: number;
  milliseconds?: number;
  outcome?: Partial<Outcome>;
}

/** Counts an exchange; without a method it is one that could not be read as a request. */
function count(metrics: Metrics, counted: Counted): void {
  const {
    method,
    status = 200,
    host,
    hostClass,
    backend: key = "default/one:80",
    retries = 0,
    milliseconds = 1,
    outcome,
  } = counted;
  const record = new ExchangeRecord(CLIENT);
  if (method !== undefined) record.request = request(method);
  if (hostClass !== undefined) record.route = { ...route(host, hostClass), key };
  record.status = status;
  record.retries = retries;
  metrics.count(record, { received: 0, sent: 0, isComplete: true, ...outcome }, milliseconds);
}

function request(method: string): DownstreamRequest {
  return {
    ...{ client: CLIENT, protocol: "HTTP/1.1", method, authority: "a.test", target: "/" },
    ...{ fields: Fields.of([]), body: null, upgrade: undefined, cancellation: new Cancellation() },
  };
}

function route(host: string | undefined, hostClass: HostClass): Route {
  const backend = { type: "Service" as const, name: "one", namespace: "default", port: 80 };
  return { backend, key: "default/one:80", protocol: { name: "HTTP" }, host, hostClass };
}

/** The samples of a name, as text. */
function samplesOf(metrics: Metrics, name: string): string[] {
  return metrics.samples().filter((sample) => sample[0] === name).map(([, labels, value]) =>
    `${labels} ${value}`
  );
}

Deno.test("Metrics.count() counts requests by class of host, method and status", () => {
  const metrics = new Metrics({ withHosts: false });
  const exact = { host: "a.test", hostClass: "exact" as const };
  count(metrics, { method: "GET", ...exact });
  count(metrics, { method: "GET", host: "b.test", hostClass: "exact" });
  count(metrics, { method: "GET", ...exact, status: 502 });
  count(metrics, { method: "PURGE", ...exact });
  count(metrics, { method: "get", ...exact });
  count(metrics, { method: "HEAD", host: "*.a.test", hostClass: "wildcard" });
  count(metrics, { method: "GET", hostClass: "any" });
  count(metrics, { method: "GET", hostClass: "default" });
  count(metrics, { method: "GET", status: 404 });
  count(metrics, { status: 400 });
  assertEquals(samplesOf(metrics, "pingress_requests_total"), [
    'host_class="exact",method="GET",code="200" 2',
    'host_class="exact",method="GET",code="502" 1',
    'host_class="exact",method="other",code="200" 2',
    'host_class="wildcard",method="HEAD",code="200" 1',
    'host_class="any",method="GET",code="200" 1',
    'host_class="default",method="GET",code="200" 1',
    'host_class="none",method="GET",code="404" 1',
    'host_class="none",method="",code="400" 1',
  ]);
});

Deno.test("Metrics.count() counts requests and errors of each backend, as long as there is a route to it", () => {
  const metrics = new Metrics({ withHosts: false });
  const exact = { method: "GET", hostClass: "exact" as const };
  for (const status of [200, 404, 499, 500, 503]) count(metrics, { ...exact, status });
  count(metrics, { ...exact, backend: "default/other:http" });
  count(metrics, { method: "GET", status: 404 });
  const told = () => [
    ...samplesOf(metrics, "pingress_backend_requests_total"),
    ...samplesOf(metrics, "pingress_backend_errors_total"),
  ];
  assertEquals(told(), [
    'backend="default/one:80" 5',
    'backend="default/other:http" 1',
    'backend="default/one:80" 2',
    'backend="default/other:http" 0',
  ]);
  metrics.keepBackends(new Set(["default/other:http", "default/new:80"]));
  assertEquals(told(), ['backend="default/other:http" 1', 'backend="default/other:http" 0']);
});

Deno.test("Metrics.count() tells hosts apart, if told", () => {
  const metrics = new Metrics({ withHosts: true });
  for (const host of ["a.test", "b.test", "a.test"]) {
    count(metrics, { method: "GET", host, hostClass: "exact" });
  }
  count(metrics, { method: "GET", status: 404 });
  assertEquals(samplesOf(metrics, "pingress_requests_total"), [
    'host_class="exact",host="a.test",method="GET",code="200" 2',
    'host_class="exact",host="b.test",method="GET",code="200" 1',
    'host_class="none",host="",method="GET",code="404" 1',
  ]);
  assertEquals(samplesOf(metrics, "pingress_request_duration_seconds_count"), [
    'host_class="exact",host="a.test" 2',
    'host_class="exact",host="b.test" 1',
    'host_class="none",host="" 1',
  ]);
});

Deno.test("Metrics.count() adds up durations in buckets that hold those before them too", () => {
  const metrics = new Metrics({ withHosts: false });
  for (const milliseconds of [0.5, 1, 1.001, 5, 300, 60_000, 61_000]) count(metrics, { milliseconds });
  const buckets = samplesOf(metrics, "pingress_request_duration_seconds_bucket");
  assertEquals(buckets.map((text) => text.replace('host_class="none",', "")), [
    'le="0.001" 2',
    'le="0.0025" 3',
    'le="0.005" 4',
    'le="0.01" 4',
    'le="0.025" 4',
    'le="0.05" 4',
    'le="0.1" 4',
    'le="0.25" 4',
    'le="0.5" 5',
    'le="1" 5',
    'le="2.5" 5',
    'le="5" 5',
    'le="10" 5',
    'le="30" 5',
    'le="60" 6',
    'le="+Inf" 7',
  ]);
  assertEquals(samplesOf(metrics, "pingress_request_duration_seconds_count"), ['host_class="none" 7']);
  const [sum] = samplesOf(metrics, "pingress_request_duration_seconds_sum");
  assertEquals(Number(sum?.split(" ")[1]).toFixed(6), "121.307501");
});

Deno.test("Metrics.count() adds up what was sent, retried and cut short", () => {
  const metrics = new Metrics({ withHosts: false });
  count(metrics, { retries: 2, outcome: { received: 3, sent: 5 } });
  count(metrics, { retries: 1, outcome: { received: 4, sent: 6, isComplete: false } });
  metrics.requestsInFlight = 7;
  metrics.upstreamConnects = 8;
  metrics.upstreamConnectFailures = 9;
  metrics.upstreamBroken = 10;
  const cases: [name: string, value: number][] = [
    ["pingress_requests_in_flight", 7],
    ["pingress_incomplete_responses_total", 1],
    ["pingress_received_bytes_total", 7],
    ["pingress_sent_bytes_total", 11],
    ["pingress_upstream_connects_total", 8],
    ["pingress_upstream_connect_failures_total", 9],
    ["pingress_upstream_retries_total", 3],
    ["pingress_upstream_broken_responses_total", 10],
  ];
  for (const [name, value] of cases) assertEquals(samplesOf(metrics, name), [` ${value}`], name);
});

Deno.test("Metrics.samples() has nothing that is not described to Prometheus", () => {
  const metrics = new Metrics({ withHosts: false });
  count(metrics, { method: "GET" });
  const lines = exposition(FAMILIES, metrics.samples()).split("\n").filter((line) =>
    line !== "" && !line.startsWith("#")
  );
  assertEquals(lines.length, metrics.samples().length);
});
