/**
 * The few icons there are. They say nothing that the text beside them does not, so that they are hidden from
 * those who listen.
 *
 * @module
 */
import { h } from "preact";

const PATHS = {
  overview: "M3 3h6v8H3zM11 3h6v4h-6zM11 9h6v8h-6zM3 13h6v4H3z",
  routes: "M3 10h5m0 0 4-5h5m-9 5 4 5h5m-2-12 2 2-2 2m0 6 2 2-2 2",
  ingresses: "M10 2.5 16.5 6v8L10 17.5 3.5 14V6zM3.8 6.2 10 9.6l6.2-3.4M10 9.6v7.6",
  certificates: "M10 2.5 16 5v4.5c0 4-2.5 6.500-6 8-3.500-1.500-6-4-6-8V5zM7.500 10l1.800 1.800 3.400-3.600",
  proxies: "M3 4h14v5H3zM3 11h14v5H3zM6 6.500h.01M6 13.500h.01M9.500 6.500H14M9.500 13.500H14",
  search: "M9 3.500a5.500 5.500 0 1 1 0 11 5.500 5.500 0 0 1 0-11M13 13l4 4",
  system: "M2.500 4h15v9.500h-15zM7 17h6M10 13.500V17",
  light:
    "M10 6.500a3.500 3.500 0 1 1 0 7 3.500 3.500 0 0 1 0-7M10 2v1.500M10 16.500V18M2 10h1.500M16.500 10H18M4.300 4.300l1.100 1.100M14.600 14.600l1.100 1.100M4.300 15.700l1.100-1.100M14.600 5.400l1.100-1.100",
  dark: "M16.500 12.200A7 7 0 0 1 7.800 3.500a7 7 0 1 0 8.700 8.700z",
  ok: "M4.500 10.500 8.500 14.500 15.500 6",
  warning: "M10 3 18 16.500H2zM10 8v4M10 14.300h.01",
  error: "M10 2.500a7.500 7.500 0 1 1 0 15 7.500 7.500 0 0 1 0-15M10 6v5M10 13.800h.01",
  none: "M5 10h10",
  arrow: "M4 10h12m-4-4 4 4-4 4",
  copy: "M7 7h10v10H7zM13 7V3H3v10h4",
};

/** @typedef {keyof typeof PATHS} IconName */

/** @param {{ name: IconName }} props */
export function Icon({ name }) {
  return h(
    "svg",
    { class: "icon", viewBox: "0 0 20 20", "aria-hidden": "true", focusable: "false" },
    h("path", { d: PATHS[name] }),
  );
}
