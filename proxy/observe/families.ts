import type { MetricFamily } from "@pingress/config";

/** What the proxy measures. The label `host` is there only with `--metrics-hosts`. */
export const FAMILIES: Readonly<Record<string, MetricFamily>> = {
  pingress_requests_total: {
    type: "counter",
    help: "Requests by class of host, method and status.",
    labels: ["host_class", "host", "method", "code"],
  },
  pingress_request_duration_seconds: {
    type: "histogram",
    help: "Time from a request's head to the end of its response.",
    labels: ["host_class", "host"],
  },
  pingress_backend_requests_total: {
    type: "counter",
    help:
      "Requests whose route leads to a backend, as `namespace/name:port`, also those that did not reach it.",
    labels: ["backend"],
  },
  pingress_backend_errors_total: {
    type: "counter",
    help: "Those of them that were answered with 5xx.",
    labels: ["backend"],
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
  pingress_upstream_endpoint_passed_over: {
    type: "gauge",
    help: "Workers that pass over an endpoint now, since they could not reach it: of 100 endpoints at most.",
    // an `endpoint` of the Prometheus operator's own is the port that it scrapes
    labels: ["address"],
  },
  pingress_upstream_passed_over_endpoints: {
    type: "gauge",
    help: "Endpoints that at least one worker passes over now, however many they are.",
  },
  pingress_config_info: {
    type: "gauge",
    help: "The revision of the routes and endpoints that are served: controllers name the same.",
    labels: ["revision"],
  },
  pingress_reloads_total: { type: "counter", help: "Configurations that were loaded." },
  pingress_reload_duration_seconds: {
    type: "gauge",
    help: "How long the last configuration took to be read, checked and handed to the workers.",
  },
  pingress_reload_failures_total: {
    type: "counter",
    help: "Files and rules that could not be loaded, each time.",
  },
  pingress_certificate_expiry_timestamp_seconds: {
    type: "gauge",
    help: "When the first certificate expires, as Unix time.",
    labels: ["host"],
  },
  pingress_workers: { type: "gauge", help: "Workers that serve." },
  pingress_worker_restarts_total: { type: "counter", help: "Workers that died and were replaced." },
  pingress_access_log_dropped_total: {
    type: "counter",
    help: "Lines of the access log that were dropped because standard output stalled.",
  },
};
