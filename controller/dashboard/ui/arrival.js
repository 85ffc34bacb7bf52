/**
 * What happens when another page is come to: where it is scrolled to, and what has the focus.
 *
 * @module
 */
import { useEffect, useRef } from "preact/hooks";

/** How long a page that is come back to may take to be as long as it was. */
const PATIENCE = 2000;

/** Where each entry of the history was left. @type {Map<number, number>} */
const positions = new Map();
let entries = 0;

/**
 * A new page begins at its top, one that is come back to is where it was left; the heading takes the focus.
 *
 * @param {import("./router.js").Place} place
 * @param {{ current: HTMLElement | null }} main
 */
export function useArrival({ path }, main) {
  const page = path.join("/");
  const isFirst = useRef(true);

  useEffect(() => {
    history.scrollRestoration = "manual";
    const remember = () => positions.set(history.state?.entry, scrollY);
    addEventListener("scroll", remember, { passive: true });
    return () => removeEventListener("scroll", remember);
  }, []);

  useEffect(() => {
    const entry = history.state?.entry;
    if (entry === undefined) history.replaceState({ entry: Date.now() + entries++ }, "");
    const end = scrollWhenLongEnough(positions.get(entry) ?? 0);
    if (!isFirst.current) main.current?.querySelector("h1")?.focus({ preventScroll: true });
    isFirst.current = false;
    return end;
  }, [page]);
}

/**
 * Scrolls as soon as the rows are there that make the page long enough.
 *
 * @param {number} top
 * @returns {() => void} gives up
 */
function scrollWhenLongEnough(top) {
  const deadline = performance.now() + PATIENCE;
  let frame = 0;
  function attempt() {
    scrollTo(0, top);
    if (scrollY < top - 1 && performance.now() < deadline) frame = requestAnimationFrame(attempt);
  }
  attempt();
  return () => cancelAnimationFrame(frame);
}
