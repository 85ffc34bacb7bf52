import { assertEquals } from "@std/assert";
import type { Event } from "@cloudydeno/kubernetes-apis/core/v1";
import { recordingLog, settled, within } from "../../tests/testing.ts";
import type { Outcome } from "../reporter.ts";
import { Store } from "../store.ts";
import type { Problem } from "../translate/problem.ts";
import type { EventApi } from "./event_api.ts";
import { EventRecorder, type EventRecorderOptions } from "./event_recorder.ts";

/** Keeps what is written, each time that it is. */
class FakeEvents implements EventApi {
  readonly written: string[] = [];
  fail: (event: Event) => unknown = () => undefined;
  #wrote = Promise.withResolvers<void>();

  create(_namespace: string, event: Event): Promise<void> {
    const error = this.fail(event);
    if (error !== undefined) return Promise.reject(error);
    this.written.push(`${event.involvedObject.name} ${event.type} ${event.reason}`);
    this.#wrote.resolve();
    this.#wrote = Promise.withResolvers();
    return Promise.resolve();
  }

  set(): Promise<number> {
    throw new Error("not reached: every Event is new here");
  }

  async reach(count: number): Promise<string[]> {
    while (this.written.length < count) {
      await within(this.#wrote.promise, `${count} Events, not ${this.written}`);
    }
    return this.written;
  }
}

/** An outcome in which the Ingresses of some names have as many problems each. */
function outcome(problems: Record<string, number>, more: { failure?: string } = {}): Outcome {
  const store = new Store();
  for (const name of Object.keys(problems)) {
    store.set("Ingress", {
      metadata: { name, namespace: "default", uid: name },
      spec: { ingressClassName: "pingress" },
    });
  }
  const all = Object.entries(problems).flatMap(([name, count]) =>
    Array.from({ length: count }, (_, index): Problem => ({
      ingress: `default/${name}`,
      field: `spec.rules[${index}]`,
      reason: "InvalidHost",
      message: "no DNS name",
    }))
  );
  const translation = {
    isEmpty: false,
    ingresses: [],
    claims: [],
    config: { rules: [] },
    endpoints: {},
    certificates: new Map(),
    files: new Map(),
    namedSecrets: new Set<string>(),
    problems: all,
  };
  return { snapshot: store.snapshot(), translation, ...more };
}

function start(options: Partial<EventRecorderOptions> = {}) {
  const api = new FakeEvents();
  const state = { canWrite: true };
  let asked = Promise.withResolvers<void>();
  const recorded = recordingLog();
  const recorder = new EventRecorder({
    api,
    namespace: "pingress-system",
    canWrite: () => {
      asked.resolve();
      asked = Promise.withResolvers();
      return state.canWrite;
    },
    log: recorded.log,
    pace: { collect: 1, interval: 1, retryAfter: 1 },
    ...options,
  });
  /** Waits until it has looked once more at what there is to tell. */
  const looked = async () => {
    await within(asked.promise, "a look");
    await settled();
  };
  return { api, state, recorded, recorder, looked, [Symbol.asyncDispose]: () => recorder.close() };
}

Deno.test("EventRecorder tells a problem once, and when it is solved", async () => {
  await using started = start();
  const { api, recorder } = started;
  recorder.report(outcome({ web: 1 }));
  await api.reach(1);
  recorder.report(outcome({ web: 1 }));
  await started.looked();
  recorder.report(outcome({ web: 0 }));
  assertEquals(await api.reach(2), ["web Warning InvalidHost", "web Normal Resolved"]);
});

Deno.test("EventRecorder says nothing of an Ingress that is gone", async () => {
  await using started = start();
  const { api, recorder } = started;
  recorder.report(outcome({ web: 1 }));
  await api.reach(1);
  recorder.report(outcome({}));
  await started.looked();
  recorder.report(outcome({ shop: 1 }));
  assertEquals(await api.reach(2), ["web Warning InvalidHost", "shop Warning InvalidHost"]);
});

Deno.test("EventRecorder tells that the configuration cannot be written", async () => {
  await using started = start();
  const { api, recorder } = started;
  recorder.report(outcome({}, { failure: "too large" }));
  await api.reach(1);
  recorder.report(outcome({}));
  assertEquals(await api.reach(2), [
    "pingress-config Warning ApplyFailed",
    "pingress-config Normal Resolved",
  ]);
});

Deno.test("EventRecorder lets one Ingress not speak for all", async () => {
  await using started = start({ limitPerObject: { burst: 2, interval: 60_000 } });
  const { api, recorder } = started;
  recorder.report(outcome({ loud: 9, quiet: 1 }));
  await api.reach(3);
  recorder.report(outcome({ loud: 9, quiet: 1 }));
  await started.looked();
  const told = ["loud Warning InvalidHost", "loud Warning InvalidHost", "quiet Warning InvalidHost"];
  assertEquals(api.written, told);
});

Deno.test("EventRecorder tells later what a limit holds back, if it is still so", async () => {
  await using started = start({
    limitPerObject: { burst: 1, interval: 30 },
    limit: { burst: 2, interval: 30 },
  });
  const { api, recorder } = started;
  recorder.report(outcome({ one: 3, other: 1 }));
  await api.reach(2);
  recorder.report(outcome({ one: 2, other: 1 }));
  await api.reach(3);
  recorder.report(outcome({ one: 0, other: 0 }));
  await api.reach(6); // each of those that were told is solved
  assertEquals(api.written.filter((event) => event.includes("Warning")).toSorted(), [
    "one Warning InvalidHost",
    "one Warning InvalidHost",
    "other Warning InvalidHost",
  ]);
});

Deno.test("EventRecorder tries again when the cluster is away", async () => {
  await using started = start();
  const { api, recorded, recorder } = started;
  let failures = 2;
  api.fail = () => failures-- > 0 ? new Error("connection refused") : undefined;
  recorder.report(outcome({ web: 1 }));
  assertEquals(await api.reach(1), ["web Warning InvalidHost"]);
  assertEquals(recorded.lines.filter((line) => line.includes("connection refused")).length, 2);
});

Deno.test("EventRecorder goes on after an Event that is refused", async () => {
  await using started = start();
  const { api, recorder } = started;
  let asked = 0;
  api.fail = ({ involvedObject }) => {
    if (involvedObject.name !== "ending") return undefined;
    asked++;
    const status = { details: { causes: [{ reason: "NamespaceTerminating" }] } };
    return Object.assign(new Error("forbidden"), { httpCode: 403, status });
  };
  recorder.report(outcome({ ending: 1, web: 1 }));
  await api.reach(1);
  recorder.report(outcome({ ending: 1, web: 1, shop: 1 }));
  assertEquals([(await api.reach(2)).length, asked], [2, 1]);
});

Deno.test("EventRecorder is held up by no namespace in which it may not write, and tries there again", async () => {
  await using started = start();
  const { api, recorded, recorder } = started;
  let refusals = 2;
  api.fail = ({ involvedObject }) =>
    involvedObject.name === "full" && refusals-- > 0
      ? Object.assign(new Error("exceeded quota"), { httpCode: 403 })
      : undefined;
  recorder.report(outcome({ full: 1, web: 1 }));
  assertEquals(await api.reach(2), ["web Warning InvalidHost", "full Warning InvalidHost"]);
  assertEquals(recorded.lines.filter((line) => line.includes("exceeded quota")).length, 2);
});

Deno.test("EventRecorder is silent while another one writes, and then tells everything", async () => {
  await using started = start();
  const { api, state, recorder } = started;
  recorder.report(outcome({ web: 1 }));
  await api.reach(1);
  state.canWrite = false;
  recorder.report(outcome({ web: 2 }));
  await started.looked();
  assertEquals(api.written.length, 1);
  state.canWrite = true;
  recorder.report(outcome({ web: 2 }));
  assertEquals((await api.reach(3)).length, 3);
});
