import { assert, assertEquals } from "@std/assert";
import { pause, recordingLog } from "../../tests/testing.ts";
import { ProxyError } from "../errors.ts";
import { FailureLog } from "../failure_log.ts";
import { AccessLog } from "./access_log.ts";
import { Metrics } from "./metrics.ts";
import { Observer } from "./observer.ts";

const CLIENT = { address: "10.0.0.9", scheme: "http" as const, covers: () => true };
const OUTCOME = { received: 3, sent: 5, isComplete: true };

/** An observer and all that it tells. */
function setUp() {
  const metrics = new Metrics({ withHosts: false });
  const record = recordingLog();
  const lines: string[] = [];
  const accessLog = new AccessLog({ rate: 1, write: (text) => lines.push(text) });
  const failures = new FailureLog(record.log);
  return { metrics, record, lines, accessLog, observer: new Observer({ metrics, failures, accessLog }) };
}

Deno.test("Observer counts and logs an exchange when it has ended", () => {
  const { observer, metrics, accessLog, lines } = setUp();
  const first = observer.begin(CLIENT);
  const second = observer.begin(CLIENT);
  assertEquals([first.address, first.status, metrics.requestsInFlight], ["10.0.0.9", 0, 2]);
  first.status = 200;
  observer.finished(first, OUTCOME);
  assertEquals(metrics.requestsInFlight, 1);
  second.status = 404;
  observer.finished(second, OUTCOME);
  assertEquals(metrics.requestsInFlight, 0);
  accessLog.flush();
  assertEquals(lines.join("").trimEnd().split("\n").map((line) => JSON.parse(line).status), [200, 404]);
  const received = metrics.samples().find(([name]) => name === "pingress_received_bytes_total");
  assertEquals(received?.[2], 6);
});

Deno.test("Observer.finished() knows how long an exchange took", async () => {
  const { observer, accessLog, lines } = setUp();
  const exchange = observer.begin(CLIENT);
  // how long this takes is what is told
  await pause(20);
  observer.finished(exchange, OUTCOME);
  accessLog.flush();
  const { duration_ms } = JSON.parse(lines.join(""));
  assert(duration_ms >= 19 && duration_ms < 5000, `${duration_ms}`);
});

Deno.test("Observer needs no access log", () => {
  const metrics = new Metrics({ withHosts: false });
  const observer = new Observer({ metrics, failures: new FailureLog(recordingLog().log) });
  observer.finished(observer.begin(CLIENT), OUTCOME);
  assertEquals(metrics.samples().find(([name]) => name === "pingress_sent_bytes_total")?.[2], 5);
});

Deno.test("Observer.failed() tells of a failure", () => {
  const { observer, record } = setUp();
  observer.failed(new ProxyError("upstream_timeout", "10.0.0.1:80: did nothing for 5 s"));
  assertEquals(record.lines.length, 1);
  assert(record.lines[0]?.includes("did nothing for 5 s"), record.lines[0]);
});
