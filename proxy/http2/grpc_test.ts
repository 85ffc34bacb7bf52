import { assert, assertEquals } from "@std/assert";
import { FakeContent } from "../../tests/fakes.ts";
import { bytesOf } from "../../tests/testing.ts";
import { errorResponse } from "../errors.ts";
import type { HeaderList } from "../exchange.ts";
import { Fields } from "../http1/fields.ts";
import { brokenOff, inGrpc, isGrpc } from "./grpc.ts";

Deno.test("isGrpc() knows by the type of the content", () => {
  const cases: [type: string | undefined, expected: boolean][] = [
    ["application/grpc", true],
    ["application/grpc+proto", true],
    ["application/grpc; charset=x", true],
    ["Application/GRPC", true],
    ["application/grpc-web", false],
    ["application/grpc-web+proto", false],
    ["application/grpcx", false],
    ["text/plain", false],
    [undefined, false],
  ];
  for (const [type, expected] of cases) {
    const fields = Fields.of(type === undefined ? [] : [["content-type", type]]);
    assertEquals(isGrpc(fields), expected, type);
  }
});

Deno.test("inGrpc() says what a status means, and why", () => {
  const cases: [status: number, expected: string][] = [
    [400, "13"],
    [401, "16"],
    [403, "7"],
    [404, "12"],
    [405, "2"],
    [429, "14"],
    [500, "2"],
    [502, "14"],
    [503, "14"],
    [504, "14"],
  ];
  for (const [status, expected] of cases) {
    const fields = Fields.of([["content-type", "text/plain"], ["content-length", "5"], ["x-a", "b"]]);
    const response = inGrpc({ status, fields, body: bytesOf("50 % \xc3\xbc\n") });
    assertEquals([response.status, response.body], [200, null]);
    assertEquals(response.fields.list(), [
      ["x-a", "b"],
      ["content-type", "application/grpc"],
      ["grpc-status", expected],
      ["grpc-message", "50 %25 %C3%BC"],
    ]);
  }
});

Deno.test("inGrpc() closes content that it does not understand", () => {
  const body = new FakeContent();
  const { fields } = inGrpc({ status: 503, fields: Fields.of([]), body });
  assert(body.isClosed);
  assertEquals(fields.list().at(-1), ["grpc-message", "HTTP status 503"]);
});

Deno.test("inGrpc() leaves other answers as they are", () => {
  const cases: [status: number, HeaderList][] = [
    [200, []],
    [308, [["location", "/x"]]],
    [503, [["content-type", "application/grpc"]]],
  ];
  for (const [status, list] of cases) {
    const response = { status, fields: Fields.of([...list]), body: null };
    assert(inGrpc(response) === response);
    assertEquals(response.fields.list(), list);
  }
});

Deno.test("inGrpc() says why of what we answer ourselves", () => {
  const { fields } = inGrpc(errorResponse("no_endpoint"));
  const expected = ["grpc-message", "503: the backend has no ready endpoint"];
  assertEquals(fields.list().at(-1), expected);
});

Deno.test("brokenOff() is UNAVAILABLE", () => {
  assertEquals(brokenOff().list(), [["grpc-status", "14"], ["grpc-message", "the backend broke off"]]);
});
