/**
 * The rows of long lists, of which only parts are in the browser.
 *
 * @module
 */
import { useEffect, useState } from "preact/hooks";
import { ask, useLatest } from "./fetching.js";
import { useVersion } from "./live.js";
import { queryText } from "./router.js";

/** @typedef {import("./fetching.js").AnswerError} AnswerError */

/**
 * @template Row
 * @typedef {import("../api.ts").Page<Row>} Page
 */

/**
 * Rows by their place in the whole list.
 *
 * @template Row
 * @typedef {object} Rows
 * @property {number | undefined} total Nothing is known before the first answer.
 * @property {(index: number) => Row | undefined} at A row, if it is here already.
 * @property {(first: number, last: number) => void} show Says which rows are in sight.
 * @property {boolean} isBusy Newer rows are on their way.
 * @property {AnswerError | undefined} failure
 */

/** How many rows are asked for at once. */
const WINDOW = 100;

/**
 * The rows of a paged list of the server, of which windows are asked for as they come into sight.
 *
 * Old rows stay until newer ones have come: nothing flickers while somebody types, or while the configuration
 * changes.
 *
 * @template Row
 * @param {string} path such as `api/routes`
 * @param {Record<string, string | undefined>} query
 * @returns {Rows<Row>}
 */
export function usePagedRows(path, query) {
  const version = useVersion("figures");
  const [sight, setSight] = useState({ first: 0, last: 0 });
  const list = listOf(path, query);
  const [known, setKnown] = useState("");
  // of another list it is not known how long it is: it may have no row where the reader is
  const windows = known === list ? windowsIn(sight) : [0];
  const { data, failure, isBusy } = useLatest(`${list} ${windows}`, version, async (signal) => {
    const asked = windows.map((index) => ask(`${list}offset=${index * WINDOW}&limit=${WINDOW}`, signal));
    return { list, pages: /** @type {Page<Row>[]} */ (await Promise.all(asked)) };
  });
  useEffect(() => {
    if (data !== undefined) setKnown(data.list);
  }, [data]);
  return {
    total: data?.pages[0]?.total,
    at: (index) => {
      const page = data?.pages.find(({ offset, rows }) => index >= offset && index < offset + rows.length);
      return page?.rows[index - page.offset];
    },
    show: (first, last) => setSight({ first, last }),
    isBusy,
    failure,
  };
}

/**
 * The rows of a list that is here as a whole.
 *
 * @template Row
 * @param {Row[] | undefined} list
 * @param {AnswerError} [failure]
 * @returns {Rows<Row>}
 */
export function rowsOf(list, failure) {
  return {
    total: list?.length,
    at: (index) => list?.[index],
    show: () => {},
    isBusy: false,
    failure,
  };
}

/**
 * The windows that a part of a list touches.
 *
 * @param {{ first: number, last: number }} sight
 */
export function windowsIn({ first, last }) {
  const start = Math.floor(first / WINDOW);
  return Array.from({ length: Math.floor(last / WINDOW) - start + 1 }, (_, index) => start + index);
}

/**
 * @param {string} path
 * @param {Record<string, string | undefined>} query
 */
function listOf(path, query) {
  const search = queryText(query);
  return `${path}?${search === "" ? "" : `${search}&`}`;
}
