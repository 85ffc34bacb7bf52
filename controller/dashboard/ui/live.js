/**
 * The stream of overviews, with what is known of the connection that brings it.
 *
 * @module
 */
import { createContext } from "preact";
import { useContext, useEffect, useState } from "preact/hooks";

/** @typedef {import("../api.ts").Overview} Overview */

/**
 * @typedef {object} Live
 * @property {"connecting" | "live" | "reconnecting"} state
 * @property {Overview} [overview] The last one; it stays while the connection is down.
 * @property {number} [seenAt] When it came.
 * @property {number} connection Which connection it is: what was missed between two of them is asked for anew.
 */

/** @typedef {"configuration" | "figures"} Follows Figures are new every few seconds. */

/**
 * A stream that is silent for longer is taken for dead: a broken port-forward does not say that it is. The server
 * says something every 15 seconds.
 */
const SILENCE = 45_000;
const SHORTEST_PAUSE = 1000;
const LONGEST_PAUSE = 10_000;

/**
 * Follows `api/live` for as long as the page is open.
 *
 * @returns {Live}
 */
export function useLiveStream() {
  const [live, setLive] = useState(/** @type {Live} */ ({ state: "connecting", connection: 0 }));
  useEffect(() => follow(setLive), []);
  return live;
}

/**
 * Connects, and again after every failure.
 *
 * @param {(change: (old: Live) => Live) => void} update
 * @returns {() => void} ends it
 */
function follow(update) {
  /** @type {EventSource | undefined} */
  let source;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  let connection = 0;
  let pause = SHORTEST_PAUSE;

  function connect() {
    connection++;
    source = new EventSource("api/live");
    source.addEventListener("overview", receive);
    // its own attempts end at the first answer that is no stream, such as a 502 of what stands between
    source.addEventListener("error", reconnect);
    watch();
  }

  function watch() {
    clearTimeout(timer);
    timer = setTimeout(reconnect, SILENCE);
  }

  /** @param {MessageEvent<string>} event */
  function receive(event) {
    pause = SHORTEST_PAUSE;
    watch();
    const overview = JSON.parse(event.data);
    update(() => ({ state: "live", overview, seenAt: Date.now(), connection }));
  }

  function reconnect() {
    end();
    update((old) => ({ ...old, state: "reconnecting" }));
    timer = setTimeout(connect, pause);
    pause = Math.min(pause * 2, LONGEST_PAUSE);
  }

  /** Browsers open few connections to a server, which pages that nobody sees would take from those in sight. */
  function look() {
    if (document.hidden) end();
    else connect();
  }

  function end() {
    source?.close();
    clearTimeout(timer);
  }

  look();
  document.addEventListener("visibilitychange", look);
  return () => {
    document.removeEventListener("visibilitychange", look);
    end();
  };
}

/** The stream, for every component below the shell. */
export const LiveContext = createContext(/** @type {Live} */ ({ state: "connecting", connection: 0 }));

/**
 * The last overview, if there is one yet.
 *
 * @returns {Overview | undefined}
 */
export function useOverview() {
  return useContext(LiveContext).overview;
}

/**
 * Changes when what a page shows may be out of date.
 *
 * @param {Follows} follows
 * @returns {string}
 */
export function useVersion(follows) {
  const { overview, connection } = useContext(LiveContext);
  if (overview === undefined) return "";
  const { changedAt, scrapedAt } = overview;
  return `${connection} ${changedAt} ${follows === "figures" ? scrapedAt : ""}`;
}

/**
 * The time, again and again.
 *
 * @param {number} [interval] in milliseconds
 */
export function useNow(interval = 1000) {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), interval);
    return () => clearInterval(timer);
  }, [interval]);
  return now;
}
