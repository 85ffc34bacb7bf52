/**
 * What more than one page shows.
 *
 * @module
 */
import { useEffect, useId, useRef } from "preact/hooks";
import { formatRelative, formatTime, plural } from "./format.js";
import { markup } from "./markup.js";
import { Icon } from "./icons.js";
import { useNow } from "./live.js";
import { linkToIngress } from "./router.js";

/** @typedef {import("./markup.js").Children} Children */
/** @typedef {import("../api.ts").ProblemView} ProblemView */
/** @typedef {import("../api.ts").EndpointView} EndpointView */

/** @typedef {"ok" | "warning" | "error" | "none"} Tone How good something is: a colour, an icon, and always a word. */

/**
 * The head of a page. It takes the focus when the page is come to, so that those who listen hear where they
 * are.
 *
 * @param {{ title: Children, crumb?: Children, children?: Children }} props
 */
export function PageHead({ title, crumb, children }) {
  return markup`
    <header class="page-head">
      <div>${crumb}<h1 tabindex="-1">${title}</h1></div>
      <div class="page-head-side">${children}</div>
    </header>
  `;
}

/** @param {{ title: string, count?: number | undefined, side?: Children, class?: string, children: Children }} props */
export function Card({ title, count, side, class: className = "", children }) {
  const id = useId();
  return markup`
    <section class=${`card ${className}`} aria-labelledby=${id}>
      <header class="card-head">
        <h2 id=${id}>${title}${
    count !== undefined && markup`
          <span class="count">${count}</span>
        `
  }</h2>
        ${side}
      </header>
      ${children}
    </section>
  `;
}

/** A word with its colour and icon. @param {{ tone: Tone, children: Children }} props */
export function Status({ tone, children }) {
  return markup`<span class=${`status ${tone}`}><${Icon} name=${tone} /><span>${children}</span></span>`;
}

/** A moment, as the time since or until then; the moment itself when it is pointed at. @param {{ at: number }} props */
export function Ago({ at }) {
  const now = useNow();
  return markup`<time datetime=${new Date(at).toISOString()} title=${formatTime(at)}>${
    formatRelative(at, now)
  }</time>`;
}

/** @param {{ ingress: { namespace: string, name: string } }} props */
export function IngressLink({ ingress }) {
  return markup`
    <a class="ref" href=${
    linkToIngress(ingress)
  }><span class="dim">${ingress.namespace}/</span>${ingress.name}</a>
  `;
}

/** Problems with what to do about them. @param {{ problems: ProblemView[], withIngress?: boolean }} props */
export function Problems({ problems, withIngress = false }) {
  return markup`
    <ul class="problems" role="list">
      ${
    problems.map((problem) =>
      markup`
          <li>
            <${Status} tone=${problem.severity}>${problem.severity === "error" ? "Error" : "Warning"}</>
            <div>
              <p class="problem-head">
                ${withIngress && markup`<${IngressLink} ingress=${problem} />`}
                <span class="tag">${problem.reason}</span>
                ${problem.field && markup`<code>${problem.field}</code>`}
              </p>
              <p>${problem.message}</p>
            </div>
          </li>
        `
    )
  }
    </ul>
  `;
}

/** What is shown where there is nothing: why, and what to do. @param {{ title: string, children?: Children }} props */
export function Empty({ title, children }) {
  return markup`<div class="empty"><p class="empty-title">${title}</p>${
    children && markup`<p>${children}</p>`
  }</div>`;
}

/** What is shown where an answer failed. @param {{ failure: Error }} props */
export function Failure({ failure }) {
  return markup`
    <div class="failure" role="alert">
      <${Icon} name="error" />
      <p>${failure.message}</p>
    </div>
  `;
}

/** Grey bars in the place of what is on its way. @param {{ lines?: number }} props */
export function Loading({ lines = 4 }) {
  return markup`
    <div class="loading">
      <span class="sr-only">Loading</span>
      ${Array.from({ length: lines }, () => markup`<span class="bar"></span>`)}
    </div>
  `;
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
  return markup`
    <label class="search">
      <${Icon} name="search" />
      <span class="sr-only">${label}</span>
      <input
        ref=${input}
        type="search"
        placeholder=${label}
        value=${value}
        autocomplete="off"
        spellcheck=${false}
        aria-keyshortcuts="Control+K"
        onInput=${(/** @type {{ currentTarget: HTMLInputElement }} */ event) =>
    onChange(event.currentTarget.value)}
      />
      <kbd aria-hidden="true">Ctrl K</kbd>
    </label>
  `;
}

/** @param {{ label: string, isOn: boolean, onChange: (isOn: boolean) => void }} props */
export function Switch({ label, isOn, onChange }) {
  return markup`
    <label class="switch">
      <input
        type="checkbox"
        checked=${isOn}
        onChange=${(/** @type {{ currentTarget: HTMLInputElement }} */ event) =>
    onChange(event.currentTarget.checked)}
      />
      <span>${label}</span>
    </label>
  `;
}

/** How well a backend's endpoints do, in words. @param {EndpointView[]} endpoints @returns {{ tone: Tone, word: string }} */
export function endpointHealth(endpoints) {
  const used = endpoints.filter(({ isPassedOver }) => isPassedOver !== true).length;
  if (endpoints.length === 0) return { tone: "error", word: "No endpoints" };
  if (used === 0) return { tone: "error", word: `All ${endpoints.length} passed over` };
  if (used < endpoints.length) return { tone: "warning", word: `${used} of ${endpoints.length} used` };
  return { tone: "ok", word: plural(used, "endpoint") };
}

/**
 * The endpoints' state, as a button that opens the list of them.
 *
 * @param {{ endpoints: EndpointView[] }} props
 */
export function Endpoints({ endpoints }) {
  const id = useId();
  const { tone, word } = endpointHealth(endpoints);
  if (endpoints.length === 0) return markup`<${Status} tone=${tone}>${word}</>`;
  return markup`
    <button type="button" class="plain"
      popovertarget=${id}><${Status} tone=${tone}>${word}</></button>
    <div id=${id} popover="auto" class="popover" onToggle=${placePopover}>
      <${EndpointList} endpoints=${endpoints} />
    </div>
  `;
}

/** @param {{ endpoints: EndpointView[] }} props */
export function EndpointList({ endpoints }) {
  return markup`
    <ul class="endpoints" role="list">
      ${
    endpoints.map(({ address, isPassedOver }) =>
      markup`
          <li>
            <code>${address}</code>
            <${Status} tone=${isPassedOver ? "warning" : "ok"}>${isPassedOver ? "passed over" : "used"}</>
          </li>
        `
    )
  }
    </ul>
  `;
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

/** How many errors and warnings, in words. @param {{ errors: number, warnings: number }} props */
export function ProblemCounts({ errors, warnings }) {
  if (errors + warnings === 0) return markup`<${Status} tone="ok">No problems</>`;
  return markup`
    ${errors > 0 && markup`<${Status} tone="error">${plural(errors, "error")}</>`}
    ${warnings > 0 && markup`<${Status} tone="warning">${plural(warnings, "warning")}</>`}
  `;
}
