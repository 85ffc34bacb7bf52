import { type BasicAuth, parseHtpasswd } from "@pingress/config";
import { ProxyError } from "../errors.ts";
import { FieldName } from "../http1/field_name.ts";
import type { Check, Refusal } from "./access.ts";
import type { PolicyEnvironment } from "./policy.ts";

const AUTHORIZATION = FieldName.of("authorization");

/** Nobody needs a longer one, and none is hashed: in characters of base64. */
const LONGEST_CREDENTIALS = 1024;

/** Lets in who knows the password of a user (RFC 7617). */
export function basicAuthCheck(
  { realm, users: file }: BasicAuth,
  { fileText, passwords }: Pick<PolicyEnvironment, "fileText" | "passwords">,
): Check {
  const refusal: Refusal = {
    reason: "unauthorized",
    fields: [["www-authenticate", `Basic realm="${realm}"`]],
  };
  let text: string | undefined;
  let users = new Map<string, string>();
  return async ({ request }) => {
    const current = fileText(file);
    if (current === undefined) {
      throw new ProxyError("closed", `${file} cannot be read, and says who may come in`);
    }
    if (current !== text) [text, users] = [current, parseHtpasswd(current).users];
    const [name, password] = credentialsOf(request.fields.get(AUTHORIZATION)) ?? [];
    if (name === undefined || password === undefined) return refusal;
    const hash = users.get(name);
    // whether there is such a user must not be told by the time that it takes
    const compared = hash ?? users.values().next().value;
    if (compared === undefined) return refusal;
    const isRight = await passwords.matches(password, compared);
    return isRight && hash !== undefined ? "in" : refusal;
  };
}

const UTF8 = new TextDecoder("utf-8", { fatal: true });

/** The name and the password of an Authorization field, in UTF-8 (RFC 7617, section 2.1). */
function credentialsOf(field = ""): [name: string, password: string] | undefined {
  const token = /^basic +([A-Za-z0-9+/]+={0,2})$/i.exec(field)?.[1] ?? "";
  if (token === "" || token.length > LONGEST_CREDENTIALS) return undefined;
  let text;
  try {
    text = UTF8.decode(Uint8Array.fromBase64(token));
  } catch {
    return undefined;
  }
  const colon = text.indexOf(":");
  return colon === -1 ? undefined : [text.slice(0, colon), text.slice(colon + 1)];
}
