/**
 * One Ingress: what was understood, and what is wrong.
 *
 * @module
 */
import { useState } from "preact/hooks";
import {
  Ago,
  Card,
  Empty,
  endpointHealth,
  EndpointList,
  Failure,
  Loading,
  PageHead,
  Problems,
  Status,
} from "./components.js";
import { useAnswer } from "./fetching.js";
import { plural } from "./format.js";
import { markup } from "./markup.js";
import { Icon } from "./icons.js";
import { hostName, RouteCertificate, RoutePath } from "./page_routes.js";
import { linkTo } from "./router.js";

/** @typedef {import("../api.ts").IngressView} IngressView */
/** @typedef {import("../api.ts").AnnotationView} AnnotationView */
/** @typedef {import("../api.ts").EventView} EventView */
/** @typedef {import("../api.ts").RouteView} RouteView */

/** @type {Record<AnnotationView["support"], import("./components.js").Tone>} */
const SUPPORT_TONES = {
  supported: "ok",
  accepted: "ok",
  different: "warning",
  unsupported: "warning",
  refused: "error",
};

/** @param {{ namespace: string, name: string }} props */
export function IngressPage({ namespace, name }) {
  const path = `api/ingresses/${encodeURIComponent(namespace)}/${encodeURIComponent(name)}`;
  const answer = useAnswer(path);
  const failure = answer.failure;
  const ingress = /** @type {IngressView | undefined} */ (answer.data);
  const crumb = markup`
    <nav aria-label="Breadcrumb" class="crumb">
      <a href=${linkTo(["ingresses"])}>Ingresses</a><span aria-hidden="true">/</span>
      <a href=${linkTo(["ingresses"], { namespace })}>${namespace}</a>
    </nav>
  `;
  if (failure?.status === 404) {
    return markup`
      <${PageHead} title=${name} crumb=${crumb} />
      <${Empty} title="No Ingress of this name is served">
        It was deleted, or its class is another one. <code>kubectl -n ${namespace} get ingress ${name}</code> shows
        it if it is there; see its <code>spec.ingressClassName</code>.
      </>
    `;
  }
  if (ingress === undefined) {
    return markup`
      <${PageHead} title=${name} crumb=${crumb} />
      ${failure ? markup`<${Failure} failure=${failure} />` : markup`<${Loading} lines=${8} />`}
    `;
  }
  const { className, createdAt, addresses, routes, problems, events, annotations, yaml } = ingress;
  return markup`
    <${PageHead} title=${name} crumb=${crumb}>
      <dl class="facts">
        <div>
          <dt>Class</dt>
          <dd>${className}</dd>
        </div>
        <div>
          <dt>Created</dt>
          <dd>${createdAt === undefined ? "–" : markup`<${Ago} at=${createdAt} />`}</dd>
        </div>
        <div>
          <dt>Addresses</dt>
          <dd>${addresses.length === 0 ? "none yet" : addresses.join(", ")}</dd>
        </div>
      </dl>
    </>
    ${failure && markup`<${Failure} failure=${failure} />`}
    ${
    problems.length > 0 && markup`
      <${Card} title="Problems" count=${problems.length}>
        <${Problems} problems=${problems} />
      </>
    `
  }
    <${Card} title="Routes" count=${routes.length} class="flush">
      ${
    routes.length === 0
      ? markup`<${Empty} title="Nothing is served for this Ingress">See its problems, or give it a rule.</>`
      : markup`<${RouteTable} routes=${routes} />`
  }
    </>
    <div class="columns even">
      <${Card} title="Annotations" count=${annotations.length}>
        ${
    annotations.length === 0
      ? markup`<${Empty} title="None that mean something to Pingress" />`
      : markup`<${Annotations} annotations=${annotations} />`
  }
      </>
      <${Card} title="Events" count=${events.length}>
        ${
    events.length === 0
      ? markup`<${Empty} title="No Events">Kubernetes keeps them for an hour.</>`
      : markup`<${Events} events=${events} />`
  }
      </>
    </div>
    <${Card} title="YAML" side=${markup`<${CopyButton} text=${yaml} />`} class="flush">
      <${Yaml} text=${yaml} />
    </>
  `;
}

/** @param {{ routes: RouteView[] }} props */
function RouteTable({ routes }) {
  return markup`
    <table class="plain-table stack">
      <caption class="sr-only">Routes of this Ingress</caption>
      <thead>
        <tr>
          ${
    ["Host", "Path", "Service", "Endpoints", "Certificate"].map((title) =>
      markup`<th scope="col">${title}</th>`
    )
  }
        </tr>
      </thead>
      <tbody>
        ${
    routes.map((route) => {
      const { host, backend, endpoints } = route;
      const { tone, word } = endpointHealth(endpoints);
      return markup`
            <tr>
              <td>${hostName(host)}</td>
              <td>
                <${RoutePath} route=${route} />
              </td>
              <td><span class="dim">${backend.namespace}/</span>${backend.name}<span class="dim">:${backend.port}</span></td>
              <td>
                <${Status} tone=${tone}>${word}</>
                ${endpoints.length > 0 && markup`<${EndpointList} endpoints=${endpoints} />`}
              </td>
              <td>
                <${RouteCertificate} route=${route} />
              </td>
            </tr>
          `;
    })
  }
      </tbody>
    </table>
  `;
}

/** @param {{ annotations: AnnotationView[] }} props */
function Annotations({ annotations }) {
  return markup`
    <ul class="annotations" role="list">
      ${
    annotations.map(({ name, value, support, note }) =>
      markup`
          <li>
            <div><code>${name}</code><${Status} tone=${SUPPORT_TONES[support]}>${support}</></div>
            <pre class="value">${value}</pre>
            ${note && markup`<p>${note}</p>`}
          </li>
        `
    )
  }
    </ul>
  `;
}

/** @param {{ events: EventView[] }} props */
function Events({ events }) {
  return markup`
    <ul class="events" role="list">
      ${
    events.map(({ at, type, reason, message, count }) =>
      markup`
          <li>
            <p class="problem-head">
              <${Status} tone=${type === "Warning" ? "warning" : "ok"}>${type}</>
              <span class="tag">${reason}</span>
              <span class="dim"><${Ago} at=${at} />${count > 1 && `, ${plural(count, "time")}`}</span>
            </p>
            <p>${message}</p>
          </li>
        `
    )
  }
    </ul>
  `;
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
  return markup`
    <button type="button" class="button small" onClick=${copy}>
      <${Icon} name="copy" /><span aria-live="polite">${word}</span>
    </button>
  `;
}

/** YAML with its keys in another colour. @param {{ text: string }} props */
function Yaml({ text }) {
  const lines = text.trimEnd().split("\n").map((line) => {
    const [, indent = "", key = "", rest = line] = /^([\s-]*)([^\s:#'"][^:#]*:)(?=\s|$)(.*)$/.exec(line) ??
      [];
    return markup`${indent}<span class="key">${key}</span>${rest}${"\n"}`;
  });
  return markup`<pre class="yaml" tabindex="0" aria-label="YAML of the Ingress" role="region">${lines}</pre>`;
}
