/**
 * A proxy with one backend, and what tests say to it.
 *
 * @module
 */
import { valuesOf, type WireMessage } from "./peers.ts";
import { rule, TestProxy, type TestProxyOptions } from "./test_proxy.ts";

/** Starts a proxy that sends every request of a.test to one backend. */
export async function proxyTo(
  backend: { endpoint: string },
  { members, ...more }: Partial<TestProxyOptions> & { members?: object } = {},
): Promise<TestProxy> {
  return await TestProxy.start({
    rules: [rule("a.test", "/", "one", members)],
    endpoints: { "default/one:80": [backend.endpoint] },
    ...more,
  });
}

/** The status of an answer and what Pingress says of it. */
export function outcome(message: WireMessage): [status: number, error: string | undefined] {
  return [Number(message.start.split(" ")[1]), valuesOf(message, "pingress-error")[0]];
}

/** The text of a request with more header lines. */
export function get(target: string, ...lines: string[]): string {
  return `GET ${target} HTTP/1.1\r\n${["Host: a.test", ...lines].join("\r\n")}\r\n\r\n`;
}
