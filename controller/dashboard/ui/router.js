/**
 * Which page is shown. The place is in the fragment, as `#/routes?search=shop`: the server needs to know no
 * page, and the dashboard works below any path that a proxy gives it.
 *
 * @module
 */
import { useEffect, useState } from "preact/hooks";

/**
 * @typedef {object} Place
 * @property {string[]} path The segments, decoded: `["ingresses", "default", "shop"]`.
 * @property {Record<string, string>} query
 */

/**
 * The place that a fragment means.
 *
 * @param {string} hash `location.hash`
 * @returns {Place}
 */
export function parsePlace(hash) {
  const [path = "", search = ""] = hash.replace(/^#?\/?/, "").split(/\?(.*)/s);
  return {
    path: path.split("/").filter((segment) => segment !== "").map(decode),
    query: Object.fromEntries(new URLSearchParams(search)),
  };
}

/**
 * The link to a place.
 *
 * @param {string[]} path
 * @param {Record<string, string | undefined>} [query]
 */
export function linkTo(path, query = {}) {
  const search = queryText(query);
  return `#/${path.map(encodeURIComponent).join("/")}${search === "" ? "" : `?${search}`}`;
}

/**
 * A query as it stands in a URL. What is empty is left out.
 *
 * @param {Record<string, string | undefined>} query
 */
export function queryText(query) {
  const given = Object.entries(query).flatMap(([key, value]) => value ? [[key, value]] : []);
  return new URLSearchParams(given).toString();
}

/**
 * The link to an Ingress's page.
 *
 * @param {{ namespace: string, name: string }} ingress
 */
export function linkToIngress({ namespace, name }) {
  return linkTo(["ingresses", namespace, name]);
}

/**
 * Changes the query of this place, without a new entry in the history: typing is no journey.
 *
 * @param {Record<string, string | undefined>} changes
 */
export function changeQuery(changes) {
  const { path, query } = parsePlace(location.hash);
  const link = linkTo(path, { ...query, ...changes });
  if (link === location.hash) return;
  history.replaceState(history.state, "", link);
  dispatchEvent(new Event("placechange"));
}

/**
 * The place that is shown.
 *
 * @returns {Place}
 */
export function usePlace() {
  const [place, setPlace] = useState(() => parsePlace(location.hash));
  useEffect(() => {
    const change = () => setPlace(parsePlace(location.hash));
    addEventListener("hashchange", change);
    addEventListener("placechange", change);
    return () => {
      removeEventListener("hashchange", change);
      removeEventListener("placechange", change);
    };
  }, []);
  return place;
}

/** A `%` that escapes nothing stands for itself. @param {string} text */
function decode(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
