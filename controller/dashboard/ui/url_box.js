/**
 * Where would this URL go? Each step of the match, and what comes of it.
 *
 * @module
 */
import { h } from "preact";
import { useEffect, useState } from "preact/hooks";
import { Card, Fact, Failure, IngressLink } from "./components.js";
import { useAnswer } from "./fetching.js";
import { Icon } from "./icons.js";
import { Backend, EndpointList } from "./route_parts.js";
import { changeQuery } from "./router.js";

/** @typedef {import("../api.ts").Explanation} Explanation */
/** @typedef {import("../api.ts").ExplanationStep} ExplanationStep */

/** @type {Record<ExplanationStep["candidates"][number]["verdict"], import("./icons.js").IconName>} */
const ICONS = { taken: "ok", "passed over": "none", "not reached": "none" };

/** @param {{ url: string }} props The URL that is asked for, from the page's place. */
export function UrlBox({ url }) {
  const [text, setText] = useState(url);
  useEffect(() => setText(url), [url]);
  const { data, failure } = useAnswer(
    url === "" ? undefined : `api/explain?url=${encodeURIComponent(url)}`,
    "figures",
  );

  /** @param {SubmitEvent} event */
  function submit(event) {
    event.preventDefault();
    const typed = text.trim();
    changeQuery({ url: typed === "" || typed.includes("://") ? typed : `https://${typed}` });
  }
  return h(
    Card,
    { title: "Where would this URL go?", class: "url-box" },
    h(
      "form",
      { onSubmit: submit },
      h(
        "label",
        null,
        h("span", { class: "sr-only" }, "URL"),
        h("input", {
          type: "text",
          inputmode: "url",
          placeholder: "https://shop.example.com/cart",
          value: text,
          autocomplete: "off",
          spellcheck: false,
          onInput: (event) => setText(event.currentTarget.value),
        }),
      ),
      h("button", { type: "submit", class: "button primary" }, "Follow"),
      url !== "" &&
        h("button", { type: "button", class: "button", onClick: () => changeQuery({ url: "" }) }, "Clear"),
    ),
    h(
      "div",
      { "aria-live": "polite" },
      failure && h(Failure, { failure }),
      data && h(Answer, { explanation: data }),
    ),
  );
}

/** @param {{ explanation: Explanation }} props */
function Answer({ explanation: { url, steps, route, backend, outcome } }) {
  const port = url.port === undefined ? "" : `:${url.port}`;
  return h(
    "div",
    { class: "explanation" },
    h(
      "p",
      { class: `outcome ${route === undefined ? "warning" : "ok"}` },
      h(Icon, { name: route === undefined ? "warning" : "arrow" }),
      h("span", null, outcome),
    ),
    h("p", { class: "dim" }, "Matched as ", h("code", null, url.scheme, "://", url.host, port, url.path)),
    h(
      "ol",
      { class: "steps" },
      steps.map(({ title, candidates }) =>
        h(
          "li",
          null,
          h("h3", null, title),
          h(
            "ul",
            { role: "list" },
            candidates.map(({ label, verdict, why }) =>
              h(
                "li",
                { class: `candidate ${verdict.replace(" ", "-")}` },
                h(Icon, { name: ICONS[verdict] }),
                h("code", null, label),
                h("span", { class: "verdict" }, verdict),
                h("span", { class: "why" }, why),
              )
            ),
          ),
        )
      ),
    ),
    route &&
      h(
        "dl",
        { class: "facts" },
        h(Fact, { term: "Ingress" }, h(IngressLink, { ingress: route.ingress })),
        h(Fact, { term: "Service" }, h(Backend, { backend: route.backend })),
        backend && h(Fact, { term: "Endpoints" }, h(EndpointList, { backend })),
      ),
  );
}
