import type { Sample } from "./metrics.ts";

/** A metric as it is described to Prometheus. */
interface Family {
  type: "counter" | "gauge" | "histogram";
  help: string;
}

const FAMILIES: Record<string, Family> = {
  pingress_requests_total: { type: "counter", help: "Requests by class of host, method and status." },
  pingress_request_duration_seconds: {
    type: "histogram",
    help: "Time from a request's head to the end of its response.",
  },
  pingress_requests_in_flight: { type: "gauge", help: "Requests that are being answered." },
  pingress_incomplete_responses_total: {
    type: "counter",
    help: "Responses that the client did not get whole.",
  },
  pingress_received_bytes_total: { type: "counter", help: "Content that clients sent." },
  pingress_sent_bytes_total: { type: "counter", help: "Content that clients were sent." },
  pingress_connections: { type: "gauge", help: "Connections of clients." },
  pingress_connections_accepted_total: { type: "counter", help: "Connections that clients opened." },
  pingress_connections_refused_total: {
    type: "counter",
    help: "Connections that were closed at once because there were too many.",
  },
  pingress_connections_evicted_total: {
    type: "counter",
    help: "Waiting connections that were closed to make place.",
  },
  pingress_tls_handshakes_total: { type: "counter", help: "TLS handshakes that succeeded." },
  pingress_tls_handshake_failures_total: { type: "counter", help: "TLS handshakes that failed." },
  pingress_upstream_connects_total: { type: "counter", help: "Connections that were opened to backends." },
  pingress_upstream_connect_failures_total: {
    type: "counter",
    help: "Connections to backends that could not be opened.",
  },
  pingress_upstream_retries_total: { type: "counter", help: "Requests that were sent to a backend again." },
  pingress_upstream_broken_responses_total: {
    type: "counter",
    help: "Responses of backends that broke off.",
  },
  pingress_reloads_total: { type: "counter", help: "Configurations that were loaded." },
  pingress_reload_failures_total: { type: "counter", help: "Files that could not be loaded." },
  pingress_certificate_expiry_timestamp_seconds: {
    type: "gauge",
    help: "When the first certificate expires, as Unix time.",
  },
  pingress_workers: { type: "gauge", help: "Workers that serve." },
  pingress_worker_restarts_total: { type: "counter", help: "Workers that died and were replaced." },
  pingress_access_log_dropped_total: {
    type: "counter",
    help: "Lines of the access log that were dropped because standard output stalled.",
  },
};

/** Adds up what several workers have counted. */
export function addUp(samples: Iterable<Sample>): Sample[] {
  const sums = new Map<string, Sample>();
  for (const [name, labels, value] of samples) {
    const key = `${name}{${labels}}`;
    const sum = sums.get(key);
    if (sum === undefined) sums.set(key, [name, labels, value]);
    else sum[2] += value;
  }
  return [...sums.values()];
}

/**
 * Writes samples as Prometheus reads them
 * (https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format).
 */
export function exposition(samples: readonly Sample[]): string {
  const byFamily = new Map<string, Sample[]>();
  for (const sample of samples) {
    const family = sample[0] in FAMILIES ? sample[0] : sample[0].replace(/_(?:bucket|sum|count)$/, "");
    const list = byFamily.get(family);
    if (list === undefined) byFamily.set(family, [sample]);
    else list.push(sample);
  }
  let text = "";
  for (const [name, { type, help }] of Object.entries(FAMILIES)) {
    const list = byFamily.get(name);
    if (list === undefined) continue;
    text += `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n`;
    for (const [sample, labels, value] of list) {
      text += labels === "" ? `${sample} ${value}\n` : `${sample}{${labels}} ${value}\n`;
    }
  }
  return text;
}
