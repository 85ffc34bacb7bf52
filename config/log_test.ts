import { assertEquals, assertMatch } from "@std/assert";
import { createLog, errorMessage, LOG_LEVELS, type LogFields } from "./log.ts";

/** What one message becomes, without its time. */
function logged(message: string, fields?: LogFields): string {
  const lines: string[] = [];
  createLog("test", { write: (line) => lines.push(line) }).info(message, fields);
  assertEquals(lines.length, 1);
  return lines[0]!.replace(/^\S+ /, "");
}

Deno.test("createLog() writes time, level, program and message", () => {
  const lines: string[] = [];
  createLog("test", { write: (line) => lines.push(line) }).warn("Something");
  assertMatch(lines.join(), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z WARN {2}test: Something$/);
});

Deno.test("createLog() writes nothing below its level", () => {
  for (const [index, level] of LOG_LEVELS.entries()) {
    const lines: string[] = [];
    const log = createLog("test", { level, write: (line) => lines.push(line.split(": ").at(-1)!) });
    for (const name of LOG_LEVELS) log[name](name);
    assertEquals(lines, LOG_LEVELS.slice(index));
  }
});

Deno.test("createLog() takes info for its level unless told", () => {
  const lines: string[] = [];
  const log = createLog("test", { write: (line) => lines.push(line) });
  log.debug("hidden");
  log.info("shown");
  assertEquals(lines.length, 1);
});

Deno.test("createLog() quotes fields that are more than a word", () => {
  const cases: [LogFields, string][] = [
    [{}, "INFO  test: m"],
    [{ count: 3, ok: true, file: "/etc/a.json" }, "INFO  test: m count=3 ok=true file=/etc/a.json"],
    [{ absent: undefined }, "INFO  test: m"],
    [{ text: "a b" }, 'INFO  test: m text="a b"'],
    [{ text: "" }, 'INFO  test: m text=""'],
    [{ text: "a level=ERROR" }, 'INFO  test: m text="a level=ERROR"'],
    [{ text: 'a"b' }, 'INFO  test: m text="a\\"b"'],
  ];
  for (const [fields, expected] of cases) assertEquals(logged("m", fields), expected);
});

Deno.test("createLog() makes one line of a message with control characters", () => {
  const evil = "a\nb\r\nc\u0000d\u001b[31me";
  const escaped = "a\\nb\\r\\nc\\u0000d\\u001b[31me";
  assertEquals(logged(evil), `INFO  test: ${escaped}`);
  assertEquals(logged("m", { text: evil }), `INFO  test: m text="${escaped}"`);
});

Deno.test("createLog() lets no character through that a terminal or a log reader obeys", () => {
  // DEL, the C1 controls NEL and CSI, and the line separators of Unicode
  for (const character of ["\u007f", "\u0085", "\u009b", "\u2028", "\u2029"]) {
    const code = character.charCodeAt(0).toString(16);
    assertEquals(logged(`a${character}b`).includes(character), false, `U+${code} in a message`);
    assertEquals(logged("m", { text: character }).includes(character), false, `U+${code} in a field`);
  }
});

Deno.test("errorMessage() reads whatever was thrown", () => {
  assertEquals(errorMessage(new TypeError("wrong")), "wrong");
  assertEquals(errorMessage("text"), "text");
  assertEquals(errorMessage(undefined), "undefined");
});
