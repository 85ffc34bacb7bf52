import { assertEquals } from "@std/assert";
import type { HeaderList } from "../exchange.ts";
import { withoutConnectionHeaders } from "./connection_headers.ts";

Deno.test("withoutConnectionHeaders() drops the fields of the connection", () => {
  const names = ["connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-connection"];
  for (const name of [...names, "te", "trailer", "transfer-encoding", "upgrade"]) {
    assertEquals(withoutConnectionHeaders([["a", "1"], [name, "x"], ["b", "2"]]), [["a", "1"], ["b", "2"]]);
  }
});

Deno.test("withoutConnectionHeaders() drops what Connection names, but no Content-Length", () => {
  const cases: [HeaderList, HeaderList][] = [
    [[["connection", "x-secret"], ["x-secret", "1"], ["x-open", "2"]], [["x-open", "2"]]],
    [[["x-secret", "1"], ["connection", "close, X-Secret ,"], ["x-secret", "2"]], []],
    [[["connection", "a"], ["connection", "b"], ["a", "1"], ["b", "2"], ["c", "3"]], [["c", "3"]]],
    [[["connection", "a,\tb\t,c"], ["a", "1"], ["b", "2"], ["c", "3"]], []],
    [[["connection", "content-length"], ["content-length", "2"]], [["content-length", "2"]]],
    [[["connection", "Content-Length, a"], ["a", "1"], ["content-length", "2"]], [["content-length", "2"]]],
    [[["connection", ""], ["a", "1"]], [["a", "1"]]],
    [[["connection", "\xa0a"], ["a", "1"]], [["a", "1"]]],
    [[["connection", "constructor, __proto__"], ["a", "1"]], [["a", "1"]]],
  ];
  for (const [headers, expected] of cases) assertEquals(withoutConnectionHeaders(headers), expected);
});

Deno.test("withoutConnectionHeaders() keeps order and repetition of the rest", () => {
  const headers: HeaderList = [["set-cookie", "b=1"], ["via", "x"], ["set-cookie", "a=2"]];
  assertEquals(withoutConnectionHeaders(headers), headers);
});

Deno.test("withoutConnectionHeaders() leaves the list that it is given as it is", () => {
  const headers: HeaderList = [["connection", "a"], ["a", "1"], ["b", "2"]];
  const kept = withoutConnectionHeaders(headers);
  kept.push(["c", "3"]);
  assertEquals(headers, [["connection", "a"], ["a", "1"], ["b", "2"]]);
});
