import { AnnotationError, feature, need, type Parse } from "./feature.ts";
import { bool, redirectUrl } from "./values.ts";

const DEFAULT_HTTPS_CODE = 308;
const PERMANENT_CODES = [301, 302, 303, 307, 308];
const TEMPORAL_CODES = [301, 302, 303, 307];

/** Other statuses lead nowhere, whatever their Location is (RFC 9110, section 15.4). */
function redirectCode(codes: readonly number[]): Parse<number> {
  return (text) => {
    const code = codes.find((code) => String(code) === text);
    if (code !== undefined) return code;
    throw new AnnotationError(`none of the statuses ${codes.join(", ")}`);
  };
}

/** From HTTP to HTTPS, and to other URLs. */
export const redirects = feature({
  "ssl-redirect": {
    parse: bool,
    help: "Are requests over HTTP sent to HTTPS (308), where the host has a certificate? " +
      "Unless told, only those to Ingresses of a class that `--class` names.",
  },
  "force-ssl-redirect": {
    parse: bool,
    help: "Sends requests over HTTP to HTTPS (308), whether the host has a certificate here or not.",
  },
  "preserve-trailing-slash": {
    parse: bool,
    help: "Keeps a slash at the end of the URL in the redirect to HTTPS.",
  },
  "permanent-redirect": {
    yieldsTo: "temporal-redirect",
    parse: redirectUrl,
    help:
      "Sends every request to this URL, in which variables such as $request_uri may stand, with status 301.",
  },
  "permanent-redirect-code": {
    needs: need("permanent-redirect"),
    parse: redirectCode(PERMANENT_CODES),
    help: "The status of permanent-redirect: 301, 302, 303, 307 or 308; 301 for any other, which is told.",
  },
  "temporal-redirect": {
    parse: redirectUrl,
    help: "Sends every request to this URL, as permanent-redirect does and before it, with status 302.",
  },
  "temporal-redirect-code": {
    needs: need("temporal-redirect"),
    parse: redirectCode(TEMPORAL_CODES),
    help: "The status of temporal-redirect: 301, 302, 303 or 307; 302 for any other, which is told.",
  },
}, (values, { hasCertificate, defaults, tell, isFaulty }) => {
  const { "temporal-redirect": temporal, "permanent-redirect": permanent } = values;
  const { "temporal-redirect-code": temporalCode = 302, "permanent-redirect-code": permanentCode = 301 } =
    values;
  const isForced = values["force-ssl-redirect"] ?? false;
  const isAsked = values["ssl-redirect"] ?? defaults.redirectsToHttps;
  const goesToHttps = isForced || (hasCertificate && isAsked);
  const isKnown = !isFaulty("ssl-redirect") && !isFaulty("force-ssl-redirect");
  if (values["preserve-trailing-slash"] && !isForced && !isAsked && isKnown) {
    const message =
      'It does nothing: the Ingress has no annotation ssl-redirect or force-ssl-redirect: "true"';
    tell("preserve-trailing-slash", "AnnotationConflict", message);
  }
  return {
    ...temporal !== undefined
      ? { redirect: { to: temporal, code: temporalCode } }
      : permanent !== undefined && { redirect: { to: permanent, code: permanentCode } },
    ...goesToHttps && {
      httpsRedirect: {
        code: DEFAULT_HTTPS_CODE,
        ...values["preserve-trailing-slash"] && { keepsTrailingSlash: true },
      },
    },
  };
});
