import { assertEquals } from "@std/assert";
import { documentAnnotations } from "./document.ts";

const PAGE = new URL("../../docs/annotations.md", import.meta.url);

Deno.test("documentAnnotations() is docs/annotations.md (deno task test:update writes it)", async () => {
  const text = documentAnnotations();
  if (Deno.env.get("PINGRESS_UPDATE") === "1") await Deno.writeTextFile(PAGE, text);
  assertEquals(text, await Deno.readTextFile(PAGE));
});
