/**
 * All Ingresses that are served.
 *
 * @module
 */
import { h } from "preact";
import { Empty, IngressLink, NothingServed, PageHead, ProblemCounts, Total } from "./components.js";
import { useAnswer } from "./fetching.js";
import { plural } from "./format.js";
import { usePagedRows } from "./paged_rows.js";
import { hostName } from "./route_parts.js";
import { linkTo } from "./router.js";
import { Toolbar } from "./toolbar.js";
import { virtualTable } from "./virtual_table.js";

/** @typedef {import("../api.ts").IngressRow} IngressRow */
/** @typedef {import("../api.ts").Filters} Filters */

/** @type {import("./virtual_table.js").Column<IngressRow>[]} */
const COLUMNS = [
  { key: "ingress", title: "Ingress", cell: (row) => h(IngressLink, { ingress: row }) },
  {
    key: "hosts",
    title: "Hosts",
    cell: ({ hosts }) => hosts.length === 0 ? hostName(undefined) : hosts.join(", "),
  },
  { key: "number", title: "Routes", cell: ({ routes }) => plural(routes, "route") },
  { key: "state", title: "State", cell: (row) => h(ProblemCounts, row) },
];

/** @param {{ place: import("./router.js").Place }} props */
export function IngressesPage({ place: { query } }) {
  const { search, namespace, problems } = query;
  const rows = usePagedRows("api/ingresses", { search, namespace, problems });
  const filters = /** @type {Filters | undefined} */ (useAnswer("api/filters", "configuration").data);
  return [
    h(
      PageHead,
      { title: "Ingresses" },
      h(Total, null, rows.total !== undefined && plural(rows.total, "Ingress", "Ingresses")),
    ),
    h(Toolbar, { rows: "Ingresses", search: "Search name or host", query, filters }),
    virtualTable({
      name: "ingresses",
      caption: "Ingresses, by namespace and name",
      columns: COLUMNS,
      rows,
      empty: emptyText({ search, namespace, problems }),
    }),
  ];
}

/** @param {{ search: string | undefined, namespace: string | undefined, problems: string | undefined }} query */
function emptyText({ search, namespace, problems }) {
  const all = h("a", { href: linkTo(["ingresses"]) }, "show all Ingresses");
  if (search || namespace) {
    return h(Empty, { title: "No Ingress matches" }, "Search for less, or ", all, ".");
  }
  if (problems) {
    return h(Empty, { title: "No problems" }, "Every Ingress is served as it is written; ", all, ".");
  }
  return h(NothingServed, null);
}
