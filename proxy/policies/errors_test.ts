import { assertEquals } from "@std/assert";
import type { RuleOptions } from "@pingress/config";
import { environmentOf, exchangeOf } from "../../tests/policies.ts";
import { FakeContent } from "../../tests/fakes.ts";
import { errorResponse, ProxyError } from "../errors.ts";
import type { DownstreamResponse } from "../exchange.ts";
import { Fields } from "../http1/fields.ts";
import { errorsPolicy } from "./errors.ts";

const BACKEND = { type: "Service", name: "errors", namespace: "default", port: 80 } as const;
const OPTIONS: RuleOptions = { errors: { codes: [404, 499, 503], backend: BACKEND, ingress: "web" } };
const PAGE: DownstreamResponse = { status: 200, fields: Fields.of([]), body: null };

/** A policy of which the default backend answers, or fails. */
function setup(answer: DownstreamResponse | Error) {
  const sent: string[] = [];
  const policy = errorsPolicy(
    OPTIONS,
    environmentOf({
      send: ({ method, target }) => {
        sent.push(`${method} ${target}`);
        return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
      },
    }),
  );
  const exchange = exchangeOf({ target: "/a?b" });
  return {
    sent,
    cancellation: exchange.request.cancellation,
    pass: async (response: DownstreamResponse) => await policy?.response?.(response, exchange) ?? response,
  };
}

const FAILURE = new ProxyError("upstream_unreachable", "refused");

Deno.test("errorsPolicy() closes the answer that is not used", async () => {
  const { pass, sent } = setup(PAGE);
  const body = new FakeContent();
  assertEquals(await pass({ status: 404, fields: Fields.of([]), body }), PAGE);
  assertEquals([body.isClosed, sent], [true, ["GET /?b"]]);
});

Deno.test("errorsPolicy() keeps our own answer where the default backend fails", async () => {
  for (const reason of ["no_route", "no_endpoint"] as const) {
    const own = errorResponse(reason);
    assertEquals(await setup(FAILURE).pass(own), own);
  }
});

Deno.test("errorsPolicy() says that the default backend fails where the backend's answer is gone", async () => {
  const { status } = await setup(FAILURE).pass({
    status: 404,
    fields: Fields.of([]),
    body: new FakeContent(),
  });
  assertEquals(status, 502);
});

Deno.test("errorsPolicy() asks nobody for a client that has gone", async () => {
  const { pass, sent, cancellation } = setup(PAGE);
  cancellation.cancel();
  const own = errorResponse("client_gone");
  assertEquals([await pass(own), sent], [own, []]);
});
