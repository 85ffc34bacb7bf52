import type { ServiceBackend, TlsFiles } from "./proxy_config.ts";

/** What may be said of a rule beyond where it leads. Everything that is missing is as it is without it. */
export interface RuleOptions {
  /** Every request is answered with 503, because of this: who may come in cannot be told. */
  closed?: string;
  /**
   * How the backend is spoken to: HTTP/1.1 unless told, over TLS with `HTTPS`, HTTP/2 in clear with `H2C`, gRPC
   * over HTTP/2 in clear or over TLS.
   */
  backendProtocol?: "HTTP" | "HTTPS" | "H2C" | "GRPC" | "GRPCS";
  /** Over TLS: the name that the backend is asked for and its certificate is checked for. */
  backendServerName?: string;
  /** Over TLS: is that name checked alone, and not asked for? */
  backendNameHidden?: boolean;
  /** Over TLS: must the backend's certificate be one that the system trusts, or {@linkcode backendTrust}? Not unless told. */
  backendVerify?: boolean;
  /** Over TLS: a PEM file of the authorities that are trusted instead of the system's. */
  backendTrust?: string;
  /** Over TLS: what we show the backend. */
  backendIdentity?: TlsFiles;
  /** Every request is sent to another URL. */
  redirect?: Redirect;
  /** Every request is sent to the same URL at another host. */
  hostRedirect?: HostRedirect;
  /** Requests over HTTP are sent to HTTPS. */
  httpsRedirect?: HttpsRedirect;
  /**
   * What takes the place of the path, or a URL that every request is sent to; `$1` to `$9` are groups of a `Regex`
   * path. The query stays.
   */
  rewrite?: string;
  /** X-Forwarded-Prefix; `$1` to `$9` as in {@linkcode rewrite}. */
  forwardedPrefix?: string;
  /** The Host that the backend gets. */
  upstreamHost?: string;
  /** The largest content of a request, in bytes, instead of the proxy's own limit; 0 for no limit. */
  maxBodyBytes?: number;
  /** How long a connection to the backend may take, in seconds. */
  connectTimeout?: number;
  /** How long the backend may do nothing, in seconds. */
  readTimeout?: number;
  /** How long the backend may take nothing, in seconds. */
  sendTimeout?: number;
  /** When a request is sent again. */
  retry?: Retry;
  /** Answers of some statuses are made by another backend. */
  errors?: CustomErrors;
  /** How endpoints are chosen, instead of the proxy's own way. */
  balance?: "least-requests" | "round-robin";
  /** Requests for which this text with variables is the same go to the same endpoint, as long as there is one. */
  hashBy?: string;
  /** A client's requests go to the same endpoint. */
  affinity?: CookieAffinity;
  /** Part of the requests goes to another backend. */
  canary?: Canary;
  /** Cross-origin requests from browsers (https://fetch.spec.whatwg.org/#http-cors-protocol). */
  cors?: Cors;
  /** Addresses (CIDR) that may come in; all of them unless told. */
  allow?: string[];
  /** Addresses (CIDR) that may not come in. */
  deny?: string[];
  /** How much one client may ask. */
  limit?: ClientLimit;
  /** Who may come in, by name and password. */
  basicAuth?: BasicAuth;
  /** Who may come in, by what another server says. */
  externalAuth?: ExternalAuth;
  /** Is one of addresses, password and the other server enough? All of them must agree unless told `any`. */
  satisfy?: "all" | "any";
  /** Fields of every response, instead of the backend's of the same name. */
  responseHeaders?: Record<string, string>;
  /** Strict-Transport-Security of every response over HTTPS. */
  strictTransportSecurity?: string;
  /** Are its requests in the access log? */
  accessLog?: boolean;
}

/** To another URL. */
export interface Redirect {
  /** The URL: all of it, for every path. Variables such as `$request_uri` may stand in it. */
  to: string;
  /** The status: 301, 302, 303, 307 or 308. */
  code: number;
}

/** To another host: the same scheme, port, path and query. */
export interface HostRedirect {
  /** The host, without port. */
  host: string;
  /** The status. */
  code: number;
}

/** From HTTP to HTTPS: the same host, path and query. */
export interface HttpsRedirect {
  /** The status. */
  code: number;
  /** Is a slash at the end kept? */
  keepsTrailingSlash?: boolean;
}

/** When a request is sent again. */
export interface Retry {
  /** Which failures count: the words of nginx's proxy_next_upstream. */
  on: string[];
  /** How often it may be sent in all; 0 for no limit. */
  attempts?: number;
  /** For how long, in seconds; 0 for no limit. */
  seconds?: number;
}

/** Answers by another backend. It gets the requests themselves as long as their own has no endpoint. */
export interface CustomErrors {
  /** The statuses, of the backend's answers and of our own. */
  codes: number[];
  /** Who makes the answers. */
  backend: ServiceBackend;
  /** The Ingress' name, which it is told. */
  ingress: string;
  /** Do the backend's own answers stay as they are? */
  ownOnly?: boolean;
}

/** Which endpoint a client had is in a cookie. */
export interface CookieAffinity {
  /** The cookie's name. */
  name: string;
  /** Does a client stay with its endpoint when there are more? Unless told some are moved to new ones. */
  isPersistent?: boolean;
  /** Is another one chosen, and told, when it cannot be reached? */
  changesOnFailure?: boolean;
  /** The cookie's attributes, but for Secure, which follows the connection; times are in seconds. */
  attributes: { expires?: number; maxAge?: number; domain?: string; path?: string; sameSite?: string };
  /** Is the cookie for HTTPS alone, whatever the connection is? */
  isSecure?: boolean;
  /** Is `SameSite=None` left out for browsers that would drop such a cookie? */
  omitsSameSiteNone?: boolean;
}

/** Another backend for part of the requests: header, then cookie, then weight decide. */
export interface Canary {
  /** Where they go. */
  backend: ServiceBackend;
  /** How many of {@linkcode total} go there by chance. */
  weight?: number;
  /** 100 unless told. */
  total?: number;
  /** The header that decides: `always`, `never`, or one of the next two. */
  header?: string;
  /** The header's value that leads there. */
  headerValue?: string;
  /** A regular expression for such values. */
  headerPattern?: string;
  /** The cookie that decides: `always` or `never`. */
  cookie?: string;
  /** Does the rule's affinity not count for it? */
  ignoresAffinity?: boolean;
}

/** What browsers may do from other origins. */
export interface Cors {
  /** `*`, or origins, with `*.` for any name of one label below another. */
  origins: string[];
  /** Access-Control-Allow-Methods. */
  methods: string;
  /** Access-Control-Allow-Headers. */
  headers: string;
  /** May cookies be sent? */
  credentials: boolean;
  /** How long a preflight's answer is good, in seconds; -1 for not at all. */
  maxAge: number;
  /** Access-Control-Expose-Headers. */
  exposes?: string;
}

/** How much one client, that is one address, may ask. */
export interface ClientLimit {
  /** What counts together: the Ingress. */
  key: string;
  /** Requests a second. */
  perSecond?: number;
  /** Requests a minute. */
  perMinute?: number;
  /** How many times as many may come at once. */
  burst: number;
  /** Requests at a time. */
  connections?: number;
  /** Addresses (CIDR) that do not count. */
  except?: string[];
}

/** Name and password (RFC 7617). */
export interface BasicAuth {
  /** What the password is for. */
  realm: string;
  /** The path of a file in the format of htpasswd. */
  users: string;
}

/** Another server decides. */
export interface ExternalAuth {
  /** Its URL, with variables; the server's name may have `$host` alone, and that only in a rule with a host. */
  url: string;
  /** How it is asked; GET unless told. */
  method?: string;
  /** Where a browser that may not come in is sent, with variables. */
  signIn?: string;
  /** The parameter of {@linkcode signIn} with the URL that was asked for. */
  redirectParameter?: string;
  /** Fields of its answer that the backend gets. */
  responseHeaders?: string[];
  /** Are its cookies passed on with every status? */
  alwaysSetsCookie?: boolean;
  /** X-Auth-Request-Redirect; the request's own target unless told. */
  requestRedirect?: string;
}
