import { type Canary, compileValuePattern, errorMessage } from "@pingress/config";
import { AnnotationError, feature, need, type Parse, type ValuesOf } from "./feature.ts";
import { bool, plainText, wholeNumber, word } from "./values.ts";

const DEFAULT_TOTAL = 100;

const pattern: Parse<string> = (text) => {
  try {
    compileValuePattern(text);
    return text;
  } catch (error) {
    throw new AnnotationError(`no regular expression (RE2): ${errorMessage(error)}`);
  }
};

const NEEDS_CANARY = need("canary", 'canary: "true"');

const ROWS = {
  "canary": {
    parse: bool,
    help:
      "Makes no rules of the Ingress: part of the requests for the same host and path of another Ingress goes to its backends.",
    differs:
      "That other Ingress is of the same namespace, and its path has the same type; only that path is divided, not all that lead to the same Service. All that it says beside its backend counts for the canary too: what the canary says otherwise is told and does nothing. Default backends are not divided.",
  },
  "canary-by-header": {
    needs: NEEDS_CANARY,
    parse: plainText(/^[-.\w~]+$/, "no name of a header field"),
    help: "A request with this header field goes to the canary if it says `always`, and does not if `never`.",
  },
  "canary-by-header-value": {
    needs: [NEEDS_CANARY, need("canary-by-header")],
    parse: plainText(/^[-.\w~/:]+$/, "no value of letters, digits, '-', '.', '_', '~', '/' and ':'"),
    help: "The value of canary-by-header that leads to the canary, instead of `always`.",
  },
  "canary-by-header-pattern": {
    needs: [NEEDS_CANARY, need("canary-by-header")],
    yieldsTo: "canary-by-header-value",
    parse: pattern,
    help: "A regular expression for such values, where canary-by-header-value is not said.",
    differs:
      "The syntax is RE2's, without classes of Unicode. A value of more than 4,096 characters matches nothing, nor does one whose characters times the instructions of the expression, of which there are 500 at most, are more than 200,000.",
  },
  "canary-by-cookie": {
    needs: NEEDS_CANARY,
    parse: plainText(/^[-.\w~]+$/, "no name of a cookie"),
    help: "A request with this cookie goes to the canary if it says `always`, and does not if `never`.",
  },
  "canary-weight": {
    needs: NEEDS_CANARY,
    parse: wholeNumber(0),
    help: "How many of canary-weight-total requests go to the canary by chance; none unless told.",
  },
  "canary-weight-total": {
    needs: [NEEDS_CANARY, need("canary-weight")],
    parse: wholeNumber(0),
    help: "What canary-weight is a part of; 100 unless it is more.",
  },
  "affinity-canary-behavior": {
    needs: NEEDS_CANARY,
    parse: word("sticky", "legacy"),
    help:
      "Of a canary: `sticky` binds clients to it where the other Ingress has affinity, `legacy` does not; sticky unless told.",
  },
};

type Values = ValuesOf<typeof ROWS>;

/** Part of the requests goes to another backend. The options of a canary are put on the rules of another Ingress. */
export const canaries = feature(ROWS, () => ({}));

/** Those of an Ingress that count when it is a canary. */
export const CANARY_NAMES: readonly string[] = [...Object.keys(ROWS), "service-upstream"];

/** Is an Ingress with these values a canary? */
export function isCanary(values: Record<string, unknown>): boolean {
  return (values as Values).canary === true;
}

/** The options of a canary but for its backend. */
export function canaryOf(values: Record<string, unknown>): Omit<Canary, "backend"> {
  const {
    "canary-by-header": header,
    "canary-by-header-value": headerValue,
    "canary-by-header-pattern": headerPattern,
    "canary-by-cookie": cookie,
    "canary-weight": weight,
    "canary-weight-total": total = DEFAULT_TOTAL,
    "affinity-canary-behavior": behavior,
  } = values as Values;
  return {
    ...weight !== undefined && { weight },
    ...total > DEFAULT_TOTAL && { total },
    // underscores and dashes are the same to nginx, and no field with an underscore is let in here
    ...header !== undefined && { header: header.replaceAll("_", "-") },
    ...headerValue !== undefined ? { headerValue } : headerPattern !== undefined && { headerPattern },
    ...cookie !== undefined && { cookie },
    ...behavior === "legacy" && { ignoresAffinity: true },
  };
}
