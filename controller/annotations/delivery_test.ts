import type { RuleOptions } from "@pingress/config";
import { assertEquals } from "@std/assert";
import { optionsFor } from "./testing.ts";

const cases: [name: string, value: string, options: RuleOptions | undefined][] = [
  ["proxy-body-size", "8m", { maxBodyBytes: 8 * 1024 * 1024 }],
  ["proxy-body-size", "1 G", { maxBodyBytes: 1024 ** 3 }],
  ["proxy-body-size", "0", { maxBodyBytes: 0 }],
  ["proxy-body-size", "8mb", undefined],
  ["proxy-connect-timeout", "5", { connectTimeout: 5 }],
  ["proxy-connect-timeout", "5s", undefined],
  ["proxy-read-timeout", "3600", { readTimeout: 3600 }],
  ["proxy-read-timeout", "0", undefined],
  ["proxy-send-timeout", "60", { sendTimeout: 60 }],
  ["proxy-send-timeout", "-1", undefined],
  ["proxy-next-upstream", "error  http_502", {
    retry: { on: ["error", "http_502"], attempts: 3, seconds: 0 },
  }],
  ["proxy-next-upstream", "error,timeout", undefined],
  ["proxy-next-upstream", "http_501", undefined],
  ["proxy-next-upstream-tries", "5", { retry: { on: ["error", "timeout"], attempts: 5, seconds: 0 } }],
  ["proxy-next-upstream-tries", "-1", undefined],
  ["proxy-next-upstream-timeout", "9", { retry: { on: ["error", "timeout"], attempts: 3, seconds: 9 } }],
  ["proxy-buffering", "on", {}],
  ["proxy-buffering", "On", undefined],
  ["proxy-request-buffering", "off", {}],
];

for (const [name, value, expected] of cases) {
  Deno.test(`${name} ${JSON.stringify(value)} is ${JSON.stringify(expected) ?? "told"}`, () => {
    const { options, told } = optionsFor({ [name]: value });
    assertEquals([options, told.length], [expected ?? {}, expected === undefined ? 1 : 0]);
  });
}
