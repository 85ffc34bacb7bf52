/**
 * The certificates, those that end first come first.
 *
 * @module
 */
import { h } from "preact";
import { Empty, IngressLink, PageHead, SearchBox, Status, Total } from "./components.js";
import { useAnswer } from "./fetching.js";
import { expiry, formatDay, formatRelative, plural } from "./format.js";
import { useNow } from "./live.js";
import { rowsOf } from "./paged_rows.js";
import { changeQuery, linkTo } from "./router.js";
import { virtualTable } from "./virtual_table.js";

/** @typedef {import("../api.ts").CertificateView} CertificateView */

/** @type {import("./virtual_table.js").Column<CertificateView>[]} */
const COLUMNS = [
  { key: "names", title: "Names", cell: ({ names }) => h(List, { items: names }) },
  { key: "issuer", title: "Issuer", cell: ({ issuer }) => issuer },
  { key: "expiry", title: "Ends", cell: ({ notAfter }) => h(Expiry, { notAfter }) },
  {
    key: "users",
    title: "Used by",
    cell: ({ ingresses, hosts }) => h(Users, { ingresses, isDefault: hosts.includes("*") }),
  },
  { key: "secret", title: "Secret", cell: ({ secret }) => h("span", { class: "dim" }, secret) },
];

/** @param {{ place: import("./router.js").Place }} props */
export function CertificatesPage({ place: { query: { search = "" } } }) {
  const { data, failure } = useAnswer("api/certificates", "configuration");
  const certificates = /** @type {CertificateView[] | undefined} */ (data);
  const matching = certificates?.filter((certificate) =>
    textOf(certificate).includes(search.trim().toLowerCase())
  );
  return [
    h(
      PageHead,
      { title: "Certificates" },
      h(Total, null, matching && plural(matching.length, "certificate")),
    ),
    h(
      "div",
      { class: "toolbar", role: "search", "aria-label": "Certificates" },
      h(SearchBox, {
        label: "Search name, issuer, Secret or Ingress",
        value: search,
        onChange: (search) => changeQuery({ search }),
      }),
    ),
    virtualTable({
      name: "certificates",
      caption: "Certificates, those that end first come first",
      columns: COLUMNS,
      rows: rowsOf(matching, failure),
      empty: search !== ""
        ? h(
          Empty,
          { title: "No certificate matches" },
          "Search for less, or ",
          h("a", { href: linkTo(["certificates"]) }, "show all certificates"),
          ".",
        )
        : h(
          Empty,
          { title: "No certificates yet" },
          "Give an Ingress a ",
          h("code", null, "spec.tls"),
          " with the name of a Secret of type ",
          h("code", null, "kubernetes.io/tls"),
          ".",
        ),
    }),
  ];
}

/** @param {{ items: string[] }} props */
function List({ items: [first, ...more] }) {
  return [
    first ?? h("i", null, "none"),
    h(More, { items: more }),
  ];
}

/** @param {Pick<CertificateView, "ingresses"> & { isDefault: boolean }} props */
function Users({ ingresses: [first, ...more], isDefault }) {
  const others = isDefault && h("span", { class: "dim" }, "names that have none ");
  if (first === undefined) return others || h("span", { class: "dim" }, "no Ingress");
  return [
    others,
    h(IngressLink, { ingress: first }),
    h(More, { items: more.map(nameOf) }),
  ];
}

/** How many more there are; which, when it is pointed at. @param {{ items: string[] }} props */
function More({ items }) {
  return items.length > 0 && h("span", { class: "dim", title: items.join("\n") }, " +", items.length);
}

/** @param {{ notAfter: number }} props */
function Expiry({ notAfter }) {
  const now = useNow(60_000);
  const { tone, word } = expiry(notAfter, now);
  return [
    h(Status, { tone }, word),
    h("span", { class: "dim" }, formatRelative(notAfter, now), ", ", formatDay(notAfter)),
  ];
}

/** @param {{ namespace: string, name: string }} ingress */
function nameOf({ namespace, name }) {
  return `${namespace}/${name}`;
}

/** @param {CertificateView} certificate */
function textOf({ names, issuer, secret, ingresses }) {
  return [...names, issuer, secret, ...ingresses.map(nameOf)].join("\n").toLowerCase();
}
