import { AnnotationError, feature, type Parse } from "./feature.ts";
import { size, wholeNumber, word } from "./values.ts";

const CONDITIONS = new Set([
  ...["error", "timeout", "invalid_header", "non_idempotent", "off"],
  ...["http_500", "http_502", "http_503", "http_504", "http_403", "http_404", "http_429"],
]);

const DEFAULT_ATTEMPTS = 3;

const conditions: Parse<string[]> = (text) => {
  const words = text.split(/ +/);
  if (words.every((word) => CONDITIONS.has(word))) return words;
  throw new AnnotationError(`not of the words ${[...CONDITIONS].join(", ")}, with a space between them`);
};

/** At least one: after no time at all every request would fail. */
const timeout = wholeNumber(1, 1_000_000_000);

/** How large requests may be, how long backends may take, and when requests are sent again. */
export const delivery = feature({
  "proxy-body-size": {
    parse: size,
    help: "The largest body of a request, such as `8m`; `0` for no limit. A larger one is answered with 413.",
    differs:
      "Unless told it is the proxy's --max-body-bytes, which is no limit, and not 1m. Who may not come in, or is redirected, is told that first. `b` is a unit.",
  },
  "proxy-connect-timeout": {
    parse: timeout,
    help:
      "How many seconds a connection to an endpoint may take; then another one is tried, or the answer is 504.",
    differs:
      "Unless told it is the proxy's --connect-timeout. Waiting for a place among --max-upstream-connections counts, too.",
  },
  "proxy-read-timeout": {
    parse: timeout,
    help:
      "How many seconds the backend may do nothing: before its answer begins (504), within it, and on a WebSocket.",
    differs: "Unless told these are the proxy's --response-timeout and --stream-timeout.",
  },
  "proxy-send-timeout": {
    parse: timeout,
    help: "How many seconds the backend may take nothing of a request's body (504).",
    differs: "Unless told it is the proxy's --response-timeout.",
  },
  "proxy-next-upstream": {
    parse: conditions,
    help:
      "When a request is sent again, to another endpoint where there is one: `error`, `timeout`, `invalid_header`, `http_500` and other statuses, `non_idempotent` for POST and PATCH, too; `off`. `error timeout` as soon as one of the three annotations is there.",
    differs:
      "Without any of the three it is sent again only while nothing of it was sent. A body is passed on as it comes and not kept: with one a request is not sent again once that has begun. Only GET, HEAD, OPTIONS, PUT and DELETE count as idempotent. Even with `off` a new connection is opened when one that was kept turns out to be dead.",
  },
  "proxy-next-upstream-tries": {
    parse: wholeNumber(0, 1000),
    help: "How often a request is sent in all: 3 times unless told.",
    differs: "`0` is 10 times, and not without end.",
  },
  "proxy-next-upstream-timeout": {
    parse: wholeNumber(0, 1_000_000_000),
    help:
      "For how many seconds a request is sent again; `0`, which is what counts unless told, for no limit.",
  },
  "proxy-request-buffering": {
    parse: word("on", "off"),
    help: "Bodies of requests are passed on as they come, which is what `off` asks for.",
    differs: "`on` makes no difference: nothing waits for a whole body.",
  },
  "proxy-buffering": {
    parse: word("on", "off"),
    help: "Answers are passed on as they come, which is what `off` asks for.",
    differs: "`on` makes no difference: a client that reads slowly keeps its connection to the backend.",
  },
}, (values, { tell }) => {
  const {
    "proxy-body-size": maxBodyBytes,
    "proxy-connect-timeout": connectTimeout,
    "proxy-read-timeout": readTimeout,
    "proxy-send-timeout": sendTimeout,
    "proxy-next-upstream": on,
    "proxy-next-upstream-tries": attempts,
    "proxy-next-upstream-timeout": seconds,
  } = values;
  if (on?.includes("off")) {
    for (const name of ["proxy-next-upstream-tries", "proxy-next-upstream-timeout"] as const) {
      if (values[name] === undefined) continue;
      tell(name, "AnnotationConflict", "It does nothing: proxy-next-upstream is off");
    }
  }
  const isSentAgain = on !== undefined || attempts !== undefined || seconds !== undefined;
  return {
    ...maxBodyBytes !== undefined && { maxBodyBytes },
    ...connectTimeout !== undefined && { connectTimeout },
    ...readTimeout !== undefined && { readTimeout },
    ...sendTimeout !== undefined && { sendTimeout },
    ...isSentAgain && {
      retry: {
        on: on ?? ["error", "timeout"],
        attempts: attempts ?? DEFAULT_ATTEMPTS,
        seconds: seconds ?? 0,
      },
    },
  };
});
