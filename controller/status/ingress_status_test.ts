import { assert, assertEquals } from "@std/assert";
import { recordingLog, settled, within } from "../../tests/testing.ts";
import { type Ingress, objectKey } from "../objects.ts";
import type { Outcome } from "../reporter.ts";
import { Store } from "../store.ts";
import { IngressStatus, type StatusApi, statusChanges } from "./ingress_status.ts";
import type { PublishedAddress, PublishedAddresses } from "./published_addresses.ts";

const ADDRESSES = [{ ip: "192.0.2.1" }, { ip: "192.0.2.2" }];
const OUR_FIELDS = [{ manager: "pingress-controller", operation: "Apply" }];

function ingress(
  name: string,
  { className = "pingress", addresses, isWrittenByUs = false }: {
    className?: string;
    addresses?: PublishedAddress[];
    isWrittenByUs?: boolean;
  } = {},
): Ingress {
  return {
    metadata: { name, namespace: "default", ...isWrittenByUs && { managedFields: OUR_FIELDS } },
    spec: { ingressClassName: className },
    ...addresses !== undefined && { status: { loadBalancer: { ingress: addresses } } },
  };
}

function outcome(...ingresses: Ingress[]): Outcome {
  const store = new Store();
  for (const ingress of ingresses) store.set("Ingress", ingress);
  const translation = {
    isEmpty: false,
    ingresses: [],
    claims: [],
    config: { rules: [] },
    endpoints: {},
    certificates: new Map(),
    files: new Map(),
    namedSecrets: new Set<string>(),
    problems: [],
  };
  return { snapshot: store.snapshot(), translation };
}

const cases: [what: string, ingress: Ingress, change: PublishedAddress[] | undefined][] = [
  ["writes to an Ingress without a status", ingress("a"), ADDRESSES],
  [
    "writes to an Ingress with other addresses",
    ingress("a", { addresses: [{ ip: "192.0.2.9" }] }),
    ADDRESSES,
  ],
  [
    "writes to an Ingress with the addresses from somebody else",
    ingress("a", { addresses: ADDRESSES }),
    ADDRESSES,
  ],
  [
    "leaves an Ingress as it should be",
    ingress("a", { addresses: ADDRESSES, isWrittenByUs: true }),
    undefined,
  ],
  [
    "leaves an Ingress of another class",
    ingress("a", { className: "other", addresses: ADDRESSES }),
    undefined,
  ],
  [
    "takes back what was written to an Ingress that has another class now",
    ingress("a", { className: "other", addresses: [{ ip: "192.0.2.9" }], isWrittenByUs: true }),
    [],
  ],
];

for (const [what, ingress, change] of cases) {
  Deno.test(`statusChanges() ${what}`, () => {
    const changes = statusChanges(outcome(ingress).snapshot, ADDRESSES);
    assertEquals(changes.map(({ addresses }) => addresses), change === undefined ? [] : [change]);
  });
}

Deno.test("statusChanges() takes no addresses away because none are known", () => {
  const ours = ingress("a", { addresses: ADDRESSES, isWrittenByUs: true });
  const foreign = ingress("b", { className: "other", addresses: ADDRESSES, isWrittenByUs: true });
  const changes = statusChanges(outcome(ours, foreign).snapshot, []);
  assertEquals(changes.map(({ ingress }) => ingress.metadata.name), ["b"]);
});

Deno.test("statusChanges() does not confuse two addresses with one", () => {
  const joined = ingress("a", { addresses: [{ hostname: "a,b" }], isWrittenByUs: true });
  assertEquals(statusChanges(outcome(joined).snapshot, [{ hostname: "a" }, { hostname: "b" }]).length, 1);
});

class FakeAddresses implements PublishedAddresses {
  addresses: PublishedAddress[] = ADDRESSES;
  tick: () => void = () => {};

  current() {
    return this.addresses;
  }

  start(tick: () => void): Promise<void> {
    this.tick = tick;
    return Promise.resolve();
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

/** Records what is written, and holds or fails what a test tells it to. */
class FakeStatusApi implements StatusApi {
  readonly writes: string[] = [];
  underWay = 0;
  mostUnderWay = 0;
  fail: (name: string) => unknown = () => undefined;
  #wrote = Promise.withResolvers<void>();

  async apply(ingress: Ingress, addresses: readonly PublishedAddress[]): Promise<void> {
    this.mostUnderWay = Math.max(this.mostUnderWay, ++this.underWay);
    await settled();
    this.underWay--;
    const error = this.fail(ingress.metadata.name);
    if (error !== undefined) throw error;
    this.writes.push(`${objectKey(ingress)} ${addresses.map(({ ip }) => ip)}`);
    this.#wrote.resolve();
    this.#wrote = Promise.withResolvers();
  }

  async reach(count: number): Promise<void> {
    while (this.writes.length < count) {
      await within(this.#wrote.promise, `${count} writes, not ${this.writes}`);
    }
  }
}

function start() {
  const api = new FakeStatusApi();
  const addresses = new FakeAddresses();
  const state = { canWrite: true };
  let asked = Promise.withResolvers<void>();
  const recorded = recordingLog();
  const status = new IngressStatus({
    api,
    addresses,
    canWrite: () => {
      asked.resolve();
      asked = Promise.withResolvers();
      return state.canWrite;
    },
    log: recorded.log,
    pace: { collect: 1, interval: 1, retryAfter: 1 },
  });
  /** Waits until it has asked whether it may write. */
  const hasAsked = async () => {
    await within(asked.promise, "a question");
    await settled();
  };
  return { api, addresses, state, recorded, status, hasAsked, [Symbol.asyncDispose]: () => status.close() };
}

Deno.test("IngressStatus writes once, and again when addresses change", async () => {
  await using started = start();
  const { api, addresses, status } = started;
  await status.start();
  const seen = outcome(ingress("a"));
  status.report(seen);
  await api.reach(1);
  status.report(seen); // the write has not come back yet
  addresses.addresses = [{ ip: "192.0.2.3" }];
  addresses.tick();
  await api.reach(2);
  assertEquals(api.writes, ["default/a 192.0.2.1,192.0.2.2", "default/a 192.0.2.3"]);
});

Deno.test("IngressStatus writes nothing before there is anything to write about", async () => {
  await using started = start();
  const { api, addresses, status } = started;
  await status.start();
  addresses.tick();
  status.report(outcome(ingress("a")));
  await api.reach(1);
});

Deno.test("IngressStatus writes to a few Ingresses at a time", async () => {
  await using started = start();
  const { api, status } = started;
  status.report(outcome(...Array.from({ length: 200 }, (_, index) => ingress(`ingress-${index}`))));
  await api.reach(200);
  assertEquals(api.mostUnderWay, 10);
});

Deno.test("IngressStatus tries again when the cluster is away, without writing twice", async () => {
  await using started = start();
  const { api, recorded, status } = started;
  let failures = 3;
  api.fail = (name) => name === "b" && failures-- > 0 ? new Error("connection refused") : undefined;
  status.report(outcome(ingress("a"), ingress("b")));
  await api.reach(2);
  assertEquals(api.writes.toSorted().map((write) => write.split(" ")[0]), ["default/a", "default/b"]);
  assertEquals(recorded.lines.filter((line) => line.includes("connection refused")).length, 3);
});

Deno.test("IngressStatus does not ask again for what the API server refuses", async () => {
  await using started = start();
  const { api, recorded, status } = started;
  let asked = 0;
  api.fail = (name) => {
    if (name !== "a") return undefined;
    asked++;
    return Object.assign(new Error("no such Ingress"), { httpCode: 404 });
  };
  const gone = ingress("a");
  status.report(outcome(gone, ingress("b")));
  await api.reach(1);
  await recorded.has("no such Ingress");
  status.report(outcome(gone, ingress("c")));
  await api.reach(2);
  assertEquals(asked, 1);
});

Deno.test("IngressStatus is held up by no Ingress that it may not write to, and tries again", async () => {
  await using started = start();
  const { api, status } = started;
  let refusals = 40;
  api.fail = (name) =>
    name.startsWith("denied") && refusals-- > 0
      ? Object.assign(new Error("denied by a policy"), { httpCode: 403 })
      : undefined;
  const denied = Array.from({ length: 20 }, (_, index) => ingress(`denied-${index}`));
  status.report(outcome(...denied, ingress("web")));
  await api.reach(1);
  assertEquals(api.writes.map((write) => write.split(" ")[0]), ["default/web"]);
  await api.reach(21);
});

Deno.test("IngressStatus writes only while it may", async () => {
  await using started = start();
  const { api, state, status } = started;
  state.canWrite = false;
  status.report(outcome(ingress("a")));
  await started.hasAsked();
  assertEquals(api.writes, []);
  state.canWrite = true;
  status.report(outcome(...Array.from({ length: 50 }, (_, index) => ingress(`ingress-${index}`))));
  await api.reach(1);
  state.canWrite = false;
  await status.close();
  assert(api.writes.length < 50, `${api.writes.length} were written`);
});
