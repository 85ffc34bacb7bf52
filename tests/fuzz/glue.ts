/**
 * All that the fuzzing knows of the proxy's inside: its parsers, each as a function of a byte stream.
 *
 * @module
 */
import { type Closable, Connection } from "../../proxy/accept/connection.ts";
import { Deadlines } from "../../proxy/deadlines.ts";
import { errorResponse } from "../../proxy/errors.ts";
import type { DownstreamRequest, Handler } from "../../proxy/exchange.ts";
import { ByteReader, type ByteSource } from "../../proxy/http1/byte_reader.ts";
import { contentReader } from "../../proxy/http1/content.ts";
import { Fields } from "../../proxy/http1/fields.ts";
import { HeadReader } from "../../proxy/http1/head.ts";
import { MessageError } from "../../proxy/http1/message_error.ts";
import { parseResponseHead, responseFraming } from "../../proxy/http1/response.ts";
import { serveHttp1 } from "../../proxy/http1/server.ts";
import { Turns } from "../../proxy/http1/turns.ts";
import type { Transport } from "../../proxy/transport.ts";
import { bytesOf, latin1 } from "../testing.ts";
import type { WireField } from "../conformance/wire.ts";
import { LIMITS } from "./reference.ts";

export { PIECE_BYTES } from "../../proxy/http1/content.ts";
export { parseProxyHeader, ProxyHeaderError } from "../../proxy/accept/proxy_protocol.ts";
export { ClientHelloError, MAX_CLIENT_HELLO_BYTES, parseClientHello } from "../../proxy/tls/client_hello.ts";

/** A request as a handler gets it. */
export interface HandledRequest {
  /** Its method, authority and target. */
  line: string;
  /** Its fields. */
  fields: WireField[];
  /** Its content as far as it came, and whether that was all. */
  body: string;
  /** Did all of it come? */
  isWhole: boolean;
}

const CLIENT = { address: "192.0.2.1", scheme: "http", covers: () => true } as const;
const LONG = 60_000;

/** Serves a connection with our HTTP/1 server to its end. @returns what its handler was given. */
export async function serve(transport: Transport): Promise<HandledRequest[]> {
  const requests: HandledRequest[] = [];
  const handler: Handler = {
    handle: async (request) => {
      const handled = { line: lineOf(request), fields: request.fields.list(), body: "", isWhole: false };
      requests.push(handled);
      try {
        for (let piece; (piece = await request.body?.next()) !== undefined;) handled.body += latin1(piece);
        handled.isWhole = true;
        return { status: 200, fields: Fields.of([]), body: bytesOf(String(requests.length)) };
      } catch (error) {
        if (!(error instanceof MessageError)) throw error;
        return errorResponse(error.reason);
      } finally {
        request.body?.close();
      }
    },
    refuse: ({ reason }) => errorResponse(reason),
  };
  const keeper = { deadlines: new Deadlines(), connections: new Set<Closable>() };
  await serveHttp1(new Connection(transport, CLIENT, keeper), {
    ...{ handler, maxHeadBytes: LIMITS.head, maxTargetBytes: LIMITS.target, isDraining: () => false },
    turns: new Turns(() => 1),
    ...{ headTimeout: LONG, idleTimeout: LONG, clientTimeout: LONG, streamTimeout: LONG },
  });
  return requests;
}

function lineOf({ method, authority, target }: DownstreamRequest): string {
  return `${method} ${authority} ${target}`;
}

/** A response as the proxy reads it. */
export interface ReadResponse {
  /** Its status; 0 where there is none. */
  status: number;
  /** Its fields. */
  fields: WireField[];
  /** Its content as far as it came. */
  body: string;
  /** Was it a response, and all of it? */
  isWhole: boolean;
  /** The longest piece that was handed out, in bytes. */
  longestPiece: number;
}

/** Reads a final response to `method`. @throws {Error} for a defect: what is wrong with the bytes is told. */
export async function readResponse(source: ByteSource, method: string): Promise<ReadResponse> {
  const reader = new ByteReader(source);
  const heads = new HeadReader(reader, { maxBytes: MAX_RESPONSE_HEAD_BYTES, parse: parseResponseHead });
  const response: ReadResponse = { status: 0, fields: [], body: "", isWhole: false, longestPiece: 0 };
  try {
    let head;
    while (head === undefined || head.status < 200) {
      head = heads.arrived();
      if (head === undefined && !await reader.fill()) {
        heads.end();
        return response;
      }
    }
    const content = contentReader(reader, responseFraming(head, method));
    response.status = head.status;
    response.fields = head.fields.list();
    for (let piece; (piece = await content.next()) !== undefined;) {
      response.body += latin1(piece);
      response.longestPiece = Math.max(response.longestPiece, piece.length);
    }
    response.isWhole = true;
  } catch (error) {
    if (!(error instanceof MessageError)) throw error;
  }
  return response;
}

/** The longest head of a response that is read, in bytes. */
export const MAX_RESPONSE_HEAD_BYTES = 64 * 1024;
