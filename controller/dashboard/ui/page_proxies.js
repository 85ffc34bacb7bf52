/**
 * The proxies: does each serve what it should?
 *
 * @module
 */
import { h } from "preact";
import { Empty, Failure, Loading, PageHead, Status } from "./components.js";
import { useAnswer } from "./fetching.js";
import {
  formatCount,
  formatDuration,
  formatLatency,
  formatRate,
  formatShare,
  plural,
  shortRevision,
} from "./format.js";

/** @typedef {import("../api.ts").ProxyView} ProxyView */

/** @type {[title: string, className: string][]} */
const COLUMNS = [
  ["Proxy", ""],
  ["State", ""],
  ["Revision", ""],
  ["Connections", "number"],
  ["Requests/s", "number"],
  ["5xx", "number"],
  ["p50", "number"],
  ["p99", "number"],
  ["Reloads", "number"],
];

export function ProxiesPage() {
  const { data, failure } = useAnswer("api/proxies", "figures");
  const proxies = /** @type {ProxyView[] | undefined} */ (data);
  return [
    h(
      PageHead,
      { title: "Proxies" },
      h("p", { class: "dim" }, proxies && plural(proxies.length, "proxy", "proxies")),
    ),
    failure && h(Failure, { failure }),
    proxies === undefined ? !failure && h(Loading, null) : proxies.length === 0
      ? h(
        Empty,
        { title: "No proxy was found" },
        "They start with the first Ingress of class pingress: ",
        h("code", null, "kubectl -n pingress-system get pods"),
        " shows them. With --backend Standalone the controller knows of none.",
      )
      : h(ProxyTable, { proxies }),
  ];
}

/** @param {{ proxies: ProxyView[] }} props */
function ProxyTable({ proxies }) {
  return h(
    "table",
    { class: "plain-table stack boxed" },
    h("caption", { class: "sr-only" }, "Proxies"),
    h(
      "thead",
      null,
      h("tr", null, COLUMNS.map(([title, className]) => h("th", { scope: "col", class: className }, title))),
    ),
    h("tbody", null, proxies.map((proxy) => h(ProxyRow, { key: proxy.name, proxy }))),
  );
}

/** @param {{ proxy: ProxyView }} props */
function ProxyRow({ proxy }) {
  const { name, node, address, failure, revision, lag = 0, connections, passedOver = 0, traffic } = proxy;
  const { reloads, reloadFailures = 0 } = proxy;
  const numbers = [
    ["Connections", formatCount(connections)],
    ["Requests/s", formatRate(traffic?.rate)],
    ["5xx", formatShare(traffic?.errorShare)],
    ["p50", formatLatency(traffic?.p50)],
    ["p99", formatLatency(traffic?.p99)],
  ];
  const { tone, word } = stateOf(proxy);
  return h(
    "tr",
    null,
    h("th", { scope: "row" }, name, h("span", { class: "sub" }, [node, address].filter(Boolean).join(" · "))),
    h(
      "td",
      null,
      h(Status, { tone }, word),
      failure && h("span", { class: "sub" }, failure),
      // nobody compared before somebody looked
      lag >= 1000 && h("span", { class: "sub" }, "behind for at least ", formatDuration(lag)),
      passedOver > 0 && h("span", { class: "sub" }, plural(passedOver, "endpoint"), " passed over"),
    ),
    h(
      "td",
      { "data-label": "Revision" },
      h("code", null, shortRevision(revision)),
    ),
    numbers.map(([label, text]) => h("td", { class: "number", "data-label": label }, text)),
    h(
      "td",
      { class: "number", "data-label": "Reloads" },
      formatCount(reloads),
      reloadFailures > 0 && h(Status, { tone: "error" }, reloadFailures, " failed"),
    ),
  );
}

/** @param {ProxyView} proxy @returns {{ tone: import("./components.js").Tone, word: string }} */
function stateOf({ failure, isReady, lag = 0 }) {
  if (failure !== undefined) return { tone: "error", word: "No answer" };
  if (!isReady) return { tone: "error", word: "Not ready" };
  return lag > 0 ? { tone: "warning", word: "Behind" } : { tone: "ok", word: "Ready" };
}
