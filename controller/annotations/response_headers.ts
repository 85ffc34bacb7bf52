import { AnnotationError, feature, need, type Parse } from "./feature.ts";
import { bool, line, seconds } from "./values.ts";

/** What clients take of a whole head is often not more. */
const MOST_HEADER_CHARACTERS = 8192;

const ONE_YEAR_SECONDS = 31_536_000;

/** What says where a message ends, or is about the connection, is not for users to say. */
const NOT_FOR_USERS = new Set([
  ...["connection", "content-length", "keep-alive", "proxy-connection", "te", "trailer"],
  ...["transfer-encoding", "upgrade"],
]);

/** Lines `Name: value`; of several with the same name the last one counts. */
const headerLines: Parse<Record<string, string>> = (text) => {
  const headers = new Map<string, string>();
  for (const each of text.split("\n").map((each) => each.trim()).filter((each) => each !== "")) {
    const [, name, value] = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+):[ \t]*(\S.*)$/.exec(each) ?? [];
    if (name === undefined || value === undefined) {
      throw new AnnotationError(
        "not of lines `Name: value`; Pingress reads no ConfigMap, so write its header fields themselves here",
      );
    }
    if (NOT_FOR_USERS.has(name.toLowerCase())) {
      throw new AnnotationError(`a text with the field ${name}, which only Pingress may say`);
    }
    headers.set(name.toLowerCase(), line(value));
  }
  return Object.fromEntries(headers);
};

const NEEDS_HSTS = need("hsts", 'hsts: "true"');

/** Fields of all answers. */
export const responseHeaders = feature({
  "custom-headers": {
    parse: headerLines,
    longest: MOST_HEADER_CHARACTERS,
    help: "Header fields of every answer, one `Name: value` on a line, instead of the backend's own.",
    differs:
      "The fields themselves are the value; the name of a ConfigMap, which ingress-nginx wants here, is a problem that is told: a controller that may read all ConfigMaps of a cluster would be able to read more than it needs. No list says which names are allowed. Redirects and custom error pages have the fields, too.",
  },
  "hsts": {
    parse: bool,
    help:
      "Tells browsers with every answer over HTTPS to come by HTTPS alone from then on (Strict-Transport-Security).",
    differs:
      "ingress-nginx has this in its ConfigMap only, for all hosts, and on; here it is off unless told.",
  },
  "hsts-max-age": {
    needs: NEEDS_HSTS,
    parse: seconds,
    help: "For how many seconds browsers remember it: 31536000 unless told.",
  },
  "hsts-include-subdomains": {
    needs: NEEDS_HSTS,
    parse: bool,
    help: "Does it count for all names below the host, too? It does unless told.",
  },
  "hsts-preload": {
    needs: NEEDS_HSTS,
    parse: bool,
    help: "May the host be listed in browsers themselves? Not unless told.",
  },
}, (values) => {
  const { "custom-headers": headers = {}, "hsts-max-age": maxAge = ONE_YEAR_SECONDS } = values;
  return {
    ...Object.keys(headers).length > 0 && { responseHeaders: headers },
    ...values.hsts && {
      strictTransportSecurity: [
        `max-age=${maxAge}`,
        ...values["hsts-include-subdomains"] ?? true ? ["includeSubDomains"] : [],
        ...values["hsts-preload"] ? ["preload"] : [],
      ].join("; "),
    },
  };
});
