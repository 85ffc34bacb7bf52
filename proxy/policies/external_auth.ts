import { type ExternalAuth, isPassableField, parseAuthority } from "@pingress/config";
import { ProxyError } from "../errors.ts";
import type { DownstreamResponse, HeaderList } from "../exchange.ts";
import { FieldName } from "../http1/field_name.ts";
import { Fields } from "../http1/fields.ts";
import type { Ask, AskedServer } from "../upstream/ask.ts";
import type { UpstreamResponse } from "../upstream/round_trip.ts";
import type { Verdict } from "./access.ts";
import type { PolicyExchange } from "./policy.ts";
import { compileTemplate, type Expand } from "./variables.ts";

const CHALLENGE = FieldName.of("www-authenticate");
const SET_COOKIE = FieldName.of("set-cookie");

/** With these statuses the server's cookies are passed on, unless they always are. */
const COOKIE_STATUSES = new Set([200, 201, 204, 206, 301, 302, 303, 304, 307, 308]);

/** What only we tell the server; a client's own are dropped. */
const OURS = new Set([
  "x-auth-request-redirect",
  "x-original-method",
  "x-original-uri",
  "x-original-url",
  "x-scheme",
  "x-sent-from",
]);

/** What is to be passed on of the server's answer. */
interface Answer {
  cookies: string[];
  /** For the backend. */
  fields: HeaderList;
}

/** Has another server say who may come in: it is asked without content, and its status decides. */
export class ExternalAuthenticator {
  readonly #options: ExternalAuth;
  readonly #ask: Ask;
  readonly #names: readonly FieldName[];
  readonly #scheme: "http" | "https";
  readonly #authority: Expand;
  readonly #target: Expand;
  readonly #requestRedirect: Expand;
  readonly #signIn: Expand | undefined;
  readonly #answers = new WeakMap<PolicyExchange, Answer>();

  /** @throws {Error} for a URL that is none. */
  constructor(options: ExternalAuth, ask: Ask) {
    const [, scheme = "", authority, target = ""] = /^(https?):\/\/([^/?#@\s]+)(\S*)$/i.exec(options.url) ??
      [];
    if (authority === undefined) throw new Error(`${JSON.stringify(options.url)} is no URL of a server`);
    this.#options = options;
    this.#ask = ask;
    this.#names = (options.responseHeaders ?? []).map((name) => FieldName.of(name));
    this.#scheme = scheme.toLowerCase() === "https" ? "https" : "http";
    // which port the client says that it came by is nothing to rely on
    this.#authority = compileTemplate(authority.replaceAll(/\$http_host\b|\$\{http_host\}/g, "${host}"));
    this.#target = compileTemplate(target.startsWith("/") ? target : `/${target}`);
    this.#requestRedirect = compileTemplate(options.requestRedirect ?? "$request_uri");
    this.#signIn = options.signIn === undefined ? undefined : compileTemplate(options.signIn);
  }

  /** Asks the server. @throws {ProxyError} unless it says that the request may come in, or that it may not. */
  async check(exchange: PolicyExchange): Promise<Verdict> {
    const server = this.#server(exchange);
    const response = await this.#send(server, exchange);
    const { status, fields, body } = response;
    const cookies = fields.values(SET_COOKIE);
    const challenges = fields.values(CHALLENGE);
    const isIn = status >= 200 && status < 300;
    this.#answers.set(exchange, {
      cookies,
      fields: isIn ? valuesOf(fields, this.#names) : [],
    });
    // what has come with the head is taken, so that the connection can be used again; more is not waited for
    try {
      while (body?.arrived() !== undefined);
    } finally {
      body?.close();
    }
    if (isIn) return "in";
    if (status === 401) {
      return { reason: "unauthorized", fields: challenges.map((value) => ["www-authenticate", value]) };
    }
    if (status === 403) return { reason: "forbidden" };
    throw new ProxyError("auth_failed", `${urlOf(server)}: answered ${status} to who may come in`);
  }

  /** Where those sign in who must say who they are. */
  signInUrl(exchange: PolicyExchange): string | undefined {
    const { request, origin } = exchange;
    const { redirectParameter = "rd" } = this.#options;
    const url = this.#signIn?.(exchange);
    if (url === undefined) return undefined;
    const [, query] = url.split("?", 2);
    if (new URLSearchParams(query).get(redirectParameter)) return withoutSpaces(url);
    const back = `${origin.scheme}://${request.authority}${encodeURIComponent(request.target)}`;
    return withoutSpaces(`${url}${query === undefined ? "?" : "&"}${redirectParameter}=${back}`);
  }

  /** Tells the backend what the server said, and nothing else under the same names. */
  tellBackend(exchange: PolicyExchange): void {
    const { fields } = exchange.outgoing;
    if (this.#names.length === 0) return;
    fields.removeIf((field) => this.#names.some(({ text }) => text === field));
    for (const [name, value] of this.#answers.get(exchange)?.fields ?? []) fields.add(name, value);
  }

  /** Passes the server's cookies on. */
  tellClient({ status, fields }: DownstreamResponse, exchange: PolicyExchange): void {
    if (!this.#options.alwaysSetsCookie && !COOKIE_STATUSES.has(status)) return;
    for (const cookie of this.#answers.get(exchange)?.cookies ?? []) fields.add("set-cookie", cookie);
  }

  #server(exchange: PolicyExchange): AskedServer {
    const authority = parseAuthority(this.#authority(exchange));
    if (authority === undefined) throw new ProxyError("auth_failed", `${this.#options.url}: is no server`);
    return {
      key: this.#options.url,
      scheme: this.#scheme,
      hostname: authority.host.replace(/^\[(.*)\]$/, "$1"),
      port: authority.port ?? (this.#scheme === "https" ? 443 : 80),
    };
  }

  async #send(server: AskedServer, exchange: PolicyExchange): Promise<UpstreamResponse> {
    const { hostname } = server;
    try {
      return await this.#ask(server, {
        method: this.#options.method ?? "GET",
        target: withoutSpaces(this.#target(exchange)),
        authority: hostname.includes(":") ? `[${hostname}]` : hostname,
        fields: this.#fields(exchange),
        body: null,
        upgrade: undefined,
        cancellation: exchange.request.cancellation,
        inform: undefined,
      });
    } catch (error) {
      if (!(error instanceof ProxyError) || error.reason === "client_gone") throw error;
      throw new ProxyError("auth_failed", `${urlOf(server)}: ${error.message}`, { cause: error });
    }
  }

  /** All that the client sent, and what it asked for. */
  #fields(exchange: PolicyExchange): Fields {
    const { request, origin, target, requestId, outgoing } = exchange;
    const url = `${origin.scheme}://${request.authority}${target.forwarded}`;
    return Fields.of([
      ...outgoing.fields.list().filter(([name]) => isPassableField(name) && !OURS.has(name)),
      ["x-original-url", url],
      ["x-original-uri", target.forwarded],
      ["x-original-method", request.method],
      ["x-sent-from", "nginx-ingress-controller"],
      ["x-scheme", origin.scheme],
      ["x-real-ip", origin.address],
      ["x-forwarded-for", origin.address],
      ["x-auth-request-redirect", withoutSpaces(this.#requestRedirect(exchange))],
      ["x-request-id", requestId],
    ]);
  }
}

function valuesOf(fields: Fields, names: readonly FieldName[]): HeaderList {
  return names.flatMap((name) => fields.values(name).map((value): [string, string] => [name.text, value]));
}

function urlOf({ scheme, hostname, port }: AskedServer): string {
  return `${scheme}://${hostname}:${port}`;
}

/** What a client sent must not end a request line, nor a URL that another client reads. */
function withoutSpaces(url: string): string {
  return url.replaceAll(/[^\x21-\x7e]/g, (character) => encodeURIComponent(character));
}
