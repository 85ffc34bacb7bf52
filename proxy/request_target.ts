import { parseAuthority } from "@pingress/config";

/** Whom a request is for, and what it asks for. */
export interface SplitTarget {
  /** What the target says in absolute-form, else the Host field. */
  authority: string;
  /** In origin-form, or `*`. */
  target: string;
}

const ABSOLUTE_FORM = /^https?:\/\/([^/?#]*)(.*)$/i;

/**
 * Reads a request line's target in each of its forms (RFC 9112, section 3.2). In absolute-form its authority
 * counts and the Host field does not, which must be a valid one nevertheless; its scheme is what the client
 * says and means nothing.
 *
 * @returns the target, or a sentence that says why it is refused.
 */
export function splitTarget(
  target: string,
  { method, host }: { method: string; host: string },
): SplitTarget | string {
  if (target.startsWith("/")) return { authority: host, target };
  if (target === "*") {
    return method === "OPTIONS" ? { authority: host, target } : "the request target * is for OPTIONS alone";
  }
  // its target is an authority, and no backend gets it
  if (method === "CONNECT") return { authority: host, target: "/" };
  const [, authority, rest = ""] = ABSOLUTE_FORM.exec(target) ?? [];
  if (authority === undefined) return "the request target is neither a path nor a URL";
  if (parseAuthority(host) === undefined) return "the Host header is invalid";
  // the whole server, said in a URL (RFC 9112, section 3.2.4)
  if (rest === "" && method === "OPTIONS") return { authority, target: "*" };
  return { authority, target: rest.startsWith("/") ? rest : `/${rest}` };
}
