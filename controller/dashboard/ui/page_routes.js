/**
 * All routes, and the way of a URL through them.
 *
 * @module
 */
import { Empty, Endpoints, IngressLink, PageHead, SearchBox, Status, Switch } from "./components.js";
import { useAnswer } from "./fetching.js";
import { plural } from "./format.js";
import { FilterBox } from "./filter_box.js";
import { markup } from "./markup.js";
import { usePagedRows } from "./paged_rows.js";
import { changeQuery, linkTo } from "./router.js";
import { UrlBox } from "./url_box.js";
import { VirtualTable } from "./virtual_table.js";

/** @typedef {import("../api.ts").RouteView} RouteView */
/** @typedef {import("../api.ts").Filters} Filters */

/** @type {import("./virtual_table.js").Column<RouteView>[]} */
const COLUMNS = [
  {
    key: "host",
    title: "Host",
    cell: ({ host }, above) =>
      markup`
        <span class=${above?.host === host && above !== undefined ? "same" : ""} title=${host}>${
        hostName(host)
      }</span>
      `,
  },
  { key: "path", title: "Path", cell: (route) => markup`<${RoutePath} route=${route} />` },
  {
    key: "service",
    title: "Service",
    cell: ({ backend }) =>
      markup`<span class="dim">${backend.namespace}/</span>${backend.name}<span class="dim">:${backend.port}</span>`,
  },
  {
    key: "health",
    title: "Endpoints",
    cell: ({ endpoints }) => markup`<${Endpoints} endpoints=${endpoints} />`,
  },
  {
    key: "certificate",
    title: "Certificate",
    cell: (route) => markup`<${RouteCertificate} route=${route} />`,
  },
  {
    key: "ingress",
    title: "Ingress",
    cell: ({ ingress, problems }) =>
      markup`
        <${IngressLink} ingress=${ingress} />
        ${problems > 0 && markup`<${Status} tone="warning">${plural(problems, "problem")}</>`}
      `,
  },
];

/** @param {{ place: import("./router.js").Place }} props */
export function RoutesPage({ place: { query } }) {
  const { search, namespace, host, problems } = query;
  const rows = usePagedRows("api/routes", { search, namespace, host, problems });
  const { data: filters } = useAnswer("api/filters");
  return markup`
    <${PageHead} title="Routes">
      <${Total} total=${rows.total} />
    </>
    <${UrlBox} url=${query.url ?? ""} />
    <div class="toolbar" role="search" aria-label="Routes">
      <${SearchBox}
        label="Search host, path, Service or Ingress"
        value=${search ?? ""}
        onChange=${(/** @type {string} */ search) => changeQuery({ search })}
      />
      <${FilterBox}
        label="Namespace"
        all="All namespaces"
        value=${namespace ?? ""}
        choices=${/** @type {Filters | undefined} */ (filters)?.namespaces ?? []}
        onChange=${(/** @type {string} */ namespace) => changeQuery({ namespace })}
      />
      <${FilterBox}
        label="Host"
        all="All hosts"
        value=${host ?? ""}
        choices=${/** @type {Filters | undefined} */ (filters)?.hosts ?? []}
        onChange=${(/** @type {string} */ host) => changeQuery({ host })}
      />
      <${Switch}
        label="Problems only"
        isOn=${problems === "1"}
        onChange=${(/** @type {boolean} */ isOn) => changeQuery({ problems: isOn ? "1" : "" })}
      />
    </div>
    <${VirtualTable}
      name="routes"
      caption="Routes, sorted by host and path"
      columns=${COLUMNS}
      rows=${rows}
      empty=${
    search || namespace || host || problems
      ? markup`
          <${Empty} title="No route matches">
            Search for less, or <a href=${linkTo(["routes"])}>show all routes</a>.
          </>
        `
      : markup`
          <${Empty} title="No routes yet">
            Create an Ingress with <code>spec.ingressClassName: pingress</code>; its routes appear here within a second.
          </>
        `
  }
    />
  `;
}

/** How many rows match: told to those who listen, too. @param {{ total: number | undefined }} props */
function Total({ total }) {
  return markup`<p class="dim" role="status">${total !== undefined && plural(total, "route")}</p>`;
}

/** A host, or the words for all of them. @param {string | undefined} host */
export function hostName(host) {
  return host ?? markup`<i>every host</i>`;
}

/** @param {{ route: RouteView }} props */
export function RoutePath({ route: { path, type } }) {
  return markup`
    ${path === undefined ? markup`<i>what no other takes</i>` : markup`<code>${path}</code>`}
    <span class="tag">${type}</span>
  `;
}

/** @param {{ route: RouteView }} props */
export function RouteCertificate({ route: { certificate } }) {
  if (certificate === undefined) return markup`<span class="dim">HTTP only</span>`;
  return markup`<a class="ref" href=${linkTo(["certificates"], { search: certificate })}>${
    certificate.split("/")[1]
  }</a>`;
}
