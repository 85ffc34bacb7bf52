import { assertEquals, assertMatch } from "@std/assert";
import { valuesOf } from "../peers.ts";
import { inBothSpellings, statusOf } from "./harness.ts";

inBothSpellings("a site", async (start) => {
  await using site = await start();
  const answer = await site.ask({ method: "POST", target: "/a?b", fields: { "X-Extra": "1" }, body: "text" });
  assertEquals([statusOf(answer), answer.body], [200, "web"]);
  const [request] = site.backend.requests;
  assertEquals([request?.start, request?.body], ["POST /a?b HTTP/1.1", "text"]);
  assertEquals(valuesOf(request!, "x-extra"), ["1"]);
  await site.change({ annotations: { "permanent-redirect": "https://other.test/x", "ssl-redirct": "true" } });
  const redirect = await site.ask();
  assertEquals([statusOf(redirect), valuesOf(redirect, "location")], [301, ["https://other.test/x"]]);
  assertMatch(site.problems.map(({ message }) => message).join(), /did you mean \S+\/ssl-redirect\?/);
});
