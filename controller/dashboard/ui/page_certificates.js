/**
 * The certificates, those that end first come first.
 *
 * @module
 */
import { Empty, IngressLink, PageHead, SearchBox, Status } from "./components.js";
import { useAnswer } from "./fetching.js";
import { expiry, formatDay, formatRelative, plural } from "./format.js";
import { markup } from "./markup.js";
import { useNow } from "./live.js";
import { rowsOf } from "./paged_rows.js";
import { changeQuery, linkTo } from "./router.js";
import { VirtualTable } from "./virtual_table.js";

/** @typedef {import("../api.ts").CertificateView} CertificateView */

/** @type {import("./virtual_table.js").Column<CertificateView>[]} */
const COLUMNS = [
  { key: "names", title: "Names", cell: ({ names }) => markup`<${List} items=${names} />` },
  { key: "issuer", title: "Issuer", cell: ({ issuer }) => issuer },
  { key: "expiry", title: "Ends", cell: ({ notAfter }) => markup`<${Expiry} notAfter=${notAfter} />` },
  {
    key: "users",
    title: "Used by",
    cell: ({ ingresses }) =>
      ingresses.length === 0 ? markup`<span class="dim">no Ingress</span>` : markup`
        <${IngressLink} ingress=${ingresses[0]} />
        ${
        ingresses.length > 1 &&
        markup`<span class="dim" title=${ingresses.map(nameOf).join("\n")}> and ${
          ingresses.length - 1
        } more</span>`
      }
      `,
  },
  { key: "secret", title: "Secret", cell: ({ secret }) => markup`<span class="dim">${secret}</span>` },
];

/** @param {{ place: import("./router.js").Place }} props */
export function CertificatesPage({ place: { query: { search = "" } } }) {
  const { data, failure } = useAnswer("api/certificates");
  const certificates = /** @type {CertificateView[] | undefined} */ (data);
  const matching = certificates?.filter((certificate) =>
    textOf(certificate).includes(search.trim().toLowerCase())
  );
  return markup`
    <${PageHead} title="Certificates">
      <p class="dim" role="status">${matching && plural(matching.length, "certificate")}</p>
    </>
    <div class="toolbar" role="search" aria-label="Certificates">
      <${SearchBox}
        label="Search name, issuer, Secret or Ingress"
        value=${search}
        onChange=${(/** @type {string} */ search) => changeQuery({ search })}
      />
    </div>
    <${VirtualTable}
      name="certificates"
      caption="Certificates, those that end first come first"
      columns=${COLUMNS}
      rows=${rowsOf(matching, failure)}
      empty=${
    search !== ""
      ? markup`
          <${Empty} title="No certificate matches">
            Search for less, or <a href=${linkTo(["certificates"])}>show all certificates</a>.
          </>
        `
      : markup`
          <${Empty} title="No certificates yet">
            Give an Ingress a <code>spec.tls</code> with the name of a Secret of type <code>kubernetes.io/tls</code>.
          </>
        `
  }
    />
  `;
}

/** @param {{ items: string[] }} props */
function List({ items: [first, ...more] }) {
  return markup`${first ?? markup`<i>none</i>`}${
    more.length > 0 && markup`<span class="dim" title=${more.join("\n")}> and ${more.length} more</span>`
  }`;
}

/** @param {{ notAfter: number }} props */
function Expiry({ notAfter }) {
  const now = useNow(60_000);
  const { tone, word } = expiry(notAfter, now);
  return markup`
    <${Status} tone=${tone}>${word}</>
    <span class="dim">${formatRelative(notAfter, now)}, ${formatDay(notAfter)}</span>
  `;
}

/** @param {{ namespace: string, name: string }} ingress */
function nameOf({ namespace, name }) {
  return `${namespace}/${name}`;
}

/** @param {CertificateView} certificate */
function textOf({ names, issuer, secret, ingresses }) {
  return [...names, issuer, secret, ...ingresses.map(nameOf)].join("\n").toLowerCase();
}
