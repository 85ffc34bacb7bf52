/**
 * The overview: is all well, and if not, where to look.
 *
 * @module
 */
import { h } from "preact";
import { Chart } from "./chart.js";
import { Ago, Card, Empty, Loading, NothingServed, PageHead, Problems, Status } from "./components.js";
import { useAnswer } from "./fetching.js";
import {
  expiry,
  formatCount,
  formatLatency,
  formatRate,
  formatRelative,
  formatShare,
  plural,
  shortRevision,
} from "./format.js";
import { useNow, useOverview } from "./live.js";
import { linkTo } from "./router.js";

/** @typedef {import("../api.ts").Overview} Overview */
/** @typedef {import("../api.ts").CertificateView} CertificateView */
/** @typedef {import("../api.ts").TrafficPoint} TrafficPoint */

export function OverviewPage() {
  const overview = useOverview();
  if (overview === undefined) {
    return [h(PageHead, { title: "Overview" }), h(Loading, null)];
  }
  const { counts, problems, problemCount } = overview;
  return [
    h(
      PageHead,
      { title: "Overview" },
      h(
        "p",
        { class: "dim" },
        "Revision ",
        h("code", null, shortRevision(overview.revision)),
        ", changed ",
        h(Ago, { at: overview.changedAt }),
        !overview.isLeader && " · another controller leads",
      ),
    ),
    h(Tiles, { overview }),
    h(Charts, { history: overview.history }),
    h(
      "div",
      { class: "columns" },
      h(
        Card,
        {
          title: "Problems",
          count: problemCount,
          side: problemCount > 0 &&
            h("a", { href: linkTo(["ingresses"], { problems: "1" }) }, "All Ingresses with problems"),
        },
        problems.length > 0
          ? h(Problems, { problems, withIngress: true })
          : counts.ingresses > 0
          ? h(Empty, { title: "No problems" }, "Every Ingress is served as it is written.")
          : h(NothingServed, null),
        problemCount > problems.length &&
          h(
            "p",
            { class: "card-foot dim" },
            "The worst ",
            problems.length,
            " of ",
            formatCount(problemCount),
            " are shown.",
          ),
      ),
      h(EndingCertificates, { count: counts.expiringCertificates, all: counts.certificates }),
    ),
  ];
}

/** @param {{ overview: Overview }} props */
function Tiles({ overview: { counts, endpoints, problemCount, problems } }) {
  const errors = problems.some(({ severity }) => severity === "error");
  const areAllReady = counts.readyProxies === counts.proxies;
  return h(
    "ul",
    { class: "tiles", role: "list" },
    h(Tile, {
      label: "Ingresses",
      path: "ingresses",
      value: counts.ingresses,
      note: plural(counts.namespaces, "namespace"),
    }),
    h(Tile, { label: "Routes", path: "routes", value: counts.routes, note: plural(counts.hosts, "host") }),
    h(Tile, {
      label: "Endpoints",
      path: "routes",
      query: endpoints.passedOver > 0 ? { passedOver: "1" } : {},
      value: endpoints.total,
      note: h(EndpointsNote, { endpoints }),
    }),
    h(Tile, {
      label: "Problems",
      path: "ingresses",
      query: { problems: "1" },
      value: problemCount,
      note: problemCount === 0
        ? h(Status, { tone: "ok" }, "All is well")
        : h(Status, { tone: errors ? "error" : "warning" }, errors ? "Errors among them" : "Warnings only"),
    }),
    h(Tile, {
      label: "Certificates",
      path: "certificates",
      value: counts.certificates,
      note: counts.expiringCertificates === 0
        ? h(Status, { tone: "ok" }, "None ends soon")
        : h(Status, { tone: "warning" }, plural(counts.expiringCertificates, "ends", "end"), " soon"),
    }),
    h(Tile, {
      label: "Proxies ready",
      path: "proxies",
      value: `${formatCount(counts.readyProxies)} of ${formatCount(counts.proxies)}`,
      note: counts.proxies === 0
        ? h(Status, { tone: "none" }, "None known yet")
        : areAllReady
        ? h(Status, { tone: "ok" }, "All serve this revision")
        : h(Status, { tone: "error" }, counts.proxies - counts.readyProxies, " not ready"),
    }),
  );
}

/** @param {Pick<Overview, "endpoints">} props */
function EndpointsNote({ endpoints: { total, passedOver, unknown } }) {
  if (passedOver > 0) {
    return h(
      Status,
      { tone: "warning" },
      unknown > 0 && "At least ",
      formatCount(passedOver),
      " passed over",
    );
  }
  if (unknown === total) return h(Status, { tone: "none" }, total === 0 ? "None" : "State unknown");
  return h(Status, { tone: "ok" }, unknown > 0 ? "No failure known" : "None passed over");
}

/**
 * @param {object} props
 * @param {string} props.label
 * @param {string} props.path
 * @param {Record<string, string>} [props.query]
 * @param {number | string} props.value
 * @param {import("preact").ComponentChildren} props.note
 */
function Tile({ label, path, query, value, note }) {
  return h(
    "li",
    null,
    h(
      "a",
      { class: "tile", href: linkTo([path], query) },
      h("span", { class: "tile-label" }, label),
      h("span", { class: "tile-value" }, typeof value === "number" ? formatCount(value) : value),
      h("span", { class: "tile-note" }, note),
    ),
  );
}

/** @param {{ history: TrafficPoint[] }} props */
function Charts({ history }) {
  const last = history.at(-1);
  if (last === undefined) {
    return h(
      Card,
      { title: "Traffic" },
      h(
        Empty,
        { title: "No figures yet" },
        "They come with the second answer of the proxies' admin ports. If none comes, see ",
        h("a", { href: linkTo(["proxies"]) }, "Proxies"),
        " for the reason.",
      ),
    );
  }
  const times = history.map(({ at }) => at);
  const rates = history.map(({ rate }) => rate);
  const shares = history.map(({ errorShare }) => errorShare);
  return h(
    "div",
    { class: "charts" },
    h(
      Card,
      { title: "Requests a second" },
      h(Chart, {
        summary: `Requests a second: now ${formatRate(last.rate)}, at most ${formatRate(Math.max(...rates))}`,
        times,
        lines: [{ label: "Requests", color: "--chart-1", values: rates, isFilled: true }],
        format: formatRate,
        least: 1,
      }),
    ),
    h(
      Card,
      { title: "Errors (5xx)" },
      h(Chart, {
        summary: `Share of 5xx: now ${formatShare(last.errorShare)}, at most ${
          formatShare(Math.max(...shares))
        }`,
        times,
        lines: [{ label: "Share", color: "--chart-2", values: shares, isFilled: true }],
        format: formatShare,
        least: 0.01,
      }),
    ),
    h(
      Card,
      { title: "Duration" },
      h(Chart, {
        summary: `Duration: now p50 ${formatLatency(last.p50)}, p99 ${formatLatency(last.p99)}`,
        times,
        lines: [{ label: "p50", color: "--chart-1", values: history.map(({ p50 }) => p50) }, {
          label: "p99",
          color: "--chart-3",
          values: history.map(({ p99 }) => p99),
        }],
        format: formatLatency,
        least: 10,
      }),
    ),
  );
}

/** The most certificates of an overview. */
const MOST_ENDING = 6;

/** @param {{ count: number, all: number }} props */
function EndingCertificates({ count, all }) {
  const path = count > 0 ? `api/certificates?limit=${Math.min(count, MOST_ENDING)}` : undefined;
  const { data = [] } = useAnswer(path, "configuration");
  const now = useNow(60_000);
  const ending = /** @type {CertificateView[]} */ (data);
  return h(
    Card,
    {
      title: "Certificates that end soon",
      count,
      side: all > 0 && h("a", { href: linkTo(["certificates"]) }, "All certificates"),
    },
    count === 0 &&
      h(
        Empty,
        { title: all === 0 ? "No certificates" : "None within 30 days" },
        all === 0 && "No Ingress has a spec.tls whose Secret holds one: hosts are served by HTTP only.",
      ),
    h(
      "ul",
      { class: "ending", role: "list" },
      ending.map(({ secret, names, notAfter }) => {
        const { tone, word } = expiry(notAfter, now);
        return h(
          "li",
          null,
          h("div", null, h("b", { title: names.join("\n") }, names[0]), h("span", { class: "dim" }, secret)),
          h(
            "div",
            null,
            h(Status, { tone }, word),
            h("span", { class: "dim" }, formatRelative(notAfter, now)),
          ),
        );
      }),
    ),
  );
}
