import { assert, assertEquals, assertMatch, assertNotEquals } from "@std/assert";
import type { CookieAffinity } from "@pingress/config";
import { answerOf, environmentOf, exchangeOf, WEB, WEB_ROUTE } from "../../tests/policies.ts";
import { errorResponse } from "../errors.ts";
import { FieldName } from "../http1/field_name.ts";
import type { Candidate } from "../upstream/balancer.ts";
import { affinityPolicy } from "./affinity.ts";
import type { PolicyExchange } from "./policy.ts";
import { backendId, endpointId } from "./session_cookie.ts";

const SET_COOKIE = FieldName.of("set-cookie");
const NAMES = ["10.0.0.1:80", "10.0.0.2:80", "10.0.0.3:80"];

/** Endpoints; those that could not be reached lately have `!` before them. */
function endpoints(...names: string[]): Candidate[] {
  return names.map((name) => ({ name: name.replace("!", ""), load: 0, isPassedOver: name.startsWith("!") }));
}

/** A client of a rule with affinity, with or without a cookie. */
class Visitor {
  readonly #policy;
  readonly #exchange: PolicyExchange;

  constructor(affinity: Partial<CookieAffinity>, cookie?: string, random = 0) {
    const options = { affinity: { name: "route", attributes: {}, ...affinity } };
    this.#policy = affinityPolicy(options, environmentOf({ random: () => random }))!;
    this.#exchange = exchangeOf({ lines: cookie === undefined ? "" : `Cookie: route=${cookie}\r\n` });
    this.#policy.request?.(this.#exchange);
  }

  /** The endpoint that the next attempt is made at. */
  choose(...names: string[]): string | undefined {
    return this.#exchange.balancer?.choose(endpoints(...names), WEB_ROUTE.key)?.name;
  }

  /** The cookie that it gets with an answer. */
  async cookie(answer = answerOf() as ReturnType<typeof errorResponse>): Promise<string | undefined> {
    await this.#policy.response?.(answer, this.#exchange);
    return answer.fields.get(SET_COOKIE)?.replace(/^route=([^;]+); HttpOnly$/, "$1");
  }
}

const PERSISTENT = { isPersistent: true };
const CHANGING = { changesOnFailure: true };

Deno.test("affinityPolicy() is none without affinity", () => {
  assertEquals(affinityPolicy({}, environmentOf()), undefined);
});

for (const mode of [{}, PERSISTENT]) {
  const name = JSON.stringify(mode);

  Deno.test(`affinityPolicy() ${name} binds a client to the endpoint that it gets`, async () => {
    for (const random of [0, 0.4, 0.9]) {
      const first = new Visitor(mode, undefined, random);
      const endpoint = first.choose(...NAMES);
      const cookie = await first.cookie();
      assertMatch(cookie!, /^[-0-9a-f]+\|[0-9a-f]{32}$/);
      const again = new Visitor(mode, cookie);
      assertEquals([again.choose(...NAMES), await again.cookie()], [endpoint, undefined]);
    }
  });

  Deno.test(`affinityPolicy() ${name} binds nobody to an endpoint that could not be reached`, async () => {
    for (let client = 0; client < 20; client++) {
      const visitor = new Visitor(mode);
      assertEquals(visitor.choose("!10.0.0.1:80", "10.0.0.2:80", "!10.0.0.3:80"), "10.0.0.2:80");
      assertEquals(new Visitor(mode, await visitor.cookie()).choose(...NAMES), "10.0.0.2:80");
    }
  });

  Deno.test(`affinityPolicy() ${name} takes another endpoint for a new client when the first one fails`, async () => {
    const visitor = new Visitor(mode);
    const first = visitor.choose(...NAMES)!;
    const second = visitor.choose(...NAMES.filter((name) => name !== first))!;
    assertNotEquals(second, first);
    assertEquals(new Visitor(mode, await visitor.cookie()).choose(...NAMES), second);
  });

  Deno.test(`affinityPolicy() ${name} stays with an endpoint that cannot be reached`, async () => {
    const visitor = new Visitor(mode);
    const endpoint = visitor.choose(...NAMES)!;
    const again = new Visitor(mode, await visitor.cookie());
    const passedOver = NAMES.map((name) => name === endpoint ? `!${name}` : name);
    assertEquals(again.choose(...passedOver), endpoint);
    assertEquals(again.choose(...NAMES.filter((name) => name !== endpoint)), undefined);
    assertEquals(await again.cookie(), undefined);
  });

  Deno.test(`affinityPolicy() ${name} changes on failure where it should`, async () => {
    const changing = { ...mode, ...CHANGING };
    const visitor = new Visitor(changing);
    const endpoint = visitor.choose(...NAMES)!;
    const cookie = await visitor.cookie();
    const passedOver = NAMES.map((name) => name === endpoint ? `!${name}` : name);
    for (const attempts of [[passedOver], [NAMES, NAMES.filter((name) => name !== endpoint)]]) {
      const again = new Visitor(changing, cookie);
      let found: string | undefined;
      for (const names of attempts) found = again.choose(...names);
      assertNotEquals(found, endpoint);
      const next = await again.cookie();
      assertNotEquals(next, cookie);
      assertEquals(new Visitor(changing, next).choose(...NAMES), found);
    }
    const patient = new Visitor(changing, cookie);
    assertEquals(
      patient.choose(...NAMES.map((name) => `!${name}`)),
      endpoint,
      "there is none that is better",
    );
  });

  Deno.test(`affinityPolicy() ${name} finds no endpoint where there is none`, async () => {
    for (const cookie of [undefined, `key|${backendId(WEB)}`]) {
      const visitor = new Visitor(mode, cookie);
      assertEquals([visitor.choose(), await visitor.cookie()], [undefined, undefined]);
    }
  });

  Deno.test(`affinityPolicy() ${name} takes no cookie of another backend`, async () => {
    const visitor = new Visitor(mode, `${endpointId(WEB, "10.0.0.2:80")}|another`);
    assert(visitor.choose(...NAMES) !== undefined);
    assert(await visitor.cookie() !== undefined);
  });

  Deno.test(`affinityPolicy() ${name} sets no cookie with an error of our own, or before an endpoint is chosen`, async () => {
    const visitor = new Visitor(mode);
    assertEquals(await visitor.cookie(), undefined);
    visitor.choose(...NAMES);
    assertEquals(await visitor.cookie(errorResponse("upstream_unreachable")), undefined);
  });
}

Deno.test("affinityPolicy() takes what another program says of a persistent client, if it names an endpoint", async () => {
  const visitor = new Visitor(PERSISTENT, endpointId(WEB, "10.0.0.3:80"));
  assertEquals([visitor.choose(...NAMES), await visitor.cookie()], ["10.0.0.3:80", undefined]);
  const moved = new Visitor(PERSISTENT, endpointId(WEB, "10.0.0.9:80"));
  assert(moved.choose(...NAMES) !== undefined);
  assert(await moved.cookie() !== undefined);
});

Deno.test("affinityPolicy() hashes whatever another program says of a balanced client", async () => {
  const places = new Set<string | undefined>();
  for (let client = 0; client < 50; client++) {
    const visitor = new Visitor({}, `1764139238.123.45.${client}`);
    places.add(visitor.choose(...NAMES));
    assertEquals(await visitor.cookie(), undefined);
  }
  assertEquals(places.size, 3);
});

Deno.test("affinityPolicy() binds a client another time when no key leads to what can be reached", async () => {
  const many = Array.from({ length: 2000 }, (_, index) => `!10.1.${index >> 8}.${index & 255}:80`);
  const visitor = new Visitor({});
  assertEquals(visitor.choose("10.0.0.1:80", ...many), "10.0.0.1:80");
  // by chance it has found one of 2000 in 20 attempts
  const cookie = await visitor.cookie();
  if (cookie !== undefined) {
    assertEquals(new Visitor({}, cookie).choose("10.0.0.1:80", ...many), "10.0.0.1:80");
  }
});

Deno.test("affinityPolicy() leaves a canary alone where it should", () => {
  const options = {
    affinity: { name: "route", attributes: {} },
    canary: { backend: { ...WEB, name: "next" }, ignoresAffinity: true },
  };
  const policy = affinityPolicy(options, environmentOf())!;
  const exchange = exchangeOf();
  exchange.destination = { ...WEB_ROUTE, key: "default/next:80" };
  policy.request?.(exchange);
  assertEquals(exchange.balancer, undefined);
});
