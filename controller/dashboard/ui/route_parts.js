/**
 * What is shown of a route wherever one is shown.
 *
 * @module
 */
import { h } from "preact";
import { useId, useState } from "preact/hooks";
import { IngressLink, Status } from "./components.js";
import { plural } from "./format.js";
import { linkTo } from "./router.js";

/** @typedef {import("../api.ts").EndpointView} EndpointView */
/** @typedef {import("../api.ts").RouteView} RouteView */
/** @typedef {import("./components.js").Tone} Tone */

/** A host, or the words for all of them. @param {string | undefined} host */
export function hostName(host) {
  return host ?? h("i", null, "every host");
}

/** @param {{ route: RouteView }} props */
export function RoutePath({ route: { path, type } }) {
  return [
    path === undefined ? h("i", null, "what no other takes") : h("code", null, path),
    h("span", { class: "tag" }, type),
  ];
}

/** @param {{ route: RouteView }} props */
export function RouteCertificate({ route: { certificate } }) {
  if (certificate === undefined) return h("span", { class: "dim" }, "HTTP only");
  return h(
    "a",
    { class: "ref", href: linkTo(["certificates"], { search: certificate }) },
    certificate.split("/")[1],
  );
}

/** @param {{ route: RouteView }} props */
export function RouteIngress({ route: { ingress, problems } }) {
  return [
    h(IngressLink, { ingress }),
    problems > 0 && h(Status, { tone: "warning" }, plural(problems, "problem")),
  ];
}

/** A Service and its port. @param {Pick<RouteView, "backend">} props */
export function Backend({ backend: { namespace, name, port } }) {
  return [h("span", { class: "dim" }, namespace, "/"), name, h("span", { class: "dim" }, ":", port)];
}

/** How many endpoints a backend has, in words. @param {EndpointView[]} endpoints @returns {{ tone: Tone, word: string }} */
export function endpointHealth(endpoints) {
  if (endpoints.length === 0) return { tone: "error", word: "No endpoints" };
  return { tone: "ok", word: plural(endpoints.length, "endpoint") };
}

/**
 * The endpoints' state, as a button that opens the list of them.
 *
 * @param {{ endpoints: EndpointView[] }} props
 */
export function Endpoints({ endpoints }) {
  const id = useId();
  const [isOpen, setOpen] = useState(false);
  const { tone, word } = endpointHealth(endpoints);
  if (endpoints.length === 0) return h(Status, { tone }, word);
  return [
    h("button", { type: "button", class: "plain", popovertarget: id }, h(Status, { tone }, word)),
    h(
      "div",
      {
        id,
        popover: "auto",
        class: "popover",
        onBeforeToggle: ({ newState }) => setOpen(newState === "open"),
        onToggle: placePopover,
      },
      isOpen && h(EndpointList, { endpoints }),
    ),
  ];
}

/** @param {{ endpoints: EndpointView[] }} props */
export function EndpointList({ endpoints }) {
  return h(
    "ul",
    { class: "endpoints", role: "list" },
    endpoints.map(({ address }) => h("li", null, h("code", null, address))),
  );
}

/** Below its button, and within the window. @param {ToggleEvent & { currentTarget: HTMLElement }} event */
function placePopover({ currentTarget: popover, newState }) {
  const button = popover.previousElementSibling;
  if (newState !== "open" || button === null) return;
  const { left, bottom, top } = button.getBoundingClientRect();
  const { offsetWidth, offsetHeight } = popover;
  popover.style.left = `${Math.max(8, Math.min(left, innerWidth - offsetWidth - 8))}px`;
  popover.style.top = `${bottom + offsetHeight + 8 > innerHeight ? top - offsetHeight - 4 : bottom + 4}px`;
}
