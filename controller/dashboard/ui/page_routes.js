/**
 * All routes, and the way of a URL through them.
 *
 * @module
 */
import { h } from "preact";
import { Empty, NothingServed, PageHead, Switch, Total } from "./components.js";
import { useAnswer } from "./fetching.js";
import { FilterBox } from "./filter_box.js";
import { plural } from "./format.js";
import { usePagedRows } from "./paged_rows.js";
import {
  Backend,
  Endpoints,
  hostName,
  RouteCertificate,
  RouteIngress,
  RoutePath,
  RouteTraffic,
} from "./route_parts.js";
import { changeQuery, linkTo } from "./router.js";
import { Toolbar } from "./toolbar.js";
import { UrlBox } from "./url_box.js";
import { virtualTable } from "./virtual_table.js";

/** @typedef {import("../api.ts").RouteView} RouteView */
/** @typedef {import("../api.ts").Filters} Filters */

/** @type {import("./virtual_table.js").Column<RouteView>[]} */
const COLUMNS = [
  {
    key: "host",
    title: "Host",
    cell: ({ host }, above) =>
      h(
        "span",
        { class: above?.host === host && above !== undefined ? "same" : "", title: host },
        hostName(host),
      ),
  },
  { key: "path", title: "Path", cell: (route) => h(RoutePath, { route }) },
  {
    key: "service",
    title: "Service",
    cell: ({ backend }) => h(Backend, { backend }),
  },
  {
    key: "health",
    title: "Endpoints",
    cell: (route) => h(Endpoints, { route }),
  },
  { key: "traffic", title: "Traffic", cell: (route) => h(RouteTraffic, { route }) },
  {
    key: "certificate",
    title: "Certificate",
    cell: (route) => h(RouteCertificate, { route }),
  },
  {
    key: "ingress",
    title: "Ingress",
    cell: (route) => h(RouteIngress, { route }),
  },
];

/** @param {{ place: import("./router.js").Place }} props */
export function RoutesPage({ place: { query } }) {
  const { search, namespace, host, problems, passedOver } = query;
  const rows = usePagedRows("api/routes", { search, namespace, host, problems, passedOver });
  const filters = /** @type {Filters | undefined} */ (useAnswer("api/filters", "configuration").data);
  return [
    h(PageHead, { title: "Routes" }, h(Total, null, rows.total !== undefined && plural(rows.total, "route"))),
    h(UrlBox, { url: query.url ?? "" }),
    h(
      Toolbar,
      { rows: "Routes", search: "Search host, path, Service or Ingress", query, filters },
      h(FilterBox, {
        label: "Host",
        all: "All hosts",
        value: host ?? "",
        choices: filters?.hosts ?? [],
        onChange: (host) => changeQuery({ host }),
      }),
      h(Switch, {
        label: "Endpoints passed over",
        isOn: passedOver === "1",
        onChange: (isOn) => changeQuery({ passedOver: isOn ? "1" : "" }),
      }),
    ),
    virtualTable({
      name: "routes",
      caption: "Routes, sorted by host and path",
      columns: COLUMNS,
      rows,
      empty: emptyText({ isNarrow: Boolean(search || namespace || host || problems), passedOver }),
    }),
  ];
}

/** @param {{ isNarrow: boolean, passedOver: string | undefined }} query */
function emptyText({ isNarrow, passedOver }) {
  const all = h("a", { href: linkTo(["routes"]) }, "show all routes");
  if (isNarrow) return h(Empty, { title: "No route matches" }, "Search for less, or ", all, ".");
  if (passedOver) {
    return h(
      Empty,
      { title: "No endpoint is passed over" },
      "No proxy says that it could not reach one; ",
      all,
      ".",
    );
  }
  return h(NothingServed, null);
}
