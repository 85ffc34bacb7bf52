import { assertEquals } from "@std/assert";
import { optionsFor } from "./testing.ts";

const TAKEN = [
  "https://b.example.com/x?y=z",
  "http://b.example.com:8080$request_uri",
  "$scheme://${host}/a",
  "https://$http_host$uri$is_args$args",
];

for (const to of TAKEN) {
  Deno.test(`redirects takes ${to}`, () => {
    for (const [name, code] of [["permanent-redirect", 301], ["temporal-redirect", 302]] as const) {
      assertEquals(optionsFor({ [name]: to }), { options: { redirect: { to, code } }, told: [] });
    }
  });
}

const REFUSED: [to: string, why: string][] = [
  ["b.example.com", "no URL that begins with http"],
  ["$http_x_url", "no URL that begins with http"],
  ["https://b.example.com/{a}", "no URL that begins with http"],
  ["https://b.example.com$server_port", "has $server_port, which is no variable that Pingress knows"],
  ["https://b.example.com/$1", "has $1, which is no variable that Pingress knows"],
];

for (const [to, why] of REFUSED) {
  Deno.test(`redirects refuses ${to}`, () => {
    const { options, told: [problem, ...others] } = optionsFor({ "permanent-redirect": to });
    assertEquals([options, problem?.includes(why), others], [{}, true, []]);
  });
}

const CODES: [name: string, text: string, code: number, isTold: boolean][] = [
  ["permanent-redirect", "308", 308, false],
  ["permanent-redirect", "302", 302, false],
  ["permanent-redirect", "300", 301, true],
  ["permanent-redirect", "304", 301, true],
  ["permanent-redirect", "200", 301, true],
  ["permanent-redirect", "permanent", 301, true],
  ["temporal-redirect", "307", 307, false],
  ["temporal-redirect", "308", 302, true],
];

for (const [name, text, code, isTold] of CODES) {
  Deno.test(`redirects reads ${name}-code: ${text}`, () => {
    const { options, told } = optionsFor({ [name]: "https://b.example.com/", [`${name}-code`]: text });
    assertEquals([options.redirect?.code, told.length > 0], [code, isTold]);
  });
}
