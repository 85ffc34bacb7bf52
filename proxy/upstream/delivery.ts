import type { RuleOptions } from "@pingress/config";
import type { ErrorReason } from "../errors.ts";
import type { RoundTripOptions, UpstreamRequest } from "./round_trip.ts";

/** How the requests of a rule are sent, where that is not the proxy's own way. */
export interface Delivery {
  /** How long the backend may take. */
  times: Partial<RoundTripOptions>;
  /** When a request is sent again. */
  retry?: RetryRule;
}

/** When a request is sent again, to another endpoint where there is one. */
export interface RetryRule {
  /** How often it is sent in all. */
  attempts: number;
  /** For how long, in milliseconds. */
  milliseconds: number;
  /** After which failures, as long as nothing of it was sent. */
  unsent: ReadonlySet<ErrorReason>;
  /** After which failures, when it was sent. */
  sent: ReadonlySet<ErrorReason>;
  /** After answers of which statuses. */
  statuses: ReadonlySet<number>;
  /** Also when it is not idempotent? */
  repeatsAll: boolean;
  /** May it go to the same endpoint once all others have been tried? */
  startsOver: boolean;
}

/** What counts where a rule says nothing: three endpoints are tried, as long as nothing was sent. */
export const USUAL_RETRY: RetryRule = {
  attempts: 3,
  milliseconds: Infinity,
  unsent: new Set(["upstream_unreachable", "upstream_timeout", "upstream_busy"]),
  sent: new Set(),
  statuses: new Set(),
  repeatsAll: false,
  startsOver: false,
};

/** Methods that may be sent twice (RFC 9110, section 9.2.2). */
const IDEMPOTENT_METHODS = new Set(["GET", "HEAD", "OPTIONS", "PUT", "DELETE"]);

/** How often a request is sent that may be sent without end. */
const MOST_ATTEMPTS = 10;

const FAILURES: Record<string, readonly ErrorReason[]> = {
  error: ["upstream_unreachable", "upstream_busy"],
  timeout: ["upstream_timeout"],
  invalid_header: ["upstream_invalid"],
};

/** What the options of a rule say of it; nothing when they say nothing. */
export function deliveryOf(options: RuleOptions): Delivery | undefined {
  const { connectTimeout, readTimeout, sendTimeout, retry } = options;
  if ((connectTimeout ?? readTimeout ?? sendTimeout ?? retry) === undefined) return undefined;
  return {
    times: {
      ...connectTimeout !== undefined && { connectTimeout: connectTimeout * 1000 },
      ...readTimeout !== undefined && {
        responseTimeout: readTimeout * 1000,
        streamTimeout: readTimeout * 1000,
      },
      ...sendTimeout !== undefined && { sendTimeout: sendTimeout * 1000 },
    },
    ...retry !== undefined && { retry: retryOf(retry) },
  };
}

function retryOf({ on, attempts = 0, seconds = 0 }: NonNullable<RuleOptions["retry"]>): RetryRule {
  const failures = new Set(on.flatMap((word) => FAILURES[word] ?? []));
  const statuses = on.map((word) => Number(/^http_([0-9]{3})$/.exec(word)?.[1])).filter((code) => code > 0);
  return {
    attempts: on.includes("off") ? 1 : attempts || MOST_ATTEMPTS,
    milliseconds: seconds === 0 ? Infinity : seconds * 1000,
    unsent: failures,
    sent: failures,
    statuses: new Set(statuses),
    repeatsAll: on.includes("non_idempotent"),
    startsOver: true,
  };
}

/** May a request that was sent be sent again? Content is not kept. */
export function mayBeRepeated(
  { body, method }: Pick<UpstreamRequest, "body" | "method">,
  { repeatsAll } = USUAL_RETRY,
): boolean {
  return body === null && (repeatsAll || IDEMPOTENT_METHODS.has(method));
}
