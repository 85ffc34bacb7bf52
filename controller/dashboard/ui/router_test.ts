import { assertEquals } from "@std/assert";
import { linkTo, linkToIngress, parsePlace } from "./router.js";

Deno.test("parsePlace() reads a fragment", () => {
  const cases: [hash: string, path: string[], query: Record<string, string>][] = [
    ["", [], {}],
    ["#/", [], {}],
    ["#/routes", ["routes"], {}],
    ["#/routes?search=a%20b&url=http%3A%2F%2Fa%2F%3Fb%3Dc", ["routes"], {
      search: "a b",
      url: "http://a/?b=c",
    }],
    ["#/routes?url=http://a/?b", ["routes"], { url: "http://a/?b" }],
    ["#/ingresses/default/a%2Fb", ["ingresses", "default", "a/b"], {}],
    ["#/ingresses/100%", ["ingresses", "100%"], {}],
  ];
  for (const [hash, path, query] of cases) assertEquals(parsePlace(hash), { path, query }, hash);
});

Deno.test("linkTo() makes what parsePlace() reads", () => {
  const place = { path: ["ingresses", "default", "a/b c"], query: { search: "ä&?#=" } };
  assertEquals(parsePlace(linkTo(place.path, place.query)), place);
  assertEquals(linkTo([]), "#/");
  assertEquals(linkTo(["routes"], { search: "", host: undefined }), "#/routes");
  assertEquals(linkToIngress({ namespace: "default", name: "shop" }), "#/ingresses/default/shop");
});
