/**
 * The shell: navigation, the state of the connection, and the page that is asked for.
 *
 * @module
 */
import { h, render } from "preact";
import { useContext, useEffect, useRef } from "preact/hooks";
import { useArrival } from "./arrival.js";
import { Empty, PageHead } from "./components.js";
import { formatCount, formatRelative, shortRevision } from "./format.js";
import { Icon } from "./icons.js";
import { LiveContext, useLiveStream, useNow, useOverview } from "./live.js";
import { CertificatesPage } from "./page_certificates.js";
import { IngressPage } from "./page_ingress.js";
import { IngressesPage } from "./page_ingresses.js";
import { OverviewPage } from "./page_overview.js";
import { ProxiesPage } from "./page_proxies.js";
import { RoutesPage } from "./page_routes.js";
import { linkTo, usePlace } from "./router.js";
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
  return h(
    LiveContext.Provider,
    { value: live },
    h("button", { type: "button", class: "skip", onClick: () => main.current?.focus() }, "Skip to the page"),
    h(
      "header",
      { class: "side" },
      h(
        "a",
        { class: "brand", href: linkTo([]) },
        h("img", { src: "icon.svg", alt: "", width: "24", height: "24" }),
        "Pingress",
      ),
      h(Navigation, { current: place.path[0] ?? "" }),
      h("div", { class: "side-foot" }, h(LiveState, null), h(ThemeButton, null)),
    ),
    h("main", { ref: main, tabindex: "-1" }, h(Page, { key: place.path.join("/"), place })),
  );
}

/** @param {{ place: Place }} props */
function Page({ place }) {
  const [section, namespace, name, ...rest] = place.path;
  if (rest.length === 0 && section === "ingresses" && namespace !== undefined && name !== undefined) {
    return h(IngressPage, { namespace, name });
  }
  switch (place.path.join("/")) {
    case "":
      return h(OverviewPage, null);
    case "routes":
      return h(RoutesPage, { place });
    case "ingresses":
      return h(IngressesPage, { place });
    case "certificates":
      return h(CertificatesPage, { place });
    case "proxies":
      return h(ProxiesPage, null);
    default:
      return [
        h(PageHead, { title: "No such page" }),
        h(
          Empty,
          { title: "There is nothing at this address" },
          h("a", { href: linkTo([]) }, "Go to the overview"),
        ),
      ];
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
  return h(
    "nav",
    { "aria-label": "Pages" },
    h(
      "ul",
      { role: "list" },
      SECTIONS.map(({ title, path, icon, count }) =>
        h(
          "li",
          null,
          h(
            "a",
            { href: linkTo([path]), "aria-current": path === current ? "page" : undefined },
            h(Icon, { name: icon }),
            h("span", null, title),
            overview && count &&
              h("span", { class: "nav-count", "aria-hidden": "true" }, formatCount(count(overview))),
          ),
        )
      ),
    ),
  );
}

function LiveState() {
  const { state, seenAt, overview } = useContext(LiveContext);
  const words = { connecting: "Connecting", live: "Live", reconnecting: "Reconnecting" };
  return h(
    "div",
    { class: "live", "data-state": state },
    h("i", { class: "pulse", "aria-hidden": "true" }),
    h(
      "div",
      null,
      h(
        "span",
        { role: "status" },
        words[state],
        overview && h("span", { class: "sr-only" }, ", configuration ", shortRevision(overview.revision)),
      ),
      state === "reconnecting" && seenAt !== undefined && h(LastSeen, { at: seenAt }),
      state === "live" && h("span", { class: "sub version" }, "Pingress ", overview?.version),
    ),
  );
}

/** @param {{ at: number }} props */
function LastSeen({ at }) {
  return h("span", { class: "sub" }, "last seen ", formatRelative(at, useNow()));
}

function ThemeButton() {
  const [theme, next, change] = useTheme();
  const label = `Theme: ${theme}. Change to ${next}`;
  return h("button", {
    type: "button",
    class: "icon-button",
    "aria-label": label,
    title: label,
    onClick: change,
  }, h(Icon, { name: theme }));
}

render(h(App, null), document.body);
