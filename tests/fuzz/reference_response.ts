import type { WireField } from "../conformance/wire.ts";
import { endToEnd, findHead, nominatedBy, readChunks, readFields, values } from "./reference.ts";

/** The longest head of a backend, in bytes, and how many informational responses it may send. */
const LIMITS = { head: 64 * 1024, informational: 10 };

/** What a client must get of what a backend sent before it ended. */
export interface ReferenceResponse {
  /** The informational responses that are passed on. */
  informational: number[];
  /** The status; nothing where what was sent is no response: then the client is told so. */
  status: number | undefined;
  /** The fields, in the form that {@linkcode endToEnd} gives them. */
  fields: string[];
  /** The content, as far as it came. */
  body: string;
  /** Is that all of it? Otherwise the client must see that it broke off. */
  isWhole: boolean;
  /** Where it ends, whatever comes behind it; nothing where the backend must end for that. */
  end: number | undefined;
}

/** Reads all that a backend sends for a request. */
export function readBackend(text: string, method: string): ReferenceResponse {
  const response: ReferenceResponse = {
    ...{ informational: [], status: undefined, fields: [], body: "", isWhole: false, end: undefined },
  };
  for (let start = 0, count = 0;; count++) {
    const { head, end, faults } = findHead(text, start, LIMITS.head);
    if (faults.length > 0 || count > LIMITS.informational) return response;
    const [line = "", ...lines] = head.split("\r\n").slice(0, -1);
    const fields = readFields(lines, faults);
    const [, minor, digits] =
      /^HTTP\/1\.([0-9]) ([1-5][0-9][0-9])(?: [\t\x20-\x7e\x80-\xff]*)?$/.exec(line) ?? [];
    const status = Number(digits);
    if (faults.length > 0 || digits === undefined || status === 101) return response;
    if (status >= 200) {
      return readFinal(response, { text, end, method, status, fields, isOld: minor === "0" });
    }
    if (status !== 100) response.informational.push(status);
    start = end;
  }
}

interface FinalHead {
  text: string;
  end: number;
  method: string;
  status: number;
  fields: WireField[];
  isOld: boolean;
}

function readFinal(
  response: ReferenceResponse,
  { text, end, method, status, fields, isOld }: FinalHead,
): ReferenceResponse {
  const lengths = values(fields, "content-length");
  const codings = values(fields, "transfer-encoding");
  const [length] = lengths;
  const isChunked = codings.length > 0;
  const isFramed = lengths.every((one) => /^[0-9]{1,15}$/.test(one)) && lengths.length + codings.length < 2 &&
    (!isChunked || (codings[0]?.toLowerCase() === "chunked" && !isOld));
  if (!isFramed) return response;
  response.status = status;
  response.fields = endToEnd(fields, nominatedBy(fields), { isResponse: true });
  const isWithout = status === 204 || status === 304 || method === "HEAD";
  if (isWithout || length === "0") return { ...response, isWhole: true, end };
  if (isChunked) {
    const content = { faults: [], body: "", end };
    readChunks(content, text);
    const isWhole = content.faults.length === 0;
    return { ...response, body: content.body, isWhole, end: isWhole ? content.end : undefined };
  }
  if (length === undefined) return { ...response, body: text.slice(end), isWhole: true };
  const body = text.slice(end, end + Number(length));
  const isWhole = body.length === Number(length);
  return { ...response, body, isWhole, end: isWhole ? end + body.length : undefined };
}
