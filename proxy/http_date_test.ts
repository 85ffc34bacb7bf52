import { assert, assertEquals, assertMatch } from "@std/assert";
import { httpDate } from "./http_date.ts";

Deno.test("httpDate() writes the time as HTTP does, to the second", () => {
  const time = Date.UTC(1994, 10, 6, 8, 49, 37);
  const cases: [number, string][] = [
    [time, "Sun, 06 Nov 1994 08:49:37 GMT"],
    [time + 999, "Sun, 06 Nov 1994 08:49:37 GMT"],
    [time + 1000, "Sun, 06 Nov 1994 08:49:38 GMT"],
    // also when a clock is set back
    [time - 1, "Sun, 06 Nov 1994 08:49:36 GMT"],
    [0, "Thu, 01 Jan 1970 00:00:00 GMT"],
    [Date.UTC(2024, 1, 29, 23, 59, 59), "Thu, 29 Feb 2024 23:59:59 GMT"],
  ];
  for (const [now, expected] of cases) assertEquals(httpDate(now), expected);
});

Deno.test("httpDate() writes the present unless told", () => {
  const before = Math.floor(Date.now() / 1000) * 1000;
  const text = httpDate();
  assertMatch(text, /^[A-Z][a-z]{2}, [0-9]{2} [A-Z][a-z]{2} [0-9]{4} [0-9]{2}:[0-9]{2}:[0-9]{2} GMT$/);
  assert(Date.parse(text) >= before && Date.parse(text) <= Date.now());
});
