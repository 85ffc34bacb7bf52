import { assert, assertEquals, assertThrows } from "@std/assert";
import { environmentOf, exchangeOf } from "../../tests/policies.ts";
import { balancePolicy, hashByPolicy } from "./balance.ts";
import { compilePolicies } from "./compile.ts";

function endpoints(...names: string[]) {
  return names.map((name) => ({ name, load: 0, isPassedOver: false }));
}

Deno.test("balancePolicy() takes one after the other for all requests of a rule", () => {
  assertEquals(balancePolicy({}, environmentOf()), undefined);
  const policy = balancePolicy({ balance: "round-robin" }, environmentOf())!;
  const list = endpoints("a", "b", "c");
  const chosen = [1, 2, 3, 4].map(() => {
    const exchange = exchangeOf();
    policy.request?.(exchange);
    return exchange.balancer?.choose(list, "key")?.name;
  });
  assertEquals(chosen, ["a", "b", "c", "a"]);
});

Deno.test("hashByPolicy() takes the same endpoint for what is alike, and then the same other one", () => {
  assertEquals(hashByPolicy({}), undefined);
  assertThrows(() => hashByPolicy({ hashBy: "$nothing" }));
  const policy = hashByPolicy({ hashBy: "$arg_user" })!;
  const choose = (target: string, list: ReturnType<typeof endpoints>) => {
    const exchange = exchangeOf({ target });
    policy.request?.(exchange);
    return exchange.balancer?.choose(list, "key")?.name;
  };
  const list = endpoints("a", "b", "c", "d");
  for (let user = 0; user < 20; user++) {
    const first = choose(`/one?user=${user}`, list);
    assertEquals(choose(`/two?a=b&user=${user}`, list.toReversed()), first);
    const passedOver = list.map((one) => ({ ...one, isPassedOver: one.name === first }));
    const left = list.filter(({ name }) => name !== first);
    assertEquals(choose(`/?user=${user}`, passedOver), choose(`/?user=${user}`, left));
  }
  assertEquals(choose("/", []), undefined);
});

Deno.test("compilePolicies() lets affinity come before hashing, and hashing before balancing", () => {
  const affinity = { name: "route", attributes: {} };
  const all = { balance: "round-robin", hashBy: "$host" } as const;
  const nameOf = (options: Parameters<typeof compilePolicies>[0]) => {
    const exchange = exchangeOf();
    for (const look of compilePolicies(options, environmentOf())?.requests ?? []) look(exchange);
    return exchange.balancer?.constructor.name;
  };
  const [bound, hashed, balanced] = [{ ...all, affinity }, all, { balance: all.balance }].map(nameOf);
  assert(bound !== hashed && hashed !== balanced && bound !== balanced);
  assertEquals([bound, hashed, balanced], [
    nameOf({ affinity }),
    nameOf({ hashBy: "$host" }),
    nameOf({ balance: "round-robin" }),
  ]);
});
