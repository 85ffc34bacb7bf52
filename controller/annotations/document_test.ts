import { assertEquals } from "@std/assert";
import { documentAnnotations } from "./document.ts";
import { INERT, ROWS } from "./known.ts";

const PAGE = new URL("../../docs/annotations.md", import.meta.url);

Deno.test("documentAnnotations() is docs/annotations.md (deno task test:update writes it)", async () => {
  const text = documentAnnotations({ rows: ROWS, inert: INERT });
  if (Deno.env.get("PINGRESS_UPDATE") === "1") await Deno.writeTextFile(PAGE, text);
  assertEquals(text, await Deno.readTextFile(PAGE));
});

Deno.test("documentAnnotations() says what becomes of each, by name, as text of a table", () => {
  const text = documentAnnotations({
    rows: new Map([
      ["c", { help: "Does it." }],
      ["b", { help: "Does it for `*.a|b` and *.<c>.", differs: "Not for\n*.d.", isGuard: true }],
    ]),
    inert: {
      a: { kind: "refused", why: "No." },
      d: { kind: "accepted", why: "So anyway." },
      e: { kind: "unsupported", why: "not yet", isGuard: true },
      f: { kind: "unsupported", why: "not yet", isGuard: "hosts" },
      g: { kind: "refused", why: "no", closes: () => true },
    },
  });
  assertEquals(text.split("\n").filter((line) => line.startsWith("| `")), [
    "| `a` | refused | No. |",
    "| `b` | differs | Does it for `*.a\\|b` and \\*.&lt;c>. With a bad value every request is answered with 503. " +
    "**Differs:** Not for \\*.d. |",
    "| `c` | supported | Does it. |",
    "| `d` | accepted | So anyway. |",
    "| `e` | unsupported | Not yet. The Ingress answers 503. |",
    "| `f` | unsupported | Not yet. All hosts of the Ingress answer 503. |",
    "| `g` | refused | No. The Ingress answers 503 where the value could say who may come in. |",
  ]);
});
