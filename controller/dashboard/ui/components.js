/**
 * What more than one page shows.
 *
 * @module
 */
import { h } from "preact";
import { useEffect, useId, useRef } from "preact/hooks";
import { formatRelative, formatTime, plural } from "./format.js";
import { Icon } from "./icons.js";
import { useNow } from "./live.js";
import { linkToIngress } from "./router.js";

/** @typedef {import("preact").ComponentChildren} Children */
/** @typedef {import("../api.ts").ProblemView} ProblemView */

/** @typedef {"ok" | "warning" | "error" | "none"} Tone How good something is: a colour, an icon, and always a word. */

/**
 * The head of a page. It takes the focus when the page is come to, so that those who listen hear where they
 * are.
 *
 * @param {{ title: Children, crumb?: Children, children?: Children }} props
 */
export function PageHead({ title, crumb, children }) {
  return h(
    "header",
    { class: "page-head" },
    h("div", null, crumb, h("h1", { tabindex: "-1" }, title)),
    h("div", { class: "page-head-side" }, children),
  );
}

/** @param {{ title: string, count?: number | undefined, side?: Children, class?: string, children?: Children }} props */
export function Card({ title, count, side, class: className = "", children }) {
  const id = useId();
  return h(
    "section",
    { class: `card ${className}`, "aria-labelledby": id },
    h(
      "header",
      { class: "card-head" },
      h("h2", { id }, title, count !== undefined && h("span", { class: "count" }, count)),
      side,
    ),
    children,
  );
}

/** A word with its colour and icon. @param {{ tone: Tone, children?: Children }} props */
export function Status({ tone, children }) {
  return h("span", { class: `status ${tone}` }, h(Icon, { name: tone }), h("span", null, children));
}

/** A moment, as the time since or until then; the moment itself when it is pointed at. @param {{ at: number }} props */
export function Ago({ at }) {
  const now = useNow();
  return h("time", { datetime: new Date(at).toISOString(), title: formatTime(at) }, formatRelative(at, now));
}

/** One of a list of facts, `dl.facts`. @param {{ term: string, children?: Children }} props */
export function Fact({ term, children }) {
  return h("div", null, h("dt", null, term), h("dd", null, children));
}

/** How many rows match: told to those who listen, too. @param {{ children?: Children }} props */
export function Total({ children }) {
  return h("p", { class: "dim", role: "status" }, children);
}

/** @param {{ ingress: { namespace: string, name: string } }} props */
export function IngressLink({ ingress }) {
  return h(
    "a",
    { class: "ref", href: linkToIngress(ingress) },
    h("span", { class: "dim" }, ingress.namespace, "/"),
    ingress.name,
  );
}

/** Problems with what to do about them. @param {{ problems: ProblemView[], withIngress?: boolean }} props */
export function Problems({ problems, withIngress = false }) {
  return h(
    "ul",
    { class: "problems", role: "list" },
    problems.map((problem) =>
      h(
        "li",
        null,
        h(Status, { tone: problem.severity }, problem.severity === "error" ? "Error" : "Warning"),
        h(
          "div",
          null,
          h(
            "p",
            { class: "problem-head" },
            // of what is wrong with all of them no Ingress is named
            withIngress && problem.name !== "" && h(IngressLink, { ingress: problem }),
            h("span", { class: "tag" }, problem.reason),
            problem.field && h("code", null, problem.field),
          ),
          h("p", null, problem.message),
        ),
      )
    ),
  );
}

/** What is shown where there is nothing: why, and what to do. @param {{ title: string, children?: Children }} props */
export function Empty({ title, children }) {
  return h(
    "div",
    { class: "empty" },
    h("p", { class: "empty-title" }, title),
    children && h("p", null, children),
  );
}

/** What is shown where there is no Ingress at all. */
export function NothingServed() {
  return h(
    Empty,
    { title: "No Ingress is served yet" },
    "Create one with ",
    h("code", null, "spec.ingressClassName: pingress"),
    "; it appears here within a second.",
  );
}

/** What is shown where an answer failed. @param {{ failure: Error }} props */
export function Failure({ failure }) {
  return h(
    "div",
    { class: "failure", role: "alert" },
    h(Icon, { name: "error" }),
    h("p", null, failure.message),
  );
}

/** Grey bars in the place of what is on its way. */
export function Loading() {
  return h(
    "div",
    { class: "loading" },
    h("span", { class: "sr-only" }, "Loading"),
    Array.from({ length: 8 }, () => h("span", { class: "bar" })),
  );
}

/**
 * A search box, which Ctrl+K goes to.
 *
 * @param {{ label: string, value: string, onChange: (value: string) => void }} props
 */
export function SearchBox({ label, value, onChange }) {
  const input = useRef(/** @type {HTMLInputElement | null} */ (null));
  useEffect(() => {
    /** @param {KeyboardEvent} event */
    function jump(event) {
      if (event.key !== "k" || !(event.ctrlKey || event.metaKey)) return;
      event.preventDefault();
      input.current?.select();
    }
    addEventListener("keydown", jump);
    return () => removeEventListener("keydown", jump);
  }, []);
  return h(
    "label",
    { class: "search" },
    h(Icon, { name: "search" }),
    h("span", { class: "sr-only" }, label),
    h("input", {
      ref: input,
      type: "search",
      placeholder: label,
      value,
      autocomplete: "off",
      spellcheck: false,
      "aria-keyshortcuts": "Control+K",
      onInput: (event) => onChange(event.currentTarget.value),
    }),
    h("kbd", { "aria-hidden": "true" }, "Ctrl K"),
  );
}

/** @param {{ label: string, isOn: boolean, onChange: (isOn: boolean) => void }} props */
export function Switch({ label, isOn, onChange }) {
  return h(
    "label",
    { class: "switch" },
    h("input", {
      type: "checkbox",
      checked: isOn,
      onChange: (event) => onChange(event.currentTarget.checked),
    }),
    h("span", null, label),
  );
}

/** How many errors and warnings, in words. @param {{ errors: number, warnings: number }} props */
export function ProblemCounts({ errors, warnings }) {
  if (errors + warnings === 0) return h(Status, { tone: "ok" }, "No problems");
  return [
    errors > 0 && h(Status, { tone: "error" }, plural(errors, "error")),
    warnings > 0 && h(Status, { tone: "warning" }, plural(warnings, "warning")),
  ];
}
