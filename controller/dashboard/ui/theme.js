/**
 * Light or dark: as the system says, unless somebody chose otherwise in this browser.
 *
 * @module
 */
import { useEffect, useState } from "preact/hooks";

/** @typedef {"system" | "light" | "dark"} Theme */

/** @type {Theme[]} */
const THEMES = ["system", "light", "dark"];
const KEY = "pingress-theme";

/**
 * The theme, and a function that goes on to the next one and remembers it.
 *
 * @returns {[theme: Theme, next: Theme, change: () => void]}
 */
export function useTheme() {
  const [theme, setTheme] = useState(currentTheme);
  const next = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length] ?? "system";
  return [theme, next, () => {
    localStorage.setItem(KEY, next);
    document.documentElement.dataset.theme = next;
    setTheme(next);
    dispatchEvent(new Event("themechange"));
  }];
}

/** @returns {Theme} */
function currentTheme() {
  return THEMES.find((theme) => theme === document.documentElement.dataset.theme) ?? "system";
}

/**
 * Changes with the colours of the page: for what is drawn on a canvas, which knows no style sheet.
 *
 * @returns {number}
 */
export function useColorsVersion() {
  const [version, setVersion] = useState(0);
  useEffect(() => {
    const media = matchMedia("(prefers-color-scheme: dark)");
    const bump = () => setVersion((old) => old + 1);
    media.addEventListener("change", bump);
    addEventListener("themechange", bump);
    return () => {
      media.removeEventListener("change", bump);
      removeEventListener("themechange", bump);
    };
  }, []);
  return version;
}
