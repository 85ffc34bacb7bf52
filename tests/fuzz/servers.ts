/**
 * The servers that are compared. Each gets the same bytes on a connection of its own, and then its end.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { type Address, formatAddress } from "@pingress/config";
import { freeAddress, hasNginx, startNginx as runNginx } from "../nginx.ts";
import { rule, TestProxy } from "../test_proxy.ts";
import { within } from "../testing.ts";
import { ANSWER_FIELD, type Arrival, type Observation, readAnswers } from "./observation.ts";
import { ArrivalBackend } from "./arrival_backend.ts";
import { LIMITS, type ReferenceRequest } from "./reference.ts";

/** A server that is compared. */
export interface FuzzedServer extends AsyncDisposable {
  /** What it is called. */
  readonly name: "Pingress" | "Deno.serve" | "nginx";
  /** Sends `text` on a connection, which is the input number `index`. */
  observe(text: string, index: number, expected: readonly ReferenceRequest[]): Promise<Observation>;
}

/** How long a server may take for a connection, in milliseconds: more is a hang. */
const PATIENCE = 10_000;

/** How long `Deno.serve` may be silent until its client ends the connection, in milliseconds. */
const QUIET = 150;

/** Our proxy, with a backend that lets nothing pass that a proxy may not write. */
export async function startPingress(): Promise<FuzzedServer> {
  const backend = new ArrivalBackend({ isStrict: true });
  const proxy = await TestProxy.start({
    rules: [rule(undefined, "/", "one")],
    endpoints: { "default/one:80": [backend.endpoint] },
    server: {
      maxHeadBytes: LIMITS.head,
      maxTargetBytes: LIMITS.target,
      proxyProtocolFrom: ["127.0.0.1"],
      maxConnections: 10_000,
    },
  });
  return {
    name: "Pingress",
    observe: (text, index, expected) =>
      observeProxy(proxy.addresses.http, backend, { text, index, expected }),
    async [Symbol.asyncDispose]() {
      await proxy[Symbol.asyncDispose]();
      backend[Symbol.dispose]();
    },
  };
}

/** What Deno itself does, with a handler that reads all of each request. */
export function startDeno(): FuzzedServer {
  const records = new Map<number, Arrival[]>();
  const server = Deno.serve({
    hostname: "127.0.0.1",
    port: 0,
    onListen: () => {},
    handler: async (request, { remoteAddr }) => {
      const body = Buffer.from(await request.arrayBuffer()).toString("latin1");
      const { port } = remoteAddr as Deno.NetAddr;
      let arrivals = records.get(port);
      if (arrivals === undefined) records.set(port, arrivals = []);
      const fields = [...request.headers];
      const host = request.headers.get("host") ?? "";
      // it has no path where the client sent none
      const target = request.url.replace(/^https?:\/\/[^/?#]*/i, "").replace(/^(?!\/)/, "/");
      const number = arrivals.push({ method: request.method, target, host, fields, body }) - 1;
      return new Response(null, { status: 204, headers: { [ANSWER_FIELD]: String(number) } });
    },
    onError: () => new Response(null, { status: 500 }),
  });
  return {
    name: "Deno.serve",
    observe: async (text, _, expected) => {
      const methods = expected.map(({ method }) => method);
      // it takes the end of what a client sends for the end of its interest
      const isDone = (received: string) => readAnswers(received, methods).answers.length >= expected.length;
      const { received, port } = await converse(server.addr, text, isDone);
      const arrivals = records.get(port) ?? [];
      records.delete(port);
      return { ...readAnswers(received, methods), arrivals, violations: [] };
    },
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

/** nginx, where it is installed and may be run. */
export async function startNginx(): Promise<FuzzedServer | undefined> {
  if (!await hasNginx()) return undefined;
  await using stack = new AsyncDisposableStack();
  const backend = stack.use(new ArrivalBackend({ isStrict: false }));
  const address = freeAddress();
  stack.use(await runNginx({ address, http: nginxConfig(address, backend.endpoint) }));
  const running = stack.move();
  return {
    name: "nginx",
    observe: (text, index, expected) => observeProxy(address, backend, { text, index, expected }),
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

function nginxConfig(address: Address, backend: string): string {
  return `
  keepalive_requests 1000000000;
  upstream backend { server ${backend}; keepalive 64; keepalive_requests 1000000000; }
  server {
    listen ${formatAddress(address)} proxy_protocol;
    location / {
      proxy_pass http://backend;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host $http_host;
      proxy_set_header X-Forwarded-For $proxy_protocol_addr;
      # a client that sends no more still wants its answers
      proxy_ignore_client_abort on;
    }
  }`;
}

/** Each input comes from a client of its own, as a PROXY protocol header says. */
async function observeProxy(
  address: Address,
  backend: ArrivalBackend,
  { text, index, expected }: { text: string; index: number; expected: readonly ReferenceRequest[] },
): Promise<Observation> {
  const client = `10.${index >> 16}.${(index >> 8) & 255}.${index & 255}`;
  const { received } = await converse(address, `PROXY TCP4 ${client} 10.255.255.255 1 80\r\n${text}`);
  const { answers, rest } = readAnswers(received, expected.map(({ method }) => method));
  const { arrivals, violations } = backend.take(client);
  if (rest !== "") violations.push(`No answer: ${JSON.stringify(rest)}`);
  return { arrivals, answers, violations };
}

/**
 * Sends a text and ends: at once, or, where `isDone` is given, when it says so of what came or nothing comes any
 * more. Reads to the end.
 */
async function converse(
  { hostname, port }: Address,
  text: string,
  isDone?: (received: string) => boolean,
): Promise<{ received: string; port: number }> {
  using connection = await Deno.connect({ hostname, port });
  let timer: ReturnType<typeof setTimeout> | undefined;
  let hasEnded = false;
  const end = () => {
    if (hasEnded) return;
    hasEnded = true;
    connection.closeWrite().catch(() => {});
  };
  let received = "";
  const readAll = async () => {
    const bytes = new Uint8Array(16 * 1024);
    for (let count; (count = await connection.read(bytes)) !== null;) {
      received += Buffer.from(bytes.buffer, 0, count).toString("latin1");
      if (isDone?.(received) === true) end();
    }
  };
  const write = async () => {
    const bytes = Buffer.from(text, "latin1");
    for (let at = 0; at < bytes.length;) at += await connection.write(bytes.subarray(at));
    if (isDone === undefined) end();
    else timer = setTimeout(end, QUIET);
  };
  try {
    // what is reset has ended, too
    await within(Promise.all([readAll().catch(() => {}), write().catch(() => {})]), "an end", PATIENCE);
  } finally {
    clearTimeout(timer);
  }
  return { received, port: connection.localAddr.port };
}
