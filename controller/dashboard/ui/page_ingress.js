/**
 * One Ingress: what was understood, and what is wrong.
 *
 * @module
 */
import { h } from "preact";
import { useState } from "preact/hooks";
import { Ago, Card, Empty, Fact, Failure, Loading, PageHead, Problems, Status } from "./components.js";
import { useAnswer } from "./fetching.js";
import { plural } from "./format.js";
import { Icon } from "./icons.js";
import {
  Backend,
  EndpointList,
  EndpointsStatus,
  hostName,
  RouteCertificate,
  RoutePath,
  RouteTraffic,
} from "./route_parts.js";
import { linkTo } from "./router.js";

/** @typedef {import("../api.ts").IngressView} IngressView */
/** @typedef {import("../api.ts").AnnotationView} AnnotationView */
/** @typedef {import("../api.ts").BackendView} BackendView */
/** @typedef {import("../api.ts").EventView} EventView */
/** @typedef {import("../api.ts").RouteView} RouteView */

/** @type {Record<AnnotationView["support"], { tone: import("./components.js").Tone, word: string }>} */
const SUPPORT = {
  supported: { tone: "ok", word: "supported" },
  different: { tone: "none", word: "differs" },
  accepted: { tone: "none", word: "nothing to do" },
  unsupported: { tone: "warning", word: "not supported" },
  refused: { tone: "error", word: "refused" },
};

/** @param {{ namespace: string, name: string }} props */
export function IngressPage({ namespace, name }) {
  const path = `api/ingresses/${encodeURIComponent(namespace)}/${encodeURIComponent(name)}`;
  const answer = useAnswer(path, "figures");
  const failure = answer.failure;
  const ingress = /** @type {IngressView | undefined} */ (answer.data);
  const crumb = h(
    "nav",
    { "aria-label": "Breadcrumb", class: "crumb" },
    h("a", { href: linkTo(["ingresses"]) }, "Ingresses"),
    h("span", { "aria-hidden": "true" }, "/"),
    h("a", { href: linkTo(["ingresses"], { namespace }) }, namespace),
  );
  if (failure?.status === 404) {
    return [
      h(PageHead, { title: name, crumb }),
      h(
        Empty,
        { title: "No Ingress of this name is served" },
        "It was deleted, or its class is another one. ",
        h("code", null, "kubectl -n ", namespace, " get ingress ", name),
        " shows it if it is there; see its ",
        h("code", null, "spec.ingressClassName"),
        ".",
      ),
    ];
  }
  if (ingress === undefined) {
    return [
      h(PageHead, { title: name, crumb }),
      failure ? h(Failure, { failure }) : h(Loading, null),
    ];
  }
  const { className, createdAt, addresses, routes, backends, problems, events, annotations, yaml } = ingress;
  return [
    h(
      PageHead,
      { title: name, crumb },
      h(
        "dl",
        { class: "facts" },
        h(Fact, { term: "Class" }, className),
        h(Fact, { term: "Created" }, createdAt === undefined ? "–" : h(Ago, { at: createdAt })),
        h(Fact, { term: "Addresses" }, addresses.length === 0 ? "none yet" : addresses.join(", ")),
      ),
    ),
    failure && h(Failure, { failure }),
    problems.length > 0 && h(Card, { title: "Problems", count: problems.length }, h(Problems, { problems })),
    h(
      Card,
      { title: "Routes", count: routes.length, class: "flush" },
      routes.length === 0
        ? h(Empty, { title: "Nothing is served for this Ingress" }, "See its problems, or give it a rule.")
        : h(RouteTable, { routes }),
    ),
    routes.some(({ endpoints }) => endpoints.total > 0) &&
    h(Card, { title: "Endpoints" }, h(Backends, { backends })),
    h(
      "div",
      { class: "columns even" },
      h(
        Card,
        { title: "Annotations", count: annotations.length },
        annotations.length === 0
          ? h(Empty, { title: "None that mean something to Pingress" })
          : h(Annotations, { annotations }),
      ),
      h(
        Card,
        { title: "Events", count: events.length },
        events.length === 0
          ? h(Empty, { title: "No Events" }, "Kubernetes keeps them for an hour.")
          : h(Events, { events }),
      ),
    ),
    h(Card, { title: "YAML", side: h(CopyButton, { text: yaml }), class: "flush" }, h(Yaml, { text: yaml })),
  ];
}

/** @param {{ routes: RouteView[] }} props */
function RouteTable({ routes }) {
  return h(
    "table",
    { class: "plain-table stack" },
    h("caption", { class: "sr-only" }, "Routes of this Ingress"),
    h(
      "thead",
      null,
      h(
        "tr",
        null,
        ["Host", "Path", "Service", "Endpoints", "Traffic", "Certificate"].map((title) =>
          h("th", { scope: "col" }, title)
        ),
      ),
    ),
    h(
      "tbody",
      null,
      routes.map((route) => {
        const { host, backend, endpoints } = route;
        return h(
          "tr",
          null,
          h("td", null, hostName(host)),
          h("td", null, h(RoutePath, { route })),
          h("td", null, h(Backend, { backend })),
          h("td", { class: "health" }, h(EndpointsStatus, { endpoints })),
          h("td", { class: "traffic" }, h(RouteTraffic, { route })),
          h("td", null, h(RouteCertificate, { route })),
        );
      }),
    ),
  );
}

/** What the routes lead to, each once. @param {{ backends: BackendView[] }} props */
function Backends({ backends }) {
  return h(
    "ul",
    { class: "backends", role: "list" },
    backends.filter(({ endpoints }) => endpoints.length > 0).map((backend) =>
      h("li", null, h("h3", null, h(Backend, { backend })), h(EndpointList, { backend }))
    ),
  );
}

/** @param {{ annotations: AnnotationView[] }} props */
function Annotations({ annotations }) {
  return h(
    "ul",
    { class: "annotations", role: "list" },
    annotations.map(({ name, value, support, note }) =>
      h(
        "li",
        null,
        h(
          "div",
          null,
          h("code", null, name),
          h(Status, { tone: SUPPORT[support].tone }, SUPPORT[support].word),
        ),
        h("pre", { class: "value" }, value),
        note && h("p", { class: "note" }, withCode(note)),
      )
    ),
  );
}

/** A text in which code stands between backticks. @param {string} text */
function withCode(text) {
  return text.split("`").map((part, index) => index % 2 === 0 ? part : h("code", null, part));
}

/** @param {{ events: EventView[] }} props */
function Events({ events }) {
  return h(
    "ul",
    { class: "events", role: "list" },
    events.map(({ at, type, reason, message, count }) =>
      h(
        "li",
        null,
        h(
          "p",
          { class: "problem-head" },
          h(Status, { tone: type === "Warning" ? "warning" : "ok" }, type),
          h("span", { class: "tag" }, reason),
          h("span", { class: "dim" }, h(Ago, { at }), count > 1 && `, ${plural(count, "time")}`),
        ),
        h("p", null, message),
      )
    ),
  );
}

/** @param {{ text: string }} props */
function CopyButton({ text }) {
  const [word, setWord] = useState("Copy");
  async function copy() {
    setWord(
      await navigator.clipboard.writeText(text).then(() => "Copied", () => "Select the text to copy it"),
    );
    setTimeout(() => setWord("Copy"), 2000);
  }
  // a page that came by HTTP from another host than localhost has no clipboard
  if (!globalThis.isSecureContext) return null;
  return h(
    "button",
    { type: "button", class: "button small", onClick: copy },
    h(Icon, { name: "copy" }),
    h("span", { "aria-live": "polite" }, word),
  );
}

/** YAML with its keys in another colour. @param {{ text: string }} props */
function Yaml({ text }) {
  const lines = text.trimEnd().split("\n").map((line) => {
    const [, indent = "", key = "", rest = line] = /^([\s-]*)([^\s:#'"-][^:#]*:)(?=\s|$)(.*)$/.exec(line) ??
      [];
    return [indent, h("span", { class: "key" }, key), rest, "\n"];
  });
  return h(
    "pre",
    { class: "yaml", tabindex: "0", "aria-label": "YAML of the Ingress", role: "region" },
    lines,
  );
}
