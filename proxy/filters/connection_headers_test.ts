import { assertEquals } from "@std/assert";
import { eachForm } from "../../tests/testing.ts";
import type { HeaderList } from "../exchange.ts";
import { FieldNames } from "../http1/field_name.ts";
import { CONNECTION_HEADERS, removeConnectionHeaders } from "./connection_headers.ts";

/** What is left, whatever form the fields have. */
function leaves(headers: HeaderList, expected: HeaderList, others?: FieldNames): void {
  for (const fields of eachForm(headers)) {
    removeConnectionHeaders(fields, others);
    assertEquals(fields.list(), expected, JSON.stringify(headers));
  }
}

Deno.test("removeConnectionHeaders() drops the fields of the connection", () => {
  const names = ["connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-connection"];
  for (const name of [...names, "close", "te", "trailer", "transfer-encoding", "upgrade"]) {
    leaves([["a", "1"], [name, "x"], ["b", "2"]], [["a", "1"], ["b", "2"]]);
  }
});

Deno.test("removeConnectionHeaders() drops what Connection names, but no Content-Length", () => {
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
    // what is usual in one of them hides no other one
    [[["connection", "Keep-Alive"], ["connection", "a"], ["a", "1"], ["b", "2"]], [["b", "2"]]],
    [[["connection", "a"], ["connection", "Upgrade"], ["a", "1"], ["b", "2"]], [["b", "2"]]],
  ];
  for (const [headers, expected] of cases) leaves(headers, expected);
});

Deno.test("removeConnectionHeaders() keeps order and repetition of the rest", () => {
  const headers: HeaderList = [["set-cookie", "b=1"], ["via", "x"], ["set-cookie", "a=2"]];
  leaves(headers, headers);
});

Deno.test("removeConnectionHeaders() drops other fields that it is told to, too", () => {
  const others = new FieldNames([...CONNECTION_HEADERS, "b"]);
  leaves([["b", "1"], ["connection", "c"], ["c", "2"], ["d", "3"], ["b", "4"]], [["d", "3"]], others);
});

Deno.test("removeConnectionHeaders() leaves alone what is added afterwards", () => {
  for (const fields of eachForm([["connection", "a"], ["a", "1"], ["b", "2"]])) {
    removeConnectionHeaders(fields);
    fields.add("a", "3");
    assertEquals(fields.list(), [["b", "2"], ["a", "3"]]);
  }
});
