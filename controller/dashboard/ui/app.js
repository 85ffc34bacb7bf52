/**
 * The shell: navigation, the state of the connection, and the page that is asked for.
 *
 * @module
 */
import { render } from "preact";
import { useContext, useEffect, useRef } from "preact/hooks";
import { Empty, PageHead } from "./components.js";
import { formatCount, formatRelative } from "./format.js";
import { markup } from "./markup.js";
import { Icon } from "./icons.js";
import { LiveContext, useLiveStream, useNow, useOverview } from "./live.js";
import { CertificatesPage } from "./page_certificates.js";
import { IngressPage } from "./page_ingress.js";
import { IngressesPage } from "./page_ingresses.js";
import { OverviewPage } from "./page_overview.js";
import { ProxiesPage } from "./page_proxies.js";
import { RoutesPage } from "./page_routes.js";
import { linkTo, usePlace } from "./router.js";
import { useArrival } from "./arrival.js";
import { useTheme } from "./theme.js";

/** @typedef {import("../api.ts").Overview} Overview */
/** @typedef {import("./router.js").Place} Place */

/** @type {{ title: string, path: string, icon: import("./icons.js").IconName, count?: (overview: Overview) => number }[]} */
const SECTIONS = [
  { title: "Overview", path: "", icon: "overview" },
  { title: "Routes", path: "routes", icon: "routes", count: ({ counts }) => counts.routes },
  { title: "Ingresses", path: "ingresses", icon: "ingresses", count: ({ counts }) => counts.ingresses },
  {
    title: "Certificates",
    path: "certificates",
    icon: "certificates",
    count: ({ counts }) => counts.certificates,
  },
  { title: "Proxies", path: "proxies", icon: "proxies", count: ({ counts }) => counts.proxies },
];

function App() {
  const live = useLiveStream();
  const place = usePlace();
  const main = useRef(/** @type {HTMLElement | null} */ (null));
  useArrival(place, main);
  const title = titleOf(place);
  useEffect(() => {
    document.title = `${title} · Pingress`;
  }, [title]);
  return markup`
    <${LiveContext.Provider} value=${live}>
      <button type="button" class="skip" onClick=${() => main.current?.focus()}>Skip to the page</button>
      <header class="side">
        <a class="brand" href=${linkTo([])}><img src="icon.svg" alt="" width="24" height="24" />Pingress</a>
        <${Navigation} current=${place.path[0] ?? ""} />
        <div class="side-foot">
          <${LiveState} />
          <${ThemeButton} />
        </div>
      </header>
      <main ref=${main} tabindex="-1">
        <${Page} key=${place.path.join("/")} place=${place} />
      </main>
    </>
  `;
}

/** @param {{ place: Place }} props */
function Page({ place }) {
  const [section, namespace, name, ...rest] = place.path;
  if (rest.length === 0 && section === "ingresses" && namespace !== undefined && name !== undefined) {
    return markup`<${IngressPage} namespace=${namespace} name=${name} />`;
  }
  switch (place.path.join("/")) {
    case "":
      return markup`<${OverviewPage} />`;
    case "routes":
      return markup`<${RoutesPage} place=${place} />`;
    case "ingresses":
      return markup`<${IngressesPage} place=${place} />`;
    case "certificates":
      return markup`<${CertificatesPage} place=${place} />`;
    case "proxies":
      return markup`<${ProxiesPage} />`;
    default:
      return markup`
        <${PageHead} title="No such page" />
        <${Empty} title="There is nothing at this address"><a href=${
        linkTo(
          [],
        )
      }>Go to the overview</a></>
      `;
  }
}

/** @param {Place} place */
function titleOf({ path: [section = "", namespace, name] }) {
  if (namespace !== undefined && name !== undefined) return `${namespace}/${name}`;
  return SECTIONS.find(({ path }) => path === section)?.title ?? "No such page";
}

/** @param {{ current: string }} props */
function Navigation({ current }) {
  const overview = useOverview();
  return markup`
    <nav aria-label="Pages">
      <ul role="list">
        ${
    SECTIONS.map(({ title, path, icon, count }) =>
      markup`
            <li>
              <a href=${linkTo([path])} aria-current=${path === current ? "page" : undefined}>
                <${Icon} name=${icon} /><span>${title}</span>
                ${
        overview && count &&
        markup`<span class="nav-count" aria-hidden="true">${formatCount(count(overview))}</span>`
      }
              </a>
            </li>
          `
    )
  }
      </ul>
    </nav>
  `;
}

function LiveState() {
  const { state, seenAt, overview } = useContext(LiveContext);
  const words = { connecting: "Connecting", live: "Live", reconnecting: "Reconnecting" };
  return markup`
    <div class=${`live ${state}`}>
      <i class="pulse" aria-hidden="true"></i>
      <div>
        <span role="status">${words[state]}</span>
        ${state === "reconnecting" && seenAt !== undefined && markup`<${LastSeen} at=${seenAt} />`}
        ${state === "live" && markup`<span class="sub version">Pingress ${overview?.version}</span>`}
      </div>
    </div>
  `;
}

/** @param {{ at: number }} props */
function LastSeen({ at }) {
  return markup`<span class="sub">last seen ${formatRelative(at, useNow())}</span>`;
}

function ThemeButton() {
  const [theme, next, change] = useTheme();
  const label = `Theme: ${theme}. Change to ${next}`;
  return markup`
    <button type="button" class="icon-button" aria-label=${label} title=${label} onClick=${change}>
      <${Icon} name=${theme} />
    </button>
  `;
}

render(markup`<${App} />`, document.body);
