import { assert, assertEquals } from "@std/assert";
import { type Balance, BALANCES, type Candidate, createBalancer } from "./balancer.ts";

/** An endpoint of which a balancer sees a load; one that could not be reached has `!` before it. */
function endpoints(...loads: (number | `!${number}`)[]): readonly Candidate[] {
  return loads.map((load, index) => ({
    name: `10.0.0.${index}:80`,
    load: Number(String(load).replace("!", "")),
    isPassedOver: typeof load === "string",
  }));
}

/** Chance that follows a script, over and over. */
function scripted(...numbers: number[]): () => number {
  let at = 0;
  return () => numbers[at++ % numbers.length]!;
}

/** The places of the endpoints that are chosen one after the other. */
function choices(
  balance: Balance,
  list: readonly Candidate[],
  random: () => number,
  count: number,
): number[] {
  const balancer = createBalancer(balance, random);
  return Array.from({ length: count }, () => list.indexOf(balancer.choose(list, "key")!));
}

Deno.test("Balancer.choose() finds nothing where there is nothing, and the only one where there is one", () => {
  for (const balance of BALANCES) {
    const balancer = createBalancer(balance);
    assertEquals(balancer.choose([], "key"), undefined);
    for (const list of [endpoints(5), endpoints("!5")]) assert(balancer.choose(list, "key") === list[0]);
  }
});

Deno.test("Balancer.choose() passes over those that could not be reached, unless there is no other", () => {
  for (const balance of BALANCES) {
    assertEquals(new Set(choices(balance, endpoints("!0", 9, "!0", 9), Math.random, 100)), new Set([1, 3]));
    assertEquals(new Set(choices(balance, endpoints("!0", 9), Math.random, 20)), new Set([1]));
    assertEquals(new Set(choices(balance, endpoints("!0", "!0"), Math.random, 100)), new Set([0, 1]));
  }
});

Deno.test("LeastRequests.choose() takes the less busy one of two that are chosen by chance", () => {
  const cases: [random: number[], loads: number[], expected: number][] = [
    [[0, 0], [3, 2, 1], 1],
    [[0, 0.99], [3, 2, 1], 2],
    [[0.5, 0], [3, 2, 1], 2],
    [[0.99, 0], [3, 2, 1], 2],
    [[0.99, 0], [0, 2, 1], 0],
    [[0, 0], [1, 1, 0], 0],
    [[0.99, 0.99], [1, 1, 1], 2],
  ];
  for (const [random, loads, expected] of cases) {
    assertEquals(
      choices("least-requests", endpoints(...loads), scripted(...random), 1),
      [expected],
      JSON.stringify([random, loads]),
    );
  }
});

Deno.test("LeastRequests.choose() never compares an endpoint with itself", () => {
  const list = endpoints(1, 0);
  for (let first = 0; first < 1; first += 0.125) {
    for (let second = 0; second < 1; second += 0.125) {
      assertEquals(choices("least-requests", list, scripted(first, second), 1), [1]);
    }
  }
});

Deno.test("LeastRequests.choose() spreads requests over endpoints that are equally busy", () => {
  const counts = [0, 0, 0, 0];
  for (const choice of choices("least-requests", endpoints(0, 0, 0, 0), Math.random, 4000)) counts[choice]!++;
  for (const count of counts) assert(count > 500, counts.join());
});

Deno.test("RoundRobin.choose() takes one after the other, beginning by chance", () => {
  assertEquals(choices("round-robin", endpoints(9, 0, 0), scripted(0), 7), [0, 1, 2, 0, 1, 2, 0]);
  assertEquals(choices("round-robin", endpoints(9, 0, 0), scripted(0.99), 4), [2, 0, 1, 2]);
});

Deno.test("RoundRobin.choose() counts the turns of each backend for itself", () => {
  const balancer = createBalancer("round-robin", () => 0);
  const list = endpoints(0, 0);
  const turns = ["a", "b", "a", "b", "a"].map((key) => list.indexOf(balancer.choose(list, key)!));
  assertEquals(turns, [0, 0, 1, 1, 0]);
});
