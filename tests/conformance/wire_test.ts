import { assertEquals, assertThrows } from "@std/assert";
import { takeBody, takeHead, WireError, wireFraming } from "./wire.ts";

Deno.test("takeHead() takes a head and no byte more", () => {
  const head = "GET / HTTP/1.1\r\nHost: a\r\nX:\r\n\r\n";
  assertEquals(takeHead(`${head}rest`), {
    start: "GET / HTTP/1.1",
    fields: [["Host", "a"], ["X", ""]],
    length: head.length,
  });
  for (let cut = 0; cut < head.length; cut++) assertEquals(takeHead(head.slice(0, cut)), undefined);
});

Deno.test("takeHead() takes nothing that is not strict", () => {
  for (
    const line of ["A : b", "A:  b", "A: b ", " A: b", "A", ": b", "A: b\nC: d", "A: \rb", "A: \0", "A: é€"]
  ) {
    assertThrows(() => takeHead(`GET / HTTP/1.1\r\n${line}\r\n\r\n`), WireError, undefined, line);
  }
});

Deno.test("wireFraming() knows one framing only", () => {
  assertEquals(wireFraming([]), undefined);
  assertEquals(wireFraming([["Content-Length", "10"]]), 10);
  assertEquals(wireFraming([["Transfer-Encoding", "chunked"]]), "chunked");
  const wrong = [
    [["content-length", "1"], ["content-length", "1"]],
    [["content-length", "1"], ["transfer-encoding", "chunked"]],
    [["content-length", "01"]],
    [["content-length", "+1"]],
    [["transfer-encoding", "gzip, chunked"]],
  ] as [string, string][][];
  for (const fields of wrong) assertThrows(() => wireFraming(fields), WireError);
});

Deno.test("takeBody() takes content as far as it has come", () => {
  const chunks = "3\r\nabc\r\n1\r\nd\r\n0\r\n\r\n";
  assertEquals(takeBody(`${chunks}x`, "chunked"), { content: "abcd", length: chunks.length, isWhole: true });
  for (let cut = 0; cut < chunks.length; cut++) {
    assertEquals(takeBody(chunks.slice(0, cut), "chunked").isWhole, false);
  }
  for (const wrong of ["x\r\n", "1;a=b\r\na\r\n", "1\r\nab\r\n", "01\r\na\r\n", "0\r\nA: b\r\n\r\n"]) {
    assertThrows(() => takeBody(wrong, "chunked"), WireError, undefined, wrong);
  }
  assertEquals(takeBody("abcd", 3), { content: "abc", length: 3, isWhole: true });
  assertEquals(takeBody("ab", 3), { content: "ab", length: 2, isWhole: false });
});
