import { assert, assertEquals } from "@std/assert";
import { selfSigned } from "../certificates.ts";
import { bytesOfNumber } from "../conformance/http2_frames.ts";
import { Peer } from "../peers.ts";
import { rule, TestProxy, tlsFiles } from "../test_proxy.ts";
import { fuzzParsers } from "./parsers.ts";

Deno.test("parsers of what connections begin with fail as they say, and never change their minds", () => {
  assertEquals(fuzzParsers({ seed: 1, from: 0, count: 3000 }), []);
});

Deno.test("a ClientHello without an end is cut off", async () => {
  const { cert, key } = await selfSigned(["a.test"]);
  await using proxy = await TestProxy.start({
    rules: [rule("a.test", "/", "one", tlsFiles("a"))],
    files: { "a.cert": cert, "a.key": key },
  });
  const message = `\x01${bytesOfNumber(16_000, 3)}${"\0".repeat(16_000)}`;
  // each byte in a record of its own makes six
  const records = [...message].map((byte) => `\x16\x03\x01\0\x01${byte}`);
  using client = await Peer.connect(proxy.addresses.https);
  let sent = 0;
  const writing = (async () => {
    for (const record of records.slice(0, 10_000)) {
      await client.write(record);
      sent += record.length;
    }
  })().catch(() => {});
  assertEquals(await client.readToEnd(), "");
  await writing;
  assert(sent > 16 * 1024, `it was cut off after ${sent} bytes`);
  await proxy.record.has("The ClientHello is too long");
});
