import { assertEquals } from "@std/assert";
import { exposition, Histogram, labelValue } from "@pingress/config";
import { parseExposition } from "./exposition.ts";

Deno.test("parseExposition() reads what exposition() writes", () => {
  const histogram = new Histogram([0.1, 2.5]);
  for (const seconds of [0.05, 1, 3]) histogram.observe(seconds);
  const odd = 'quote " backslash \\ line\nend } , = and \u00e9';
  const text = exposition({
    requests_total: { type: "counter", help: 'Requests by {odd} "labels".' },
    seconds: { type: "histogram", help: "Times." },
    other: { type: "gauge", help: "Not asked for." },
    empty: { type: "gauge", help: "No label." },
  }, [
    ["requests_total", `host=${labelValue(odd)},code="200"`, 7],
    ["requests_total", `host="",code="503"`, 1e21],
    ["other", "", 1],
    ...histogram.samples("seconds", `host="a.test"`),
    ["empty", "", 0.5],
  ]);
  const names = new Set(["requests_total", "seconds_bucket", "seconds_sum", "empty"]);
  assertEquals(parseExposition(text, names), [
    { name: "requests_total", labels: { host: odd, code: "200" }, value: 7 },
    { name: "requests_total", labels: { host: "", code: "503" }, value: 1e21 },
    { name: "seconds_bucket", labels: { host: "a.test", le: "0.1" }, value: 1 },
    { name: "seconds_bucket", labels: { host: "a.test", le: "2.5" }, value: 2 },
    { name: "seconds_bucket", labels: { host: "a.test", le: "+Inf" }, value: 3 },
    { name: "seconds_sum", labels: { host: "a.test" }, value: 4.05 },
    { name: "empty", labels: {}, value: 0.5 },
  ]);
});

Deno.test("parseExposition() reads what the format allows, and passes over what is no sample", () => {
  const text = [
    "# HELP a Words.",
    "# a 1",
    "",
    "a 1",
    "a 2 1700000000000",
    'a{x="1",} 3',
    "a +Inf",
    "a -Inf",
    "a NaN",
    "a",
    "a{ 5",
    "ab 6",
    'a{x="<b>"} 7\r',
  ].join("\n");
  assertEquals(
    parseExposition(text, new Set(["a"])).map(({ value, labels }) => [value, labels]),
    [
      [1, {}],
      [2, {}],
      [3, { x: "1" }],
      [Infinity, {}],
      [-Infinity, {}],
      [NaN, {}],
      [7, { x: "<b>" }],
    ],
  );
});

Deno.test("parseExposition() takes no time over a line that never ends", () => {
  const text = `a{x="${'\\"'.repeat(500_000)}\na{${'x="y",'.repeat(200_000)}\na 1`;
  assertEquals(parseExposition(text, new Set(["a"])), [{ name: "a", labels: {}, value: 1 }]);
});
