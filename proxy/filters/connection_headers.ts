import { FieldName, FieldNames } from "../http1/field_name.ts";
import { elementsOf, type Fields } from "../http1/fields.ts";

/** Fields that belong to one connection (RFC 9110, section 7.6.1). */
export const CONNECTION_HEADERS = [
  "close",
  "connection",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
] as const;

const CONNECTION = FieldName.of("connection");
const NAMES = new FieldNames(CONNECTION_HEADERS);

/** What nearly every Connection field says, and which names no field that is not dropped anyway. */
const USUAL = ["keep-alive", "close", "upgrade"];

/**
 * Removes the fields that belong to the connection, those that its Connection header names among them, and
 * `others`, which must have {@linkcode CONNECTION_HEADERS} among them.
 */
export function removeConnectionHeaders(fields: Fields, others: FieldNames = NAMES): void {
  const nominated = nominatedBy(fields);
  fields.remove(others);
  if (nominated !== undefined) fields.removeIf((name) => nominated.has(name));
}

function nominatedBy(fields: Fields): Set<string> | undefined {
  if (!fields.hasOther(CONNECTION, USUAL)) return undefined;
  const nominated = new Set(fields.values(CONNECTION).flatMap(elementsOf));
  // content-length says nothing about the connection: a peer cannot have it removed
  nominated.delete("content-length");
  return nominated;
}
