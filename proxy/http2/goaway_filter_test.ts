import { assertEquals } from "@std/assert";
import { FRAME, frame, PREFACE } from "../../tests/conformance/http2_frames.ts";
import { bytesOf, latin1 } from "../../tests/testing.ts";
import { GoawayFilter } from "./goaway_filter.ts";

const SETTINGS = frame({ type: FRAME.SETTINGS });
const DATA = frame({ type: FRAME.DATA, stream: 1, payload: "\0\0\x08\x07\0\0\0\0\0no frame at all" });
const GOAWAY = (last: string, more = "") => frame({ type: FRAME.GOAWAY, payload: `${last}\0\0\0\0${more}` });

Deno.test("GoawayFilter.pass() takes GOAWAY out, however the bytes come", () => {
  const cases: [name: string, text: string, expected: string, lastStreams: number[]][] = [
    ["nothing to take", PREFACE + SETTINGS + DATA, PREFACE + SETTINGS + DATA, []],
    ["one", PREFACE + SETTINGS + GOAWAY("\0\0\0\x03") + DATA, PREFACE + SETTINGS + DATA, [3]],
    ["at the end", PREFACE + DATA + GOAWAY("\xff\xff\xff\xff"), PREFACE + DATA, [2 ** 31 - 1]],
    ["two, with words", PREFACE + GOAWAY("\0\0\0\x05", "bye") + DATA + GOAWAY("\0\0\0\x01"), PREFACE + DATA, [
      5,
      1,
    ]],
    ["one behind the other", PREFACE + GOAWAY("\0\0\0\x05") + GOAWAY("\0\0\0\x01"), PREFACE, [5, 1]],
  ];
  for (const [name, text, expected, lastStreams] of cases) {
    for (let size = 1; size <= text.length; size++) {
      const told: number[] = [];
      const filter = new GoawayFilter(PREFACE.length, (last) => told.push(last));
      let passed = "";
      for (let at = 0; at < text.length; at += size) {
        passed += latin1(filter.pass(bytesOf(text.slice(at, at + size))));
      }
      assertEquals([passed, told], [expected, lastStreams], `${name}, ${size} bytes at once`);
    }
  }
});

Deno.test("GoawayFilter.pass() leaves what is wrong to others", () => {
  for (
    const text of [
      frame({ type: FRAME.GOAWAY, payload: "1234567" }),
      frame({ type: FRAME.GOAWAY, stream: 1, payload: "12345678" }),
      frame({ type: FRAME.GOAWAY, payload: "x".repeat(20_000) }),
    ]
  ) {
    const told: number[] = [];
    const filter = new GoawayFilter(0, (last) => told.push(last));
    assertEquals([latin1(filter.pass(bytesOf(text))), told], [text, []]);
  }
});
