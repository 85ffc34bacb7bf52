/**
 * All that a browser may ask of the dashboard, beside its figures.
 *
 * The files are imported as text: they are part of the program as its modules are, in `deno run`, in an image
 * and in what `deno compile` makes, and take no permission to read. Libraries come from their npm packages.
 *
 * @module
 */
import preact from "preact" with { type: "text" };
import hooks from "preact/hooks" with { type: "text" };
import uplotStyle from "uplot/dist/uPlot.min.css" with { type: "text" };
import uplot from "uplot/dist/uPlot.esm.js" with { type: "text" };
import type { Asset } from "./server.ts";
import app from "./ui/app.js" with { type: "text" };
import arrival from "./ui/arrival.js" with { type: "text" };
import chart from "./ui/chart.js" with { type: "text" };
import components from "./ui/components.js" with { type: "text" };
import fetching from "./ui/fetching.js" with { type: "text" };
import filterBox from "./ui/filter_box.js" with { type: "text" };
import format from "./ui/format.js" with { type: "text" };
import icon from "./ui/icon.svg" with { type: "text" };
import icons from "./ui/icons.js" with { type: "text" };
import index from "./ui/index.html" with { type: "text" };
import live from "./ui/live.js" with { type: "text" };
import pageCertificates from "./ui/page_certificates.js" with { type: "text" };
import pageIngress from "./ui/page_ingress.js" with { type: "text" };
import pageIngresses from "./ui/page_ingresses.js" with { type: "text" };
import pageOverview from "./ui/page_overview.js" with { type: "text" };
import pageProxies from "./ui/page_proxies.js" with { type: "text" };
import pageRoutes from "./ui/page_routes.js" with { type: "text" };
import pagedRows from "./ui/paged_rows.js" with { type: "text" };
import routeParts from "./ui/route_parts.js" with { type: "text" };
import router from "./ui/router.js" with { type: "text" };
import style from "./ui/style.css" with { type: "text" };
import themeEarly from "./ui/theme_early.js" with { type: "text" };
import theme from "./ui/theme.js" with { type: "text" };
import toolbar from "./ui/toolbar.js" with { type: "text" };
import urlBox from "./ui/url_box.js" with { type: "text" };
import virtualTable from "./ui/virtual_table.js" with { type: "text" };

/** Where the browser finds each library. */
const LIBRARIES: Record<string, string> = {
  preact: "./preact.js",
  "preact/hooks": "./hooks.js",
  uplot: "./uplot.js",
};

/** The files by their paths. All are in one directory, and name one another relatively to it. */
export const ASSETS: ReadonlyMap<string, Asset> = new Map([
  ["/", { type: "text/html; charset=utf-8", body: index }],
  ["/icon.svg", { type: "image/svg+xml", body: icon }],
  ["/style.css", { type: "text/css; charset=utf-8", body: style }],
  ["/uplot.css", { type: "text/css; charset=utf-8", body: uplotStyle }],
  ["/app.js", script(app)],
  ["/arrival.js", script(arrival)],
  ["/chart.js", script(chart)],
  ["/components.js", script(components)],
  ["/fetching.js", script(fetching)],
  ["/filter_box.js", script(filterBox)],
  ["/format.js", script(format)],
  ["/icons.js", script(icons)],
  ["/live.js", script(live)],
  ["/page_certificates.js", script(pageCertificates)],
  ["/page_ingress.js", script(pageIngress)],
  ["/page_ingresses.js", script(pageIngresses)],
  ["/page_overview.js", script(pageOverview)],
  ["/page_proxies.js", script(pageProxies)],
  ["/page_routes.js", script(pageRoutes)],
  ["/paged_rows.js", script(pagedRows)],
  ["/route_parts.js", script(routeParts)],
  ["/router.js", script(router)],
  ["/theme.js", script(theme)],
  ["/theme_early.js", script(themeEarly)],
  ["/toolbar.js", script(toolbar)],
  ["/url_box.js", script(urlBox)],
  ["/virtual_table.js", script(virtualTable)],
  ["/hooks.js", script(hooks)],
  ["/preact.js", script(preact)],
  ["/uplot.js", script(uplot)],
]);

/**
 * A module as a browser understands it: it knows no import map unless there is a script in the page, which
 * the policy of the page forbids, so that the names of libraries become paths here.
 */
function script(source: string): Asset {
  const body = source.replaceAll(
    /\bfrom\s*"([^".][^"]*)"/g,
    (whole, name: string) => name in LIBRARIES ? `from "${LIBRARIES[name]}"` : whole,
  );
  return { type: "text/javascript; charset=utf-8", body };
}
