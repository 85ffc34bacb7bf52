import type { OutgoingHttpHeaders } from "node:http2";
import type { HeaderList } from "../exchange.ts";
import { Fields } from "../http1/fields.ts";

/** Makes of fields what Node takes. */
export function toNode(fields: Fields): OutgoingHttpHeaders {
  const headers: Record<string, string | string[]> = {};
  for (const [name, value] of fields.list()) {
    const before = headers[name];
    headers[name] = before === undefined ? value : [...Array.isArray(before) ? before : [before], value];
  }
  return headers;
}

/**
 * Makes fields of what Node has received, names and values in turn, without the pseudo-headers. The pieces of
 * a Cookie become one again (RFC 9113, section 8.2.3).
 */
export function fromNode(raw: readonly string[]): Fields {
  const list: HeaderList = [];
  let cookie: HeaderList[number] | undefined;
  for (let index = 0; index < raw.length; index += 2) {
    const [name = "", value = ""] = [raw[index], raw[index + 1]];
    if (name.startsWith(":")) continue;
    if (name === "cookie" && cookie !== undefined) {
      cookie[1] += `; ${value}`;
      continue;
    }
    const field: HeaderList[number] = [name, value];
    if (name === "cookie") cookie = field;
    list.push(field);
  }
  return Fields.of(list);
}
