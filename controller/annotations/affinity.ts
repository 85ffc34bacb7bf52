import { feature, need } from "./feature.ts";
import { bool, plainText, wholeNumber, word } from "./values.ts";

const LONGEST_SECONDS = 1_000_000_000;

const seconds = wholeNumber(-LONGEST_SECONDS, LONGEST_SECONDS);

const SAME_SITE = { none: "None", lax: "Lax", strict: "Strict" };

const NEEDS_AFFINITY = need("affinity", "affinity: cookie");

/** A client's requests go to the same endpoint. */
export const affinity = feature({
  "affinity": {
    parse: word("cookie"),
    help: "With `cookie` the requests of a client go to the same endpoint, which a cookie remembers.",
    differs:
      "A cookie that names no endpoint of the backend is replaced. A client without one is never bound to an endpoint that cannot be reached.",
  },
  "affinity-mode": {
    needs: NEEDS_AFFINITY,
    parse: word("balanced", "persistent"),
    help:
      "`balanced` moves some clients to an endpoint that is new, `persistent` moves none as long as theirs is there; balanced unless told.",
  },
  "session-cookie-name": {
    needs: NEEDS_AFFINITY,
    parse: plainText(/^[-.\w~]+$/, "no name of a cookie"),
    help: "The cookie's name; INGRESSCOOKIE unless told.",
  },
  "session-cookie-expires": {
    needs: NEEDS_AFFINITY,
    parse: seconds,
    help: "In how many seconds the cookie expires, as its Expires; when the browser is closed unless told.",
  },
  "session-cookie-max-age": {
    needs: NEEDS_AFFINITY,
    parse: seconds,
    help: "In how many seconds the cookie expires, as its Max-Age; when the browser is closed unless told.",
  },
  "session-cookie-path": {
    needs: NEEDS_AFFINITY,
    parse: plainText(/^\/[-.\w~/:,?&=]*$/, "no path that begins with a slash"),
    help: "The cookie's Path; the path of the Ingress unless told.",
    differs: "A path that is a regular expression makes the cookie one for `/`.",
  },
  "session-cookie-domain": {
    needs: NEEDS_AFFINITY,
    parse: plainText(/^[-.\w]+$/, "no domain"),
    help: "The cookie's Domain; none unless told.",
  },
  "session-cookie-samesite": {
    needs: NEEDS_AFFINITY,
    parse: (text) => SAME_SITE[word("none", "lax", "strict")(text.toLowerCase())],
    help: "The cookie's SameSite: None, Lax or Strict; none of them unless told.",
    differs: "Upper or lower case makes no difference.",
  },
  "session-cookie-secure": {
    needs: NEEDS_AFFINITY,
    parse: bool,
    help: "Makes the cookie Secure, whatever the connection is; over HTTPS it always is.",
  },
  "session-cookie-conditional-samesite-none": {
    needs: NEEDS_AFFINITY,
    parse: bool,
    help: "Leaves SameSite=None out for old browsers that would drop such a cookie.",
  },
  "session-cookie-change-on-failure": {
    needs: NEEDS_AFFINITY,
    parse: bool,
    help: "Binds a client whose endpoint cannot be reached to another one. Unless told it has to wait.",
  },
}, (values, { path }) => {
  if (values.affinity === undefined) return {};
  const expires = values["session-cookie-expires"];
  const maxAge = values["session-cookie-max-age"];
  const domain = values["session-cookie-domain"];
  const sameSite = values["session-cookie-samesite"];
  return {
    affinity: {
      name: values["session-cookie-name"] ?? "INGRESSCOOKIE",
      ...values["affinity-mode"] === "persistent" && { isPersistent: true },
      ...values["session-cookie-change-on-failure"] && { changesOnFailure: true },
      attributes: {
        ...expires !== undefined && { expires },
        ...maxAge !== undefined && { maxAge },
        ...domain !== undefined && { domain },
        path: values["session-cookie-path"] ?? cookiePath(path),
        ...sameSite !== undefined && { sameSite },
      },
      ...values["session-cookie-secure"] && { isSecure: true },
      ...values["session-cookie-conditional-samesite-none"] && { omitsSameSiteNone: true },
    },
  };
});

/** No path that a browser asks for begins with an expression; and some characters would end the attribute. */
function cookiePath(path: string): string {
  return /^\/[^;,\s\\()[\]{}*+?^$|]*$/.test(path) ? path : "/";
}
