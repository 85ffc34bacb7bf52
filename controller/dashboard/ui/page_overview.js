/**
 * The overview: is all well, and if not, where to look.
 *
 * @module
 */
import { Chart } from "./chart.js";
import { Ago, Card, Empty, Loading, PageHead, Problems, Status } from "./components.js";
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
import { markup } from "./markup.js";
import { useNow, useOverview } from "./live.js";
import { linkTo } from "./router.js";

/** @typedef {import("../api.ts").Overview} Overview */
/** @typedef {import("../api.ts").CertificateView} CertificateView */
/** @typedef {import("../api.ts").TrafficPoint} TrafficPoint */

export function OverviewPage() {
  const overview = useOverview();
  if (overview === undefined) {
    return markup`
      <${PageHead} title="Overview" />
      <${Loading} lines=${8} />
    `;
  }
  const { counts, problems, problemCount } = overview;
  return markup`
    <${PageHead} title="Overview">
      <p class="dim">
        Revision <code>${shortRevision(overview.revision)}</code>, changed <${Ago} at=${overview.changedAt} />
        ${!overview.isLeader && " · another controller leads"}
      </p>
    </>
    <${Tiles} overview=${overview} />
    <${Charts} history=${overview.history} />
    <div class="columns">
      <${Card}
        title="Problems"
        count=${formatCount(problemCount)}
        side=${
    problemCount > 0 &&
    markup`<a href=${linkTo(["ingresses"], { problems: "1" })}>All Ingresses with problems</a>`
  }
      >
        ${
    problems.length > 0
      ? markup`<${Problems} problems=${problems} withIngress />`
      : counts.ingresses > 0
      ? markup`<${Empty} title="No problems">Every Ingress is served as it is written.</>`
      : markup`<${NothingServed} />`
  }
        ${
    problemCount > problems.length && markup`
          <p class="card-foot dim">The worst ${problems.length} of ${formatCount(problemCount)} are shown.</p>
        `
  }
      </>
      <${EndingCertificates} count=${counts.expiringCertificates} all=${counts.certificates} />
    </div>
  `;
}

/** @param {{ overview: Overview }} props */
function Tiles({ overview: { counts, problemCount, problems } }) {
  const errors = problems.some(({ severity }) => severity === "error");
  const areAllReady = counts.readyProxies === counts.proxies;
  return markup`
    <ul class="tiles" role="list">
      <${Tile} label="Ingresses" path="ingresses" value=${counts.ingresses} note=${
    plural(counts.namespaces, "namespace")
  } />
      <${Tile} label="Routes" path="routes" value=${counts.routes} note=${plural(counts.hosts, "host")} />
      <${Tile}
        label="Problems"
        path="ingresses"
        query=${{ problems: "1" }}
        value=${problemCount}
        note=${
    problemCount === 0
      ? markup`<${Status} tone="ok">All is well</>`
      : markup`<${Status} tone=${errors ? "error" : "warning"}>${
        errors ? "Errors among them" : "Warnings only"
      }</>`
  }
      />
      <${Tile}
        label="Certificates"
        path="certificates"
        value=${counts.certificates}
        note=${
    counts.expiringCertificates === 0
      ? markup`<${Status} tone="ok">None ends soon</>`
      : markup`<${Status} tone="warning">${plural(counts.expiringCertificates, "ends", "end")} soon</>`
  }
      />
      <${Tile}
        label="Proxies ready"
        path="proxies"
        value=${`${formatCount(counts.readyProxies)} of ${formatCount(counts.proxies)}`}
        note=${
    counts.proxies === 0
      ? markup`<${Status} tone="none">None found</>`
      : areAllReady
      ? markup`<${Status} tone="ok">All serve this revision</>`
      : markup`<${Status} tone="error">${counts.proxies - counts.readyProxies} not ready</>`
  }
      />
    </ul>
  `;
}

/**
 * @param {object} props
 * @param {string} props.label
 * @param {string} props.path
 * @param {Record<string, string>} [props.query]
 * @param {number | string} props.value
 * @param {import("./markup.js").Children} props.note
 */
function Tile({ label, path, query, value, note }) {
  return markup`
    <li>
      <a class="tile" href=${linkTo([path], query)}>
        <span class="tile-label">${label}</span>
        <span class="tile-value">${typeof value === "number" ? formatCount(value) : value}</span>
        <span class="tile-note">${note}</span>
      </a>
    </li>
  `;
}

/** @param {{ history: TrafficPoint[] }} props */
function Charts({ history }) {
  const last = history.at(-1);
  if (last === undefined) {
    return markup`
      <${Card} title="Traffic">
        <${Empty} title="No figures yet">
          They come with the second answer of the proxies' admin ports. If none comes, see${" "}
          <a href=${linkTo(["proxies"])}>Proxies</a> for the reason.
        </>
      </>
    `;
  }
  const times = history.map(({ at }) => at);
  const rates = history.map(({ rate }) => rate);
  const shares = history.map(({ errorShare }) => errorShare);
  return markup`
    <div class="charts">
      <${Card} title="Requests a second">
        <${Chart}
          summary=${`Requests a second: now ${formatRate(last.rate)}, at most ${
    formatRate(Math.max(...rates))
  }`}
          times=${times}
          lines=${[{ label: "Requests", color: "--chart-1", values: rates, isFilled: true }]}
          format=${formatRate}
        />
      </>
      <${Card} title="Errors (5xx)">
        <${Chart}
          summary=${`Share of 5xx: now ${formatShare(last.errorShare)}, at most ${
    formatShare(Math.max(...shares))
  }`}
          times=${times}
          lines=${[{ label: "Share", color: "--chart-2", values: shares, isFilled: true }]}
          format=${formatShare}
        />
      </>
      <${Card} title="Duration">
        <${Chart}
          summary=${`Duration: now p50 ${formatLatency(last.p50)}, p99 ${formatLatency(last.p99)}`}
          times=${times}
          lines=${[
    { label: "p50", color: "--chart-1", values: history.map(({ p50 }) => p50) },
    { label: "p99", color: "--chart-3", values: history.map(({ p99 }) => p99) },
  ]}
          format=${formatLatency}
        />
      </>
    </div>
  `;
}

/** @param {{ count: number, all: number }} props */
function EndingCertificates({ count, all }) {
  const { data = [] } = useAnswer(count > 0 ? "api/certificates" : undefined);
  const now = useNow(60_000);
  const ending = /** @type {CertificateView[]} */ (data).slice(0, Math.min(count, 6));
  return markup`
    <${Card}
      title="Certificates that end soon"
      count=${formatCount(count)}
      side=${all > 0 && markup`<a href=${linkTo(["certificates"])}>All certificates</a>`}
    >
      ${
    count === 0 && markup`
        <${Empty} title=${all === 0 ? "No certificates" : "None within 30 days"}>
          ${all === 0 && "No Ingress has a spec.tls whose Secret holds one: hosts are served by HTTP only."}
        </>
      `
  }
      <ul class="ending" role="list">
        ${
    ending.map(({ secret, names, notAfter }) => {
      const { tone, word } = expiry(notAfter, now);
      return markup`
            <li>
              <div><b title=${names.join("\n")}>${names[0]}</b><span class="dim">${secret}</span></div>
              <div>
                <${Status} tone=${tone}>${word}</>
                <span class="dim">${formatRelative(notAfter, now)}</span>
              </div>
            </li>
          `;
    })
  }
      </ul>
    </>
  `;
}

function NothingServed() {
  return markup`
    <${Empty} title="No Ingress is served yet">
      Create one with <code>spec.ingressClassName: pingress</code>; it appears here within a second.
    </>
  `;
}
