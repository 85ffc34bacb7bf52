import { trimSpace } from "../http1/characters.ts";
import { FieldName } from "../http1/field_name.ts";
import type { Fields } from "../http1/fields.ts";

const COOKIE = FieldName.of("cookie");

/**
 * The value of a request's cookie, as sent; of several with the same name the first one, which is the one for the
 * longest path (RFC 6265, section 5.4).
 */
export function cookieOf(fields: Fields, name: string): string | undefined {
  for (const line of fields.values(COOKIE)) {
    for (const pair of line.split(";")) {
      const equals = pair.indexOf("=");
      if (equals !== -1 && trimSpace(pair.slice(0, equals)) === name) {
        return trimSpace(pair.slice(equals + 1));
      }
    }
  }
  return undefined;
}
