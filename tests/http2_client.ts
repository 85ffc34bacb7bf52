/**
 * Reads what servers answer over HTTP/2, with Node's client.
 *
 * @module
 */
import type { ClientHttp2Stream } from "node:http2";
import { within } from "./testing.ts";

/** Sends content, if there is some, and waits for the answer: its status and its content, a character a byte. */
export async function http2Answer(
  stream: ClientHttp2Stream,
  body?: string | Uint8Array,
): Promise<[status: number, content: string]> {
  const { promise, resolve, reject } = Promise.withResolvers<[number, string]>();
  let status = 0;
  let content = "";
  stream.setEncoding("latin1");
  stream.on("response", (headers) => status = Number(headers[":status"]));
  stream.on("data", (piece: string) => content += piece);
  stream.on("end", () => resolve([status, content]));
  stream.on("error", reject);
  if (body !== undefined) stream.end(body);
  return await within(promise, "an answer over HTTP/2");
}
