/**
 * What the proxy knows of gRPC
 * (https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md).
 *
 * @module
 */
import type { DownstreamResponse } from "../exchange.ts";
import { FieldName, FieldNames } from "../http1/field_name.ts";
import { Fields } from "../http1/fields.ts";

const CONTENT_TYPE = FieldName.of("content-type");
const CONTENT = new FieldNames(["content-type", "content-length"]);

/** Is this the head of a message of gRPC? gRPC-Web, which needs no trailers, is something else. */
export function isGrpc(fields: Fields): boolean {
  const type = fields.get(CONTENT_TYPE);
  return type !== undefined && /^application\/grpc(?:[+; ]|$)/i.test(type);
}

/** https://grpc.github.io/grpc/core/md_doc_statuscodes.html */
const UNKNOWN = 2;
const UNAVAILABLE = 14;

/** What a status means to a client of gRPC (doc/http-grpc-status-mapping.md of gRPC). */
const GRPC_STATUS = new Map([
  [400, 13],
  [401, 16],
  [403, 7],
  [404, 12],
  [429, UNAVAILABLE],
  [502, UNAVAILABLE],
  [503, UNAVAILABLE],
  [504, UNAVAILABLE],
]);

/**
 * Says an error in gRPC's words: status 200 and, instead of content, what the trailers would say. Other answers
 * are as they were.
 */
export function inGrpc(response: DownstreamResponse): DownstreamResponse {
  const { status, fields, body } = response;
  if (status < 400 || isGrpc(fields)) return response;
  let text = `HTTP status ${status}`;
  if (body instanceof Uint8Array) text = new TextDecoder().decode(body).trim();
  else body?.close();
  fields.remove(CONTENT);
  fields.add("content-type", "application/grpc");
  for (const [name, value] of trailersOf(GRPC_STATUS.get(status) ?? UNKNOWN, text)) fields.add(name, value);
  return { ...response, status: 200, body: null };
}

/** The trailers of an answer that breaks off because its backend does. */
export function brokenOff(): Fields {
  return Fields.of(trailersOf(UNAVAILABLE, "the backend broke off"));
}

function trailersOf(status: number, message: string): [name: string, value: string][] {
  return [["grpc-status", String(status)], ["grpc-message", percentEncoded(message)]];
}

/** As grpc-message is written: UTF-8, of which only visible ASCII and spaces stay as they are. */
function percentEncoded(text: string): string {
  return encodeURIComponent(text).replace(/%(?:2[0-46-9A-F]|[3-6][0-9A-F]|7[0-9A-E])/g, decodeURIComponent);
}
