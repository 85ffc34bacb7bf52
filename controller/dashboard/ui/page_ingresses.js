/**
 * All Ingresses that are served.
 *
 * @module
 */
import { Empty, IngressLink, PageHead, ProblemCounts, SearchBox, Switch } from "./components.js";
import { useAnswer } from "./fetching.js";
import { FilterBox } from "./filter_box.js";
import { plural } from "./format.js";
import { markup } from "./markup.js";
import { usePagedRows } from "./paged_rows.js";
import { changeQuery, linkTo } from "./router.js";
import { VirtualTable } from "./virtual_table.js";

/** @typedef {import("../api.ts").IngressRow} IngressRow */
/** @typedef {import("../api.ts").Filters} Filters */

/** @type {import("./virtual_table.js").Column<IngressRow>[]} */
const COLUMNS = [
  { key: "ingress", title: "Ingress", cell: (row) => markup`<${IngressLink} ingress=${row} />` },
  {
    key: "hosts",
    title: "Hosts",
    cell: ({ hosts }) => hosts.length === 0 ? markup`<i>every host</i>` : hosts.join(", "),
  },
  { key: "number", title: "Routes", cell: ({ routes }) => plural(routes, "route") },
  { key: "state", title: "State", cell: (row) => markup`<${ProblemCounts} ...${row} />` },
];

/** @param {{ place: import("./router.js").Place }} props */
export function IngressesPage({ place: { query: { search, namespace, problems } } }) {
  const rows = usePagedRows("api/ingresses", { search, namespace, problems });
  const filters = /** @type {Filters | undefined} */ (useAnswer("api/filters").data);
  return markup`
    <${PageHead} title="Ingresses">
      <p class="dim" role="status">${
    rows.total !== undefined &&
    plural(rows.total, "Ingress", "Ingresses")
  }</p>
    </>
    <div class="toolbar" role="search" aria-label="Ingresses">
      <${SearchBox}
        label="Search name or host"
        value=${search ?? ""}
        onChange=${(/** @type {string} */ search) => changeQuery({ search })}
      />
      <${FilterBox}
        label="Namespace"
        all="All namespaces"
        value=${namespace ?? ""}
        choices=${filters?.namespaces ?? []}
        onChange=${(/** @type {string} */ namespace) => changeQuery({ namespace })}
      />
      <${Switch}
        label="Problems only"
        isOn=${problems === "1"}
        onChange=${(/** @type {boolean} */ isOn) => changeQuery({ problems: isOn ? "1" : "" })}
      />
    </div>
    <${VirtualTable}
      name="ingresses"
      caption="Ingresses, by namespace and name"
      columns=${COLUMNS}
      rows=${rows}
      empty=${emptyText({ search, namespace, problems })}
    />
  `;
}

/** @param {{ search: string | undefined, namespace: string | undefined, problems: string | undefined }} query */
function emptyText({ search, namespace, problems }) {
  const all = markup`<a href=${linkTo(["ingresses"])}>show all Ingresses</a>`;
  if (search || namespace) {
    return markup`<${Empty} title="No Ingress matches">Search for less, or ${all}.</>`;
  }
  if (problems) {
    return markup`<${Empty} title="No problems">Every Ingress is served as it is written; ${all}.</>`;
  }
  return markup`
    <${Empty} title="No Ingress is served yet">
      Create one with <code>spec.ingressClassName: pingress</code>; it appears here within a second.
    </>
  `;
}
