/**
 * A strict little reader of HTTP/1.1 messages that shares nothing with the proxy's: what it does not take is
 * wrong on the wire.
 *
 * @module
 */

/** Bytes that are no message as a careful sender writes it. */
export class WireError extends Error {
  override name = "WireError";
}

/** A header field as it was written. */
export type WireField = readonly [name: string, value: string];

/** A message's head. */
export interface WireHead {
  /** The request line or status line. */
  start: string;
  /** The fields, as they were written. */
  fields: WireField[];
  /** How many bytes it has, with its empty line. */
  length: number;
}

/** Content as it was framed. */
export interface WireBody {
  /** Without its framing. */
  content: string;
  /** How many bytes it has with its framing. */
  length: number;
  /** Has all of it come? */
  isWhole: boolean;
}

const FIELD =
  /^([!#$%&'*+.^_`|~0-9A-Za-z-]+): ?((?:[\x21-\x7e\x80-\xff](?:[\t\x20-\x7e\x80-\xff]*[\x21-\x7e\x80-\xff])?)?)$/;

/** Reads the head at the start of `text`; nothing while it is not all there. @throws {WireError} */
export function takeHead(text: string): WireHead | undefined {
  const end = text.indexOf("\r\n\r\n");
  const seen = end === -1 ? text : text.slice(0, end + 4);
  if (/\r[^\n]|(?:^|[^\r])\n/.test(seen)) throw new WireError(`A bare line end in ${quoted(seen)}`);
  if (end === -1) return undefined;
  const [start = "", ...lines] = text.slice(0, end).split("\r\n");
  const fields = lines.map((line): WireField => {
    const match = FIELD.exec(line);
    if (match === null) throw new WireError(`The header line ${quoted(line)}`);
    return [match[1] ?? "", match[2] ?? ""];
  });
  return { start, fields, length: end + 4 };
}

/** The values of a field, whatever the case of its name. */
export function wireValues(fields: readonly WireField[], name: string): string[] {
  return fields.filter((field) => field[0].toLowerCase() === name).map((field) => field[1]);
}

/** How the content behind a head is framed: so many bytes, in chunks, or not at all. @throws {WireError} */
export function wireFraming(fields: readonly WireField[]): number | "chunked" | undefined {
  const lengths = wireValues(fields, "content-length");
  const codings = wireValues(fields, "transfer-encoding");
  if (lengths.length + codings.length > 1) throw new WireError("Several fields say where the content ends");
  const [length] = lengths;
  const [coding] = codings;
  if (coding !== undefined && coding !== "chunked") throw new WireError(`The coding ${quoted(coding)}`);
  if (coding !== undefined) return "chunked";
  if (length === undefined) return undefined;
  if (!/^(?:0|[1-9][0-9]*)$/.test(length)) throw new WireError(`The length ${quoted(length)}`);
  return Number(length);
}

/** Reads content at the start of `text`, as far as it has come. @throws {WireError} */
export function takeBody(text: string, framing: number | "chunked"): WireBody {
  if (framing === "chunked") return takeChunks(text);
  const content = text.slice(0, framing);
  return { content, length: content.length, isWhole: content.length === framing };
}

/** Chunks as a careful sender writes them: without extensions and trailers. */
function takeChunks(text: string): WireBody {
  let content = "";
  for (let at = 0;;) {
    const lineEnd = text.indexOf("\r\n", at);
    if (lineEnd === -1) {
      if (!/^[0-9a-f]*\r?$/i.test(text.slice(at))) {
        throw new WireError(`The chunk line ${quoted(text.slice(at))}`);
      }
      return { content, length: text.length, isWhole: false };
    }
    const line = text.slice(at, lineEnd);
    if (!/^(?:0|[1-9a-f][0-9a-f]*)$/i.test(line)) throw new WireError(`The chunk line ${quoted(line)}`);
    const size = parseInt(line, 16);
    const end = lineEnd + 2 + size;
    content += text.slice(lineEnd + 2, end);
    if (!"\r\n".startsWith(text.slice(end, end + 2))) {
      throw new WireError(`Behind a chunk ${quoted(text.slice(end, end + 2))}`);
    }
    if (text.length < end + 2) return { content, length: text.length, isWhole: false };
    at = end + 2;
    if (size === 0) return { content, length: at, isWhole: true };
  }
}

/** Text as it is shown in messages. */
export function quoted(text: string): string {
  return JSON.stringify(text.length > 300 ? `${text.slice(0, 300)}…` : text);
}
