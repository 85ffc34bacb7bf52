/**
 * Where would this URL go? Each step of the match, and what comes of it.
 *
 * @module
 */
import { useEffect, useState } from "preact/hooks";
import { Card, EndpointList, Failure, IngressLink } from "./components.js";
import { useAnswer } from "./fetching.js";
import { markup } from "./markup.js";
import { Icon } from "./icons.js";
import { changeQuery } from "./router.js";

/** @typedef {import("../api.ts").Explanation} Explanation */
/** @typedef {import("../api.ts").ExplanationStep} ExplanationStep */

/** @type {Record<ExplanationStep["candidates"][number]["verdict"], import("./icons.js").IconName>} */
const ICONS = { taken: "ok", "passed over": "none", "not reached": "none" };

/** @param {{ url: string }} props The URL that is asked for, from the page's place. */
export function UrlBox({ url }) {
  const [text, setText] = useState(url);
  useEffect(() => setText(url), [url]);
  const { data, failure } = useAnswer(url === "" ? undefined : `api/explain?url=${encodeURIComponent(url)}`);

  /** @param {SubmitEvent} event */
  function submit(event) {
    event.preventDefault();
    const typed = text.trim();
    changeQuery({ url: typed === "" || typed.includes("://") ? typed : `https://${typed}` });
  }
  return markup`
    <${Card} title="Where would this URL go?" class="url-box">
      <form onSubmit=${submit}>
        <label>
          <span class="sr-only">URL</span>
          <input
            type="text"
            inputmode="url"
            placeholder="https://shop.example.com/cart"
            value=${text}
            autocomplete="off"
            spellcheck=${false}
            onInput=${(/** @type {{ currentTarget: HTMLInputElement }} */ event) =>
    setText(event.currentTarget.value)}
          />
        </label>
        <button type="submit" class="button primary">Follow</button>
        ${
    url !== "" &&
    markup`<button type="button" class="button" onClick=${() => changeQuery({ url: "" })}>Clear</button>`
  }
      </form>
      <div aria-live="polite">
        ${failure && markup`<${Failure} failure=${failure} />`}
        ${data && markup`<${Answer} explanation=${data} />`}
      </div>
    </>
  `;
}

/** @param {{ explanation: Explanation }} props */
function Answer({ explanation: { url, steps, route, outcome } }) {
  const port = url.port === undefined ? "" : `:${url.port}`;
  return markup`
    <div class="explanation">
      <p class=${`outcome ${route === undefined ? "warning" : "ok"}`}>
        <${Icon} name=${route === undefined ? "warning" : "arrow"} /><span>${outcome}</span>
      </p>
      <p class="dim">Matched as <code>${url.scheme}://${url.host}${port}${url.path}</code></p>
      <ol class="steps">
        ${
    steps.map(({ title, candidates }) =>
      markup`
            <li>
              <h3>${title}</h3>
              <ul role="list">
                ${
        candidates.map(({ label, verdict, why }) =>
          markup`
                    <li class=${`candidate ${verdict.replace(" ", "-")}`}>
                      <${Icon} name=${ICONS[verdict]} />
                      <code>${label}</code>
                      <span class="verdict">${verdict}</span>
                      <span class="why">${why}</span>
                    </li>
                  `
        )
      }
              </ul>
            </li>
          `
    )
  }
      </ol>
      ${
    route && markup`
        <dl class="facts">
          <div>
            <dt>Ingress</dt>
            <dd>
              <${IngressLink} ingress=${route.ingress} />
            </dd>
          </div>
          <div>
            <dt>Service</dt>
            <dd>${route.backend.namespace}/${route.backend.name}:${route.backend.port}</dd>
          </div>
          <div>
            <dt>Endpoints</dt>
            <dd>
              <${EndpointList} endpoints=${route.endpoints} />
            </dd>
          </div>
        </dl>
      `
  }
    </div>
  `;
}
