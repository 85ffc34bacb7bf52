import { assertEquals } from "@std/assert";
import { exposition, Histogram, labelValue, type MetricFamily, type Sample } from "./metrics.ts";

const FAMILIES: Record<string, MetricFamily> = {
  pingress_requests_total: { type: "counter", help: "Requests by status." },
  pingress_request_duration_seconds: { type: "histogram", help: "Time to the end of the response." },
  pingress_workers: { type: "gauge", help: "Workers that serve." },
};

Deno.test("exposition() describes each family once, before its samples", () => {
  const samples: Sample[] = [
    ["pingress_request_duration_seconds_bucket", 'le="1"', 1],
    ["pingress_workers", "", 2],
    ["pingress_requests_total", 'code="200"', 3],
    ["pingress_request_duration_seconds_sum", "", 0.25],
    ["pingress_requests_total", 'code="404"', 4],
    ["pingress_request_duration_seconds_count", "", 5],
  ];
  assertEquals(
    exposition(FAMILIES, samples),
    `# HELP pingress_requests_total Requests by status.
# TYPE pingress_requests_total counter
pingress_requests_total{code="200"} 3
pingress_requests_total{code="404"} 4
# HELP pingress_request_duration_seconds Time to the end of the response.
# TYPE pingress_request_duration_seconds histogram
pingress_request_duration_seconds_bucket{le="1"} 1
pingress_request_duration_seconds_sum 0.25
pingress_request_duration_seconds_count 5
# HELP pingress_workers Workers that serve.
# TYPE pingress_workers gauge
pingress_workers 2
`,
  );
});

Deno.test("exposition() is empty where there is nothing", () => {
  assertEquals(exposition(FAMILIES, []), "");
});

Deno.test("labelValue() quotes what a label may not hold", () => {
  assertEquals(labelValue('a"b\\c\nd'), '"a\\"b\\\\c\\nd"');
});

Deno.test("Histogram counts each value in all buckets that it is not above", () => {
  const histogram = new Histogram([0.1, 1]);
  for (const value of [0.05, 0.1, 0.5, 3]) histogram.observe(value);
  assertEquals(histogram.samples("x"), [
    ["x_bucket", 'le="0.1"', 2],
    ["x_bucket", 'le="1"', 3],
    ["x_bucket", 'le="+Inf"', 4],
    ["x_sum", "", 3.65],
    ["x_count", "", 4],
  ]);
});
