import { assertEquals } from "@std/assert";
import { eachForm } from "../../tests/testing.ts";
import type { HeaderList } from "../exchange.ts";
import { filterResponseHeaders } from "./response_headers.ts";

const NOW = "Sun, 06 Nov 1994 08:49:37 GMT";

/** What the client gets, whatever form the backend's fields have. */
function becomes(headers: HeaderList, expected: HeaderList): void {
  for (const fields of eachForm(headers)) {
    filterResponseHeaders(fields, Date.parse(NOW));
    assertEquals(fields.list(), expected, JSON.stringify(headers));
  }
}

Deno.test("filterResponseHeaders() keeps the backend's fields and drops those of its connection", () => {
  const own: HeaderList = [["server", "x"], ["date", "y"]];
  const cases: [HeaderList, HeaderList][] = [
    [[...own, ["content-length", "3"]], [...own, ["content-length", "3"]]],
    [[...own, ["connection", "x-int"], ["x-int", "1"], ["keep-alive", "timeout=5"]], own],
    [[...own, ["pingress-error", "no_route"]], own],
    [[["pingress-error", "a"], ...own, ["pingress-error", "b"]], own],
    [[["set-cookie", "a"], ["set-cookie", "b"], ...own], [["set-cookie", "a"], ["set-cookie", "b"], ...own]],
    [[...own, ["server", "second"]], [...own, ["server", "second"]]],
  ];
  for (const [headers, expected] of cases) becomes(headers, expected);
});

Deno.test("filterResponseHeaders() says the date and the server where the backend does not", () => {
  const cases: [HeaderList, HeaderList][] = [
    [[], [["date", NOW], ["server", "pingress"]]],
    [[["a", "1"]], [["a", "1"], ["date", NOW], ["server", "pingress"]]],
    [[["date", "y"]], [["date", "y"], ["server", "pingress"]]],
    [[["server", ""]], [["server", ""], ["date", NOW]]],
    [[["connection", "date, server"], ["date", "y"], ["server", "x"]], [["date", NOW], [
      "server",
      "pingress",
    ]]],
  ];
  for (const [headers, expected] of cases) becomes(headers, expected);
});
