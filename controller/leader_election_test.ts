import { assert, assertEquals, assertFalse, assertLess, assertRejects } from "@std/assert";
import { MicroTime } from "@cloudydeno/kubernetes-apis/common.ts";
import { SILENT_LOG } from "@pingress/config";
import { clientOf } from "../tests/fake_cluster.ts";
import { recordingLog } from "../tests/testing.ts";
import { FakeLeases, type Network, over, VirtualTime } from "../tests/fake_leases.ts";
import { LeaderElection, LEADING_MILLISECONDS, LEASE_MILLISECONDS, leaseApi } from "./leader_election.ts";

/** A Lease, and controllers that compete for it over networks that a test can break. */
class World {
  readonly time = new VirtualTime();
  readonly leases = new FakeLeases();

  candidate(identity: string, log = SILENT_LOG) {
    const network: Network = { request: () => Promise.resolve(), answer: () => Promise.resolve() };
    const election = new LeaderElection({
      leases: over({ request: () => network.request(), answer: () => network.answer() }, this.leases),
      identity,
      log,
      clock: this.time.clock({ start: Math.floor(1e9 * Math.random()) }),
    });
    const told: boolean[] = [];
    election.onChange(() => told.push(election.isLeader));
    return { election, network, told };
  }

  async leader(identity: string) {
    const candidate = this.candidate(identity);
    candidate.election.start();
    await this.time.until(() => candidate.election.isLeader, 0);
    return candidate;
  }

  async follower(identity: string) {
    const candidate = this.candidate(identity);
    candidate.election.start();
    await this.time.pass(500);
    assertFalse(candidate.election.isLeader);
    return candidate;
  }
}

const refuse = () => Promise.reject(new Error("away"));
const never = () => new Promise<never>(() => {});

/** A time in a Lease, which may be any. */
function wallTime(text: string): MicroTime {
  return new MicroTime(new Date(text), 0);
}

Deno.test("LeaderElection makes the Lease, takes it and renews it", async () => {
  const world = new World();
  const { time, leases } = world;
  const { election, told } = world.candidate("a");
  await time.pass(1000);
  assertEquals([election.isLeader, leases.writes], [false, []]);
  election.start();
  await time.until(() => election.isLeader, 0);
  assertEquals(leases.writes, ["make", "a"]);
  const { holderIdentity, leaseDurationSeconds, leaseTransitions, acquireTime } = leases.lease?.spec ?? {};
  assertEquals([holderIdentity, leaseDurationSeconds, leaseTransitions], ["a", 12, 1]);
  await time.pass(60_000, () => assert(election.isLeader));
  assertEquals(leases.writes.length, 2 + 30);
  assertEquals([leases.lease?.spec?.leaseTransitions, leases.lease?.spec?.acquireTime], [1, acquireTime]);
  assertEquals([told, election.transitions], [[true], 1]);
});

Deno.test("LeaderElection lets one of two lead that begin at the same time", async () => {
  const world = new World();
  const candidates = [world.candidate("a"), world.candidate("b")];
  for (const { election } of candidates) election.start();
  const leaders = () => candidates.filter(({ election }) => election.isLeader).length;
  await world.time.until(() => leaders() === 1, 0);
  await world.time.pass(30_000, () => assertEquals(leaders(), 1));
});

for (const renewTime of ["1970-01-01T00:00:00.000Z", "2999-12-31T00:00:00.000Z"]) {
  Deno.test(`LeaderElection waits for the end of a Lease by its own clock, though it says ${renewTime}`, async () => {
    const world = new World();
    const { time, leases } = world;
    leases.edit({ spec: { holderIdentity: "b", leaseDurationSeconds: 20, renewTime: wallTime(renewTime) } });
    const { election } = world.candidate("a");
    election.start();
    await time.pass(19_000);
    leases.edit({ ...leases.lease, spec: { ...leases.lease?.spec, leaseTransitions: 7 } });
    assertEquals(await time.until(() => election.isLeader, 30_000), 21_000);
    assertEquals(leases.lease?.spec?.leaseTransitions, 8);
  });
}

for (
  const [what, break_] of [
    ["the API server refuses", (network: Network) => network.request = refuse],
    ["no request arrives", (network: Network) => network.request = never],
    ["no answer arrives", (network: Network) => network.answer = never],
  ] as const
) {
  Deno.test(`LeaderElection ceases to lead before another begins when ${what}`, async () => {
    const world = new World();
    const a = await world.leader("a");
    const b = await world.follower("b");
    const since = world.time.now;
    break_(a.network);
    const ceased = await world.time.until(() => !a.election.isLeader, LEADING_MILLISECONDS);
    assertEquals(since + ceased, LEADING_MILLISECONDS);
    assertEquals(a.told, [true, false]);
    const taken = await world.time.until(() => b.election.isLeader, 20_000);
    assertLess(ceased + taken, 15_000);
    assertFalse(a.election.isLeader);
  });
}

Deno.test("LeaderElection counts from before it asked", async () => {
  const world = new World();
  const { election, network, told } = world.candidate("a");
  let requests = 0;
  network.answer = () => world.time.wait(++requests === 3 ? 2900 : 0);
  election.start();
  // reading and making take no time, taking takes 2.9 seconds
  assertEquals(await world.time.until(() => election.isLeader, 3000), 2900);
  network.request = refuse;
  await world.time.until(() => !election.isLeader, 10_000);
  assertEquals(world.time.now, LEADING_MILLISECONDS);
  assertEquals(told, [true, false], "and it tells then, not with the next attempt");
});

Deno.test("LeaderElection leads no longer than it may, though it is not given time to notice", async () => {
  const world = new World();
  const { election, told } = await world.leader("a");
  world.time.now += LEADING_MILLISECONDS - 1;
  assert(election.isLeader);
  world.time.now += 1;
  assertFalse(election.isLeader);
  assertEquals(told, [true]);
});

Deno.test("LeaderElection goes on when one renewal is not answered", async () => {
  const world = new World();
  const { election, network, told } = await world.leader("a");
  network.request = never;
  await world.time.pass(2500);
  network.request = () => Promise.resolve();
  await world.time.pass(20_000, () => assert(election.isLeader));
  assertEquals(told, [true]);
});

Deno.test("LeaderElection takes what it has got without being told", async () => {
  const world = new World();
  const { election, network } = world.candidate("a");
  let answers = 0;
  network.answer = () => ++answers === 3 ? never() : Promise.resolve();
  election.start();
  await world.time.pass(1000);
  assertEquals([world.leases.lease?.spec?.holderIdentity, election.isLeader], ["a", false]);
  await world.time.until(() => election.isLeader, 5000);
  assertEquals(world.leases.lease?.spec?.leaseTransitions, 1);
});

Deno.test("LeaderElection leads on when somebody labels the Lease while it is renewed", async () => {
  const world = new World();
  const { time, leases } = world;
  const { election, network, told } = await world.leader("a");
  let requests = 0;
  network.request = () => {
    // between reading and replacing
    if (++requests % 4 === 2) leases.edit({ ...leases.lease, metadata: { labels: { seen: "yes" } } });
    return Promise.resolve();
  };
  await time.pass(60_000, () => assert(election.isLeader));
  assertEquals([told, leases.lease?.metadata?.labels], [[true], { seen: "yes" }]);
});

Deno.test("LeaderElection ceases to lead when somebody else holds the Lease", async () => {
  const world = new World();
  const { election } = await world.leader("a");
  world.leases.edit({ spec: { holderIdentity: "somebody" } });
  await world.time.until(() => !election.isLeader, 2000);
  const since = world.time.now;
  await world.time.until(() => election.isLeader, 20_000);
  assertEquals(world.time.now - since, LEASE_MILLISECONDS, "which is not renewed");
});

Deno.test("LeaderElection waits for the leader of a Lease that was deleted", async () => {
  const world = new World();
  const a = await world.leader("a");
  const b = await world.follower("b");
  a.network.request = never;
  world.leases.lease = undefined;
  const deleted = world.time.now;
  await world.time.until(() => b.election.isLeader, 20_000);
  assertFalse(a.election.isLeader);
  assertLess(world.time.now - deleted, LEASE_MILLISECONDS + 1500);
  await world.time.pass(10_000, () => assert(b.election.isLeader));
});

Deno.test("stop() hands over", async () => {
  const world = new World();
  const a = await world.leader("a");
  const b = await world.follower("b");
  a.network.request = () => {
    assertFalse(a.election.isLeader, "it has ceased to lead before it says so");
    return Promise.resolve();
  };
  await a.election.stop();
  assertEquals(world.leases.writes.at(-1), "release");
  assertEquals(a.told, [true, false]);
  assertLess(await world.time.until(() => b.election.isLeader, 20_000), 1500);
  assertEquals(world.leases.lease?.spec?.leaseTransitions, 2);
});

Deno.test("stop() of a follower leaves the Lease alone", async () => {
  const world = new World();
  const a = await world.leader("a");
  const b = await world.follower("b");
  await b.election.stop();
  await world.candidate("c").election.stop();
  await world.time.pass(20_000, () => assert(a.election.isLeader));
});

Deno.test("stop() ends though the API server does not answer", async () => {
  const world = new World();
  const { log, lines } = recordingLog();
  const { election, network } = world.candidate("a", log);
  election.start();
  await world.time.until(() => election.isLeader, 0);
  network.request = never;
  let isStopped = false;
  election.stop().then(() => isStopped = true);
  await world.time.until(() => isStopped, 3000);
  assertEquals(lines.filter((line) => line.includes("others wait until it expires")).length, 1);
});

Deno.test("LeaderElection tells a failure once in a while, and who leads", async () => {
  const world = new World();
  const { log, lines } = recordingLog();
  await world.leader("a");
  const { election, network } = world.candidate("b", log);
  network.request = refuse;
  election.start();
  await world.time.pass(59_000);
  assertEquals(lines.map((line) => line.includes("away")), [true]);
  network.request = () => Promise.resolve();
  await world.time.pass(10_000);
  assertEquals(lines.slice(1), ["INFO  test: Another controller leads holder=a"]);
});

/** Records requests and answers all alike. */
function recording(answer: () => Promise<unknown>) {
  const requests: string[] = [];
  const performRequest = ({ method, path, querystring, bodyJson }: Record<string, unknown>) => {
    requests.push([method, path, String(querystring ?? ""), JSON.stringify(bodyJson)].join(" ").trim());
    return answer();
  };
  return { requests, leases: leaseApi(clientOf(performRequest), "test") };
}

Deno.test("leaseApi() reads, makes and replaces one Lease", async () => {
  const lease = {
    apiVersion: "coordination.k8s.io/v1",
    kind: "Lease",
    metadata: { labels: { mine: "yes" }, name: "pingress-controller", resourceVersion: "7" },
    spec: { holderIdentity: "a", renewTime: "2026-01-31T12:00:00.123456Z" },
  };
  const { requests, leases } = recording(() => Promise.resolve(structuredClone(lease)));
  const call = { abortSignal: AbortSignal.abort() };
  const read = await leases.get(call);
  assertEquals(read?.spec?.renewTime?.micros, 123456);
  await leases.make(call);
  await leases.replace(read ?? {}, call);
  const path = "/apis/coordination.k8s.io/v1/namespaces/test/leases/pingress-controller";
  const [get = "", make = "", replace = ""] = requests;
  assertEquals(get, `GET ${path}`);
  assert(make.startsWith(`PATCH ${path} fieldManager=pingress-controller&force=1 {`));
  assertFalse(make.includes("spec"), "nobody holds it yet");
  assertEquals(replace, `PUT ${path} fieldManager=pingress-controller ${JSON.stringify(lease)}`);
});

Deno.test("leaseApi() tells a Lease that is not there from one that cannot be read", async () => {
  const call = { abortSignal: AbortSignal.abort() };
  const failing = (httpCode: number) =>
    recording(() => Promise.reject(Object.assign(new Error("no"), { httpCode })));
  assertEquals(await failing(404).leases.get(call), undefined);
  await assertRejects(() => failing(403).leases.get(call), Error, "no");
});
