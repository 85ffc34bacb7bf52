import { assertEquals } from "@std/assert";
import type { HeaderList } from "../exchange.ts";
import { downstreamResponseHeaders } from "./response_headers.ts";

Deno.test("downstreamResponseHeaders() keeps the backend's fields and drops those of its connection", () => {
  const cases: [HeaderList, HeaderList][] = [
    [[["server", "x"], ["date", "y"], ["content-length", "3"]], [["server", "x"], ["date", "y"], [
      "content-length",
      "3",
    ]]],
    [[["server", "x"], ["connection", "x-int"], ["x-int", "1"], ["keep-alive", "timeout=5"]], [[
      "server",
      "x",
    ]]],
    [[["server", "x"], ["pingress-error", "no_route"]], [["server", "x"]]],
    [[["set-cookie", "a"], ["set-cookie", "b"], ["server", "x"]], [["set-cookie", "a"], ["set-cookie", "b"], [
      "server",
      "x",
    ]]],
    [[["a", "1"]], [["a", "1"], ["server", "pingress"]]],
  ];
  for (const [headers, expected] of cases) assertEquals(downstreamResponseHeaders(headers), expected);
});
