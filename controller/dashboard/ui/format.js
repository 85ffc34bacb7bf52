/**
 * Numbers, times and words, as the pages show them. The locale is the page's own, English, whatever the
 * browser's is.
 *
 * @module
 */

const DASH = "–";
const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/**
 * A whole number with separators: `5,000`.
 *
 * @param {number | undefined} value
 */
export function formatCount(value) {
  return value === undefined ? DASH : Math.round(value).toLocaleString("en");
}

/**
 * A rate: `0.42`, `12.3`, `1,204`.
 *
 * @param {number | undefined} value per second
 */
export function formatRate(value) {
  if (value === undefined) return DASH;
  const digits = value === 0 || value >= 100 ? 0 : value >= 10 ? 1 : 2;
  return value.toLocaleString("en", { maximumFractionDigits: digits, minimumFractionDigits: digits });
}

/**
 * A share as per cent: `0 %`, `0.02 %`, `12 %`. What is not nothing never looks like nothing.
 *
 * @param {number | undefined} value from 0 to 1
 */
export function formatShare(value) {
  if (value === undefined) return DASH;
  const percent = value * 100;
  if (percent === 0) return "0 %";
  if (percent < 0.01) return "< 0.01 %";
  return `${
    percent.toLocaleString("en", { maximumFractionDigits: percent >= 10 ? 0 : percent >= 1 ? 1 : 2 })
  } %`;
}

/**
 * How long a request took: `0.4 ms`, `38 ms`, `1.2 s`.
 *
 * @param {number | undefined} value in milliseconds
 */
export function formatLatency(value) {
  if (value === undefined) return DASH;
  if (value >= SECOND) return `${(value / SECOND).toLocaleString("en", { maximumFractionDigits: 1 })} s`;
  return `${value.toLocaleString("en", { maximumFractionDigits: value >= 10 ? 0 : 1 })} ms`;
}

/**
 * A span of time in its largest unit: `now` below a second, `40 s`, `3 min`, `5 h`, `12 days`.
 *
 * @param {number} milliseconds
 */
export function formatDuration(milliseconds) {
  const span = Math.abs(milliseconds);
  if (span < SECOND) return "now";
  if (span < MINUTE) return `${Math.floor(span / SECOND)} s`;
  if (span < HOUR) return `${Math.floor(span / MINUTE)} min`;
  if (span < DAY) return `${Math.floor(span / HOUR)} h`;
  const days = Math.floor(span / DAY);
  return days === 1 ? "1 day" : `${days.toLocaleString("en")} days`;
}

/**
 * A moment as seen from another: `12 s ago`, `in 3 days`, `now`.
 *
 * @param {number} at
 * @param {number} now
 */
export function formatRelative(at, now) {
  const text = formatDuration(at - now);
  if (text === "now") return text;
  return at < now ? `${text} ago` : `in ${text}`;
}

/**
 * A moment in the reader's time zone: `26 Nov 2026, 11:06:28`.
 *
 * @param {number} at
 */
export function formatTime(at) {
  return new Date(at).toLocaleString("en-GB", { dateStyle: "medium", timeStyle: "medium" });
}

/**
 * A day in the reader's time zone: `26 Nov 2026`.
 *
 * @param {number} at
 */
export function formatDay(at) {
  return new Date(at).toLocaleDateString("en-GB", { dateStyle: "medium" });
}

/**
 * A number with its noun: `1 route`, `2 routes`.
 *
 * @param {number} count
 * @param {string} one
 * @param {string} [many]
 */
export function plural(count, one, many = `${one}s`) {
  return `${formatCount(count)} ${count === 1 ? one : many}`;
}

/**
 * Enough of a revision to tell it from another.
 *
 * @param {string | undefined} revision
 */
export function shortRevision(revision) {
  return revision === undefined ? DASH : revision.slice(0, 8);
}

/**
 * How much longer a certificate is good, in a word: those within 30 days end soon.
 *
 * @param {number} notAfter
 * @param {number} now
 * @returns {{ tone: import("./components.js").Tone, word: string }}
 */
export function expiry(notAfter, now) {
  if (notAfter <= now) return { tone: "error", word: "Expired" };
  if (notAfter <= now + 7 * DAY) return { tone: "error", word: "Ends this week" };
  if (notAfter <= now + 30 * DAY) return { tone: "warning", word: "Ends soon" };
  return { tone: "ok", word: "Valid" };
}

/**
 * How the endpoints of a backend do, in a few words. That one can be reached is not known of any: a proxy passes over
 * those that it could not reach.
 *
 * @param {import("../api.ts").EndpointCounts} counts
 * @returns {{ tone: import("./components.js").Tone, word: string }}
 */
export function endpointsState({ total, passedOver, unknown }) {
  if (total === 0) return { tone: "error", word: "No endpoints" };
  if (passedOver === total) {
    const all = total === 2 ? "Both" : `All ${formatCount(total)}`;
    return { tone: "error", word: total === 1 ? "Passed over" : `${all} passed over` };
  }
  if (passedOver > 0) {
    return { tone: "warning", word: `${formatCount(passedOver)} of ${formatCount(total)} passed over` };
  }
  return { tone: unknown === total ? "none" : "ok", word: plural(total, "endpoint") };
}

/**
 * How one endpoint does.
 *
 * @param {import("../api.ts").EndpointView} endpoint
 * @param {number} proxies how many say which endpoints they pass over
 * @returns {{ tone: import("./components.js").Tone, word: string }}
 */
export function endpointState({ passedOver }, proxies) {
  if (passedOver === undefined) return { tone: "none", word: "unknown" };
  if (passedOver === 0) return { tone: "ok", word: "not known to be down" };
  if (passedOver < proxies) {
    return { tone: "warning", word: `passed over by ${passedOver} of ${formatCount(proxies)} proxies` };
  }
  const word = proxies === 1
    ? "passed over by the proxy"
    : `passed over by all ${formatCount(proxies)} proxies`;
  return { tone: "error", word };
}
