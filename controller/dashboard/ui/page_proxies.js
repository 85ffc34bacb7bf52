/**
 * The proxies: does each serve what it should?
 *
 * @module
 */
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
import { markup } from "./markup.js";

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
  const { data, failure } = useAnswer("api/proxies");
  const proxies = /** @type {ProxyView[] | undefined} */ (data);
  return markup`
    <${PageHead} title="Proxies">
      <p class="dim">${
    proxies &&
    plural(proxies.length, "proxy", "proxies")
  }</p>
    </>
    ${failure && markup`<${Failure} failure=${failure} />`}
    ${
    proxies === undefined ? !failure && markup`<${Loading} lines=${8} />` : proxies.length === 0
      ? markup`
        <${Empty} title="No proxy was found">
          They start with the first Ingress of class pingress: <code>kubectl -n pingress-system get pods</code> shows them.
        </>
      `
      : markup`<${ProxyTable} proxies=${proxies} />`
  }
  `;
}

/** @param {{ proxies: ProxyView[] }} props */
function ProxyTable({ proxies }) {
  return markup`
    <table class="plain-table stack boxed">
      <caption class="sr-only">Proxies</caption>
      <thead>
        <tr>${
    COLUMNS.map(([title, className]) => markup`<th scope="col" class=${className}>${title}</th>`)
  }</tr>
      </thead>
      <tbody>${proxies.map((proxy) => markup`<${ProxyRow} key=${proxy.name} proxy=${proxy} />`)}</tbody>
    </table>
  `;
}

/** @param {{ proxy: ProxyView }} props */
function ProxyRow({ proxy }) {
  const { name, node, address, failure, revision, lag, connections, traffic, reloads, reloadFailures = 0 } =
    proxy;
  const numbers = [
    ["Connections", formatCount(connections)],
    ["Requests/s", formatRate(traffic?.rate)],
    ["5xx", formatShare(traffic?.errorShare)],
    ["p50", formatLatency(traffic?.p50)],
    ["p99", formatLatency(traffic?.p99)],
  ];
  const { tone, word } = stateOf(proxy);
  return markup`
    <tr>
      <th scope="row">${name}<span class="sub">${[node, address].filter(Boolean).join(" · ")}</span></th>
      <td>
        <${Status} tone=${tone}>${word}</>${failure && markup`<span class="sub">${failure}</span>`}</td>
      <td data-label="Revision">
        <code>${shortRevision(revision)}</code>
        ${lag !== undefined && lag > 0 && markup`<span class="sub">${formatDuration(lag)} behind</span>`}
      </td>
      ${numbers.map(([label, text]) => markup`<td class="number" data-label=${label}>${text}</td>`)}
      <td class="number" data-label="Reloads">
        ${formatCount(reloads)}
        ${reloadFailures > 0 && markup`<${Status} tone="error">${reloadFailures} failed</>`}
      </td>
    </tr>
  `;
}

/** @param {ProxyView} proxy @returns {{ tone: import("./components.js").Tone, word: string }} */
function stateOf({ failure, isReady, lag = 0 }) {
  if (failure !== undefined) return { tone: "error", word: "No answer" };
  if (!isReady) return { tone: "error", word: "Not ready" };
  return lag > 0 ? { tone: "warning", word: "Behind" } : { tone: "ok", word: "Ready" };
}
