/**
 * The filters above a long table. What they say is in the query of the place, so that it can be kept and sent.
 *
 * @module
 */
import { h } from "preact";
import { SearchBox, Switch } from "./components.js";
import { FilterBox } from "./filter_box.js";
import { changeQuery } from "./router.js";

/**
 * @param {object} props
 * @param {string} props.rows What is filtered.
 * @param {string} props.search What the search looks at.
 * @param {Record<string, string>} props.query
 * @param {import("../api.ts").Filters | undefined} props.filters What there is to choose from.
 * @param {import("preact").ComponentChildren} [props.children] More filters.
 */
export function Toolbar({ rows, search, query, filters, children }) {
  return h(
    "div",
    { class: "toolbar", role: "search", "aria-label": rows },
    h(SearchBox, {
      label: search,
      value: query.search ?? "",
      onChange: (search) => changeQuery({ search }),
    }),
    h(FilterBox, {
      label: "Namespace",
      all: "All namespaces",
      value: query.namespace ?? "",
      choices: filters?.namespaces ?? [],
      onChange: (namespace) => changeQuery({ namespace }),
    }),
    children,
    h(Switch, {
      label: "Problems only",
      isOn: query.problems === "1",
      onChange: (isOn) => changeQuery({ problems: isOn ? "1" : "" }),
    }),
  );
}
