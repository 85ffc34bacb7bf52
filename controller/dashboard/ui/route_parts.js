/**
 * What is shown of a route wherever one is shown.
 *
 * @module
 */
import { h } from "preact";
import { useId, useLayoutEffect, useRef, useState } from "preact/hooks";
import { Failure, IngressLink, Status } from "./components.js";
import { useAnswer } from "./fetching.js";
import { endpointsState, endpointState, formatCount, formatRate, formatShare, plural } from "./format.js";
import { linkTo, queryText } from "./router.js";

/** @typedef {import("../api.ts").BackendView} BackendView */
/** @typedef {import("../api.ts").EndpointCounts} EndpointCounts */
/** @typedef {import("../api.ts").RouteView} RouteView */

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

/**
 * What the proxies send to a route's Service, by whichever route.
 *
 * @param {{ route: RouteView }} props
 */
export function RouteTraffic({ route: { traffic } }) {
  if (traffic === undefined) return h("span", { class: "dim" }, formatRate(undefined));
  const { rate, errorShare } = traffic;
  return [
    h(
      "span",
      { title: `Of all routes to this Service; ${formatShare(errorShare)} of 5xx` },
      formatRate(rate),
      "/s",
    ),
    errorShare > 0 &&
    h(Status, { tone: errorShare < MANY_ERRORS ? "warning" : "error" }, formatShare(errorShare)),
  ];
}

/** How a backend's endpoints do. @param {{ endpoints: EndpointCounts }} props */
export function EndpointsStatus({ endpoints }) {
  const { tone, word } = endpointsState(endpoints);
  const isUnknown = endpoints.total > 0 && endpoints.unknown === endpoints.total;
  return h(Status, { tone }, word, isUnknown && h("span", { class: "sr-only" }, ", their state is unknown"));
}

/**
 * The same, as a button that opens the list of them.
 *
 * @param {{ route: RouteView }} props
 */
export function Endpoints({ route: { backend, endpoints } }) {
  const id = useId();
  const [isOpen, setOpen] = useState(false);
  const popover = useRef(/** @type {HTMLElement | null} */ (null));
  if (endpoints.total === 0) return h(EndpointsStatus, { endpoints });
  return [
    h(
      "button",
      { type: "button", class: "plain", popovertarget: id },
      h(EndpointsStatus, { endpoints }),
    ),
    h(
      "div",
      {
        id,
        ref: popover,
        popover: "auto",
        class: "popover",
        onBeforeToggle: ({ newState }) => setOpen(newState === "open"),
        onToggle: () => placePopover(popover.current),
      },
      isOpen && h(AskedEndpoints, { backend, onChange: () => placePopover(popover.current) }),
    ),
  ];
}

/**
 * The endpoints of a backend, of which there may be thousands: they are asked for when somebody wants to see them.
 *
 * @param {{ backend: RouteView["backend"], onChange: () => void }} props
 */
function AskedEndpoints({ backend: { namespace, name, port }, onChange }) {
  const query = queryText({ backend: `${namespace}/${name}:${port}` });
  const { data, failure } = useAnswer(`api/endpoints?${query}`, "figures");
  const backend = /** @type {BackendView | undefined} */ (data);
  useLayoutEffect(onChange, [backend?.endpoints.length, failure]);
  if (backend !== undefined) return h(EndpointList, { backend });
  return failure ? h(Failure, { failure }) : h("p", { class: "dim" }, "Loading");
}

/** From this share of 5xx on it is an error, as in the alerts. */
const MANY_ERRORS = 0.05;

/** So many endpoints are in sight at first; those come first that are passed over. */
const FEW = 20;

/** Each endpoint of a backend, and how it does. @param {{ backend: BackendView }} props */
export function EndpointList({ backend }) {
  const { proxies, endpoints } = backend;
  const [isWhole, setWhole] = useState(false);
  const shown = isWhole ? endpoints : endpoints.slice(0, FEW);
  return [
    h(
      "ul",
      { class: "endpoints", role: "list" },
      shown.map((endpoint) => {
        const { tone, word } = endpointState(endpoint, proxies);
        return h("li", null, h("code", null, endpoint.address), h(Status, { tone }, word));
      }),
    ),
    shown.length < endpoints.length &&
    h(
      "button",
      { type: "button", class: "button small", onClick: () => setWhole(true) },
      `Show all ${formatCount(endpoints.length)}`,
    ),
    endpoints.length > 0 && h(EndpointNote, { backend }),
  ];
}

/** What those words mean. @param {{ backend: BackendView }} props */
function EndpointNote({ backend: { proxies, endpoints } }) {
  if (proxies === 0) return h("p", { class: "sub" }, "No proxy says which endpoints it passes over.");
  if (!endpoints.some(({ passedOver = 0 }) => passedOver > 0)) return null;
  return h(
    "p",
    { class: "sub" },
    "A proxy passes over an endpoint that it could not reach, and tries it again after 1 to 30 seconds. ",
    "Where all are passed over, all are tried.",
  );
}

/** Below its button, and within the window. @param {HTMLElement | null} popover */
function placePopover(popover) {
  const button = popover?.previousElementSibling;
  if (!popover?.matches(":popover-open") || !button) return;
  const { left, bottom, top } = button.getBoundingClientRect();
  // where it is narrows it
  popover.style.left = "0";
  const { offsetWidth, offsetHeight } = popover;
  popover.style.left = `${Math.max(8, Math.min(left, innerWidth - offsetWidth - 8))}px`;
  popover.style.top = `${bottom + offsetHeight + 8 > innerHeight ? top - offsetHeight - 4 : bottom + 4}px`;
}
