/**
 * A table of thousands of rows, of which only those in sight are in the document. It scrolls with the page.
 *
 * @module
 */
import { h } from "preact";
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { Failure, Loading } from "./components.js";

/** @typedef {import("preact").ComponentChildren} Children */

/**
 * @template Row
 * @typedef {import("./paged_rows.js").Rows<Row>} Rows
 */

/**
 * A column of a table.
 *
 * @template Row
 * @typedef {object} Column
 * @property {string} key A class of its cells.
 * @property {string} title
 * @property {(row: Row, above: Row | undefined) => Children} cell
 */

/** Rows above and below those in sight, so that none is missing while the page moves. */
const OVERSCAN = 10;

/**
 * @template Row
 * @typedef {object} TableProps
 * @property {string} name A class of the table, by which the style sheet knows its columns.
 * @property {string} caption
 * @property {Column<Row>[]} columns
 * @property {Rows<Row>} rows
 * @property {Children} empty What is shown where there is no row.
 */

/**
 * A table, whose columns are checked to be those of its rows.
 *
 * @template Row
 * @param {TableProps<Row>} props
 */
export function virtualTable(props) {
  return h(VirtualTable, /** @type {TableProps<unknown>} */ (/** @type {unknown} */ (props)));
}

/** @param {TableProps<unknown>} props */
function VirtualTable({ name, caption, columns, rows, empty }) {
  const { total = 0 } = rows;
  const body = useRef(/** @type {HTMLElement | null} */ (null));
  const [sight, setSight] = useState({ first: 0, last: 0, height: 0 });
  const [focused, setFocused] = useState(-1);

  useLayoutEffect(() => {
    function look() {
      if (body.current === null) return;
      const height = parseFloat(getComputedStyle(body.current).getPropertyValue("--row-height"));
      const { top } = body.current.getBoundingClientRect();
      const first = clamp(Math.floor(-top / height) - OVERSCAN, total);
      const last = clamp(Math.ceil((innerHeight - top) / height) + OVERSCAN, total);
      setSight((old) =>
        old.first === first && old.last === last && old.height === height ? old : { first, last, height }
      );
    }
    look();
    addEventListener("scroll", look, { passive: true });
    addEventListener("resize", look);
    // what is above the table may grow and shrink
    const observer = new ResizeObserver(look);
    observer.observe(document.body);
    return () => {
      observer.disconnect();
      removeEventListener("scroll", look);
      removeEventListener("resize", look);
    };
  }, [total]);
  useLayoutEffect(() => rows.show(sight.first, sight.last), [sight.first, sight.last]);

  if (rows.total === undefined) {
    return rows.failure ? h(Failure, { failure: rows.failure }) : h(Loading, null);
  }
  if (total === 0) return empty;
  return [
    rows.failure && h(Failure, { failure: rows.failure }),
    h(
      "table",
      { class: `rows ${name}`, role: "table", "aria-rowcount": total + 1, "aria-busy": rows.isBusy },
      h("caption", { class: "sr-only" }, caption),
      h(
        "thead",
        { role: "rowgroup" },
        h(
          "tr",
          { role: "row", "aria-rowindex": "1" },
          columns.map(({ key, title }) => h("th", { role: "columnheader", scope: "col", class: key }, title)),
        ),
      ),
      h(
        "tbody",
        {
          ref: body,
          role: "rowgroup",
          style: { height: `${total * sight.height}px` },
          onFocusIn: (/** @type {FocusEvent} */ event) => setFocused(rowIndexOf(event.target)),
          onFocusOut: () => setFocused(-1),
        },
        indexes(sight, focused).map((index) =>
          h("tr", {
            key: index,
            role: "row",
            "aria-rowindex": index + 2,
            "data-index": index,
            style: { transform: `translateY(${index * sight.height}px)` },
          }, cells(columns, { row: rows.at(index), above: rows.at(index - 1) }))
        ),
      ),
    ),
  ];
}

/**
 * @template Row
 * @param {Column<Row>[]} columns
 * @param {{ row: Row | undefined, above: Row | undefined }} rows
 */
function cells(columns, { row, above }) {
  if (row === undefined) {
    return h(
      "td",
      { role: "cell", class: "coming" },
      h("span", { class: "bar" }),
      h("span", { class: "sr-only" }, "Loading"),
    );
  }
  return columns.map(({ key, cell }) => h("td", { role: "cell", class: key }, cell(row, above)));
}

/**
 * The rows in the document: those in sight, and the one that has the focus, which would be lost with it.
 *
 * @param {{ first: number, last: number }} sight
 * @param {number} focused
 */
function indexes({ first, last }, focused) {
  const inSight = Array.from({ length: last - first }, (_, index) => first + index);
  if (focused < 0) return inSight;
  if (focused < first) return [focused, ...inSight];
  return focused >= last ? [...inSight, focused] : inSight;
}

/** @param {EventTarget | null} target */
function rowIndexOf(target) {
  const row = target instanceof Element ? target.closest("tr") : null;
  return Number(row?.dataset.index ?? -1);
}

/** @param {number} index @param {number} total */
function clamp(index, total) {
  return Math.max(0, Math.min(index, total));
}
