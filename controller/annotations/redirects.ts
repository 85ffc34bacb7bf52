import { feature } from "./feature.ts";
import { bool, url, wholeNumber } from "./values.ts";

const DEFAULT_HTTPS_CODE = 308;
const CODES = new Set([301, 302, 303, 307, 308]);

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
  "permanent-redirect": { parse: url, help: "Sends every request to this URL, with status 301." },
  "permanent-redirect-code": {
    parse: wholeNumber(300, 308),
    help: "The status of permanent-redirect: 301, 302, 303, 307 or 308; 301 for any other.",
  },
  "temporal-redirect": {
    parse: url,
    help: "Sends every request to this URL, with status 302; it comes before permanent-redirect.",
  },
  "temporal-redirect-code": {
    parse: wholeNumber(300, 308),
    help: "The status of temporal-redirect: 301, 302, 303 or 307; 302 for any other.",
  },
}, (values, { hasCertificate, defaults }) => {
  const { "temporal-redirect": temporal, "permanent-redirect": permanent } = values;
  const { "temporal-redirect-code": temporalCode = 302, "permanent-redirect-code": permanentCode = 301 } =
    values;
  const isForced = values["force-ssl-redirect"] ?? false;
  const goesToHttps = isForced || (hasCertificate && (values["ssl-redirect"] ?? defaults.redirectsToHttps));
  return {
    ...temporal !== undefined
      ? {
        redirect: {
          to: temporal,
          code: temporalCode !== 308 && CODES.has(temporalCode) ? temporalCode : 302,
        },
      }
      : permanent !== undefined && {
        redirect: { to: permanent, code: CODES.has(permanentCode) ? permanentCode : 301 },
      },
    ...goesToHttps && {
      httpsRedirect: {
        code: DEFAULT_HTTPS_CODE,
        ...values["preserve-trailing-slash"] && { keepsTrailingSlash: true },
      },
    },
  };
});
