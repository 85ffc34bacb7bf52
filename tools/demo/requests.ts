import { request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import { connect as connectHttp2 } from "node:http2";
import { type Address, formatAddress } from "@pingress/config";

/** A request that shows a route. */
export interface DemoRequest {
  /** What it shows. */
  title: string;
  /** How it is spoken. */
  protocol: "http" | "https" | "https, HTTP/2";
  /** The host that is asked. */
  host: string;
  /** The path that is asked for. */
  path: string;
  /** The backend that must answer. */
  backend: string;
}

/** What the demo shows. */
export const REQUESTS: readonly DemoRequest[] = [
  { title: "a host", protocol: "http", host: "apple.example.com", path: "/", backend: "apple" },
  { title: "an exact path", protocol: "http", host: "apple.example.com", path: "/banana", backend: "banana" },
  {
    title: "the rest of the prefix",
    protocol: "http",
    host: "apple.example.com",
    path: "/bananas",
    backend: "apple",
  },
  { title: "a wildcard host", protocol: "http", host: "any.wild.example.com", path: "/", backend: "banana" },
  { title: "the default backend", protocol: "http", host: "nobody.example.com", path: "/", backend: "apple" },
  {
    title: "TLS, first certificate",
    protocol: "https",
    host: "apple.example.com",
    path: "/",
    backend: "apple",
  },
  {
    title: "TLS, second certificate",
    protocol: "https",
    host: "banana.example.com",
    path: "/",
    backend: "banana",
  },
  { title: "HTTP/2", protocol: "https, HTTP/2", host: "apple.example.com", path: "/", backend: "apple" },
];

/** Where the demo's proxy listens, and whom to trust. */
export interface DemoProxy {
  /** The address for HTTP. */
  http: Address;
  /** The address for HTTPS. */
  https: Address;
  /** The file with all certificates that are to be trusted. */
  caFile: string;
}

/** The curl command of a request, ready to be pasted. */
export function curlCommand(
  { protocol, host, path }: DemoRequest,
  { http, https, caFile }: DemoProxy,
): string {
  if (protocol === "http") return `curl -H 'Host: ${host}' http://${formatAddress(http)}${path}`;
  const version = protocol === "https" ? "" : " --http2";
  return `curl${version} --cacert ${caFile} --resolve ${host}:${https.port}:${https.hostname} https://${host}:${https.port}${path}`;
}

/** Makes a request. @returns the answer's text. @throws {Error} when there is none, or one with a bad certificate. */
export async function send(
  { protocol, host, path }: DemoRequest,
  { http, https, caFile }: DemoProxy,
): Promise<string> {
  if (protocol === "http") {
    return await read((done) => httpRequest({ ...connectTo(http), path, headers: { host } }, done));
  }
  const ca = await Deno.readTextFile(caFile);
  const options = { ...connectTo(https), servername: host, ca };
  if (protocol === "https") {
    return await read((done) => httpsRequest({ ...options, path, headers: { host }, agent: false }, done));
  }
  return await sendHttp2({ host, path }, options);
}

function connectTo({ hostname, port }: Address): { host: string; port: number } {
  return { host: hostname, port };
}

async function read(
  start: (
    done: (response: NodeJS.ReadableStream) => void,
  ) => { on(event: "error", listener: (error: Error) => void): unknown; end(): unknown },
): Promise<string> {
  const response = await new Promise<NodeJS.ReadableStream>((resolve, reject) => {
    const request = start(resolve);
    request.on("error", reject);
    request.end();
  });
  return await textOf(response);
}

async function sendHttp2(
  { host, path }: { host: string; path: string },
  options: { host: string; port: number; servername: string; ca: string },
): Promise<string> {
  const session = connectHttp2(`https://${options.host}:${options.port}`, options);
  try {
    return await new Promise<string>((resolve, reject) => {
      session.on("error", reject);
      const stream = session.request({ ":authority": host, ":path": path });
      stream.on("error", reject);
      textOf(stream).then(resolve, reject);
      stream.end();
    });
  } finally {
    session.close();
  }
}

async function textOf(stream: NodeJS.ReadableStream): Promise<string> {
  let text = "";
  for await (const chunk of stream) text += chunk.toString();
  return text;
}
