/**
 * Where Pingress does something else than ingress-nginx, and why. A difference that is not here fails the
 * comparison.
 *
 * @module
 */

/** A known difference. */
export interface Difference {
  /** What ingress-nginx does. */
  nginx: string;
  /** What Pingress does. */
  pingress: string;
  /** Why. */
  why: string;
}

/** All that are known, in the order in which they are told. */
export const DIFFERENCES = {
  specific: {
    nginx: "takes all paths that begin with an ImplementationSpecific `/app`, as `/apple`",
    pingress: "takes `/app` and what is below it, as with Prefix",
    why: "Kubernetes leaves it open; of two names that begin alike one is not meant by the other",
  },
  slash: {
    nginx: "sends `/dir` to `/dir/` (301) where only that is a path of the host, of whatever type",
    pingress: "takes it where `/dir/` is a Prefix, else answers 404",
    why: "Kubernetes: a Prefix `/dir/` matches `/dir`, and an Exact `/dir/` does not",
  },
  tidied: {
    nginx: "compares paths with `%64` decoded and `//` as one slash, and passes on what was sent",
    pingress: "compares and passes on what was sent",
    why: "a rule and a backend that read a path in different ways let in what a rule keeps out",
  },
  dots: {
    nginx: "resolves `.` and `..` for comparing, and passes on what was sent",
    pingress: "passes on what was compared",
    why: "RFC 3986, 6.2.2.3; else a detour would lead to what a rule keeps out",
  },
  reach: {
    nginx: "takes all paths of the host for regular expressions as soon as one Ingress has `use-regex` or " +
      "rewrites: `/headers` is taken by an Exact `/Header`",
    pingress: "takes those of that Ingress alone",
    why: "an Ingress must not change what another one says",
  },
  alternatives: {
    nginx: "looks for all but the first alternative of `/one|/two` anywhere in the path",
    pingress: "wants each of them at the beginning",
    why: "nobody means that",
  },
  decoded: {
    nginx: "puts groups into `rewrite-target` decoded, with one slash for several: `%2F` becomes `/`",
    pingress: "puts them in as they were sent",
    why: "a backend can tell `%2F` from `/`",
  },
  emptyQuery: {
    nginx: "drops an empty query, `/api?`, where it rewrites",
    pingress: "keeps it",
    why: "RFC 3986, 6.2.3: an empty query is not the same as none",
  },
  fallThrough: {
    nginx: "answers 404 for other paths of a host that has rules, though a wildcard host has rules for them",
    pingress: "serves them by those rules",
    why: "Kubernetes: whatever host and path match (docs/decisions/0003)",
  },
  aliasLabels: {
    nginx: "takes `b.a.example.com` for a `server-alias` of `*.example.com`",
    pingress: "takes names with one more label alone",
    why: "Kubernetes: so it is with the hosts of rules",
  },
  outside: {
    nginx: "sends `GET /../secret` where groups come to that, and `GET a` where a target has no slash",
    pingress: "answers 400 to the first one, and puts a slash before the second one",
    why: "RFC 9112, 3.2.1: a path begins with a slash, and none leads out of the root",
  },
  appRoot: {
    nginx: "makes a URL of `app-root`",
    pingress: "sends the path alone",
    why: "RFC 9110, 10.2.2: that is the same place, whichever port the client came by",
  },
  www: {
    nginx: "writes the port into the Location of `from-to-www-redirect`, and drops a slash at the end",
    pingress: "writes the port only where it is not the scheme's own, and keeps the slash",
    why: "it is the same URL, at another name",
  },
  lowerCase: {
    nginx: "redirects to HTTPS at the host as the client spells it",
    pingress: "spells it in lower case, without a dot at the end",
    why: "RFC 3986, 6.2.2.1: it is the same host, in one spelling",
  },
  redirectCode: {
    nginx: "answers with a `permanent-redirect-code` of 300, 304, 305 or 306, without a Location",
    pingress: "tells it, and answers 301",
    why: "a redirect that leads nowhere is a mistake",
  },
  vary: {
    nginx: "says nothing of caches where `cors-allow-origin` lists origins",
    pingress: "adds `Vary: Origin`",
    why: "the Fetch standard: a cache must not give one origin the answer for another one",
  },
  originStart: {
    nginx: "allows every origin that ends like one of the list: `xhttps://a.test` for `https://a.test`",
    pingress: "compares whole origins",
    why: "it is another origin",
  },
  hash: {
    nginx:
      "lets users of `auth-secret` in whose password is there in clear, or as another hash that crypt(3) knows",
    pingress: "tells it, and takes bcrypt, `$apr1$` and `{SHA}`",
    why: "a password in clear is for everybody who reads the Secret; bcrypt is what is to be used",
  },
  auth: {
    nginx: "tells the server of `auth-url` X-Original-URI and X-Scheme with `auth-method` alone",
    pingress: "always does",
    why: "it is of use with every method",
  },
  errors: {
    nginx:
      "asks `default-backend` for a page by the client's method, with its body, and says whose request it is " +
      "in X-Forwarded-For alone",
    pingress: "asks by GET or HEAD without a body, and says X-Forwarded-… and X-Real-IP, as to all backends",
    why: "the body is gone by then, and nothing but a page is wanted",
  },
  sizeFirst: {
    nginx: "answers 413 before it looks at redirects and at who may come in",
    pingress: "answers 413 when the body would be passed on",
    why: "those who may not come in need not know what else is wrong",
  },
  sizeDefault: {
    nginx: "takes bodies of at most 1 MiB unless told",
    pingress: "takes any: `--proxy-arg=--max-body-bytes=1048576` for all",
    why: "nothing is kept, so that a body costs no memory",
  },
  buffering: {
    nginx: "reads the whole body first, and sends its length",
    pingress: "passes it on as it comes, in chunks where its length was not sent",
    why: "the backend decides what it wants, and nothing waits",
  },
  cookiePath: {
    nginx: "writes the regular expression of a path into the Path of the affinity cookie",
    pingress: "writes `/`",
    why: "browsers would never send it",
  },
  port: {
    nginx: "says in X-Forwarded-Port by which port of its own the request came",
    pingress: "says the port in Host, which is the one that the client asked for",
    why: "behind a load balancer that is another one",
  },
  fields: {
    nginx: "sends `X-Forwarded-Scheme`, `X-Scheme` and `X-Original-Forwarded-…`, too",
    pingress: "does not, and passes on no scheme that a client says",
    why: "X-Forwarded-Proto says the same",
  },
  server: {
    nginx: "hides the backend's Server",
    pingress: "passes it on, and says `pingress` where there is none",
    why: "RFC 9110, 10.2.4: it is the backend's to say",
  },
  accel: {
    nginx: "takes `X-Accel-…` of backends as orders, and does not pass them on",
    pingress: "passes them on",
    why: "they are for nginx alone",
  },
  page: {
    nginx: "answers with a small page in HTML, a preflight with Content-Type and Content-Length",
    pingress:
      "answers with a line of text and `pingress-error`, which says why; redirects and preflights are empty",
    why: "RFC 9110, 8.6: a 204 has no Content-Length",
  },
} satisfies Record<string, Difference>;

/** The name of a known difference. */
export type DifferenceName = keyof typeof DIFFERENCES;

/** Facts that are not compared. */
export interface EverywhereFact {
  /** With which servers they are so. */
  where: readonly ("nginx" | "pingress")[];
  /** The facts. */
  facts: RegExp;
  /** The difference that they come from; where there is none they mean nothing. */
  why?: DifferenceName;
}

const BOTH = ["nginx", "pingress"] as const;

/** What is so with every request. */
export const EVERYWHERE: readonly EverywhereFact[] = [
  { where: BOTH, facts: /^(?:date|connection|transfer-encoding): / },
  // an id of its own making
  { where: BOTH, facts: /gets x-request-id: [-0-9a-f]{32,}$/ },
  // what Debian's nginx cannot leave out
  { where: ["nginx"], facts: /^server: nginx$/ },
  { where: ["pingress"], facts: /^server: /, why: "server" },
  { where: BOTH, facts: /^own /, why: "page" },
  { where: ["pingress"], facts: /^pingress-error: /, why: "page" },
  { where: ["nginx"], facts: /^(?:web|other) gets x-(?:forwarded-scheme|scheme): https?$/, why: "fields" },
  { where: ["nginx"], facts: /^(?:web|other) gets x-original-forwarded-(?:for|host): /, why: "fields" },
];

/** All differences as a table in Markdown. */
export function differenceTable(): string {
  const rows = Object.values(DIFFERENCES).map(({ nginx, pingress, why }) =>
    `| ${[nginx, pingress, why].map((text) => text.replaceAll("|", "\\|")).join(" | ")} |`
  );
  return ["| ingress-nginx | Pingress | why |", "| - | - | - |", ...rows].join("\n");
}
