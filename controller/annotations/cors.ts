import { AnnotationError, feature, MOST_LIST_CHARACTERS, need, type Parse } from "./feature.ts";
import { bool, listOf, wholeNumber } from "./values.ts";

const ALL = "*";

/** Labels may have underscores: browsers go there, too. */
const origin: Parse<string> = (text) => {
  if (text === ALL || text === "null") return text;
  if (/^[a-z][a-z0-9+.-]*:\/\/(?:\*\.)?[a-z0-9_-]+(?:\.[a-z0-9_-]+)*(?::[0-9]{1,5})?$/i.test(text)) {
    return text;
  }
  throw new AnnotationError("no origin such as https://example.com, https://*.example.com:8080 or *");
};

const methods: Parse<string> = (text) => {
  if (/^[A-Za-z, ]+$/.test(text)) return text;
  throw new AnnotationError("no list of methods such as GET, POST");
};

const names: Parse<string> = (text) => {
  if (/^[A-Za-z0-9\-_, ]+$/.test(text)) return text;
  throw new AnnotationError("no list of header names such as Content-Type, Authorization");
};

const NEEDS_CORS = need("enable-cors", 'enable-cors: "true"');

/** What browsers may do from other origins. */
export const cors = feature({
  "enable-cors": {
    parse: bool,
    help:
      "Lets browsers send requests from other origins: OPTIONS requests of an allowed origin are answered with 204, all answers say what is allowed.",
    differs: "A 204 has no Content-Length.",
  },
  "cors-allow-origin": {
    needs: NEEDS_CORS,
    parse: listOf(origin),
    longest: MOST_LIST_CHARACTERS,
    otherwise: { value: [], says: "no origin is allowed" },
    help:
      "The origins that are allowed, separated by commas, with `*.` for any one label before a name; `*`, which is what counts unless told, for all.",
    differs:
      "With a bad one in the list none is allowed, where ingress-nginx passes over it or allows all. An origin must be the same from its first letter on. Where origins are listed, answers have `Vary: Origin`.",
  },
  "cors-allow-methods": {
    needs: NEEDS_CORS,
    parse: methods,
    help: "Access-Control-Allow-Methods: `GET, PUT, POST, DELETE, PATCH, OPTIONS` unless told.",
  },
  "cors-allow-headers": {
    needs: NEEDS_CORS,
    parse: names,
    help:
      "Access-Control-Allow-Headers: `DNT,Keep-Alive,User-Agent,X-Requested-With,If-Modified-Since,Cache-Control,Content-Type,Range,Authorization` unless told.",
  },
  "cors-expose-headers": {
    needs: NEEDS_CORS,
    parse: (text) => text === ALL ? text : names(text),
    help: "Access-Control-Expose-Headers: `*` or names; none unless told.",
  },
  "cors-allow-credentials": {
    needs: NEEDS_CORS,
    parse: bool,
    otherwise: { value: false, says: "credentials are not allowed" },
    help: "May browsers send cookies and passwords? They may unless told.",
    differs: "With a bad value they may not.",
  },
  "cors-max-age": {
    needs: NEEDS_CORS,
    parse: wholeNumber(-1, 1_000_000_000),
    help: "How many seconds browsers may keep the answer to an OPTIONS request: 1728000 unless told.",
  },
}, (values) => {
  const { "enable-cors": isEnabled = false, "cors-allow-origin": origins = [ALL] } = values;
  const { "cors-expose-headers": exposes } = values;
  if (!isEnabled || origins.length === 0) return {};
  return {
    cors: {
      origins: origins.includes(ALL) ? [ALL] : origins,
      methods: values["cors-allow-methods"] ?? "GET, PUT, POST, DELETE, PATCH, OPTIONS",
      headers: values["cors-allow-headers"] ??
        "DNT,Keep-Alive,User-Agent,X-Requested-With,If-Modified-Since,Cache-Control,Content-Type,Range,Authorization",
      credentials: values["cors-allow-credentials"] ?? true,
      maxAge: values["cors-max-age"] ?? 1_728_000,
      ...exposes !== undefined && { exposes },
    },
  };
});
