import { assertEquals } from "@std/assert";
import type { Secret } from "./objects.ts";
import { oncePerSecret } from "./secrets.ts";

Deno.test("oncePerSecret() looks at each Secret once, whatever it finds", () => {
  const looked: string[] = [];
  const nameOf = oncePerSecret(({ metadata: { name } }) => {
    looked.push(name);
    return name === "none" ? undefined : name;
  });
  const [one, none]: Secret[] = [{ metadata: { name: "one" } }, { metadata: { name: "none" } }];
  assertEquals([one!, none!, one!, none!].map(nameOf), ["one", undefined, "one", undefined]);
  assertEquals(nameOf({ metadata: { name: "one" } }), "one");
  assertEquals(looked, ["one", "none", "one"]);
});
