import { domainToASCII } from "node:url";
import {
  ComparedPath,
  EVERY_NAME,
  parseAuthority,
  parseTarget,
  parseTemplate,
  PathRegex,
  type ProxyConfig,
  type Rule,
  type RuleOptions,
  serviceKey,
  wildcardOf,
} from "@pingress/config";
import { certificateOf, pathType } from "../check/route_table.ts";
import type { Translation } from "../translate/translate.ts";
import type { Explanation, ExplanationStep, RouteView } from "./api.ts";

type Candidate = ExplanationStep["candidates"][number];

/** A URL, as proxies see it. */
export type AskedUrl = Explanation["url"];

/** What is asked for is no URL that a proxy would route. */
export class UrlError extends Error {
  override name = "UrlError";
}

/**
 * Reads a URL as a proxy reads the request for it: what it refuses with 400 is an error here. Without a scheme it
 * is one over HTTP, as with curl. What is after `#` is not sent.
 *
 * @throws {UrlError} saying what is wrong with it.
 */
export function parseUrl(text: string): AskedUrl & { target: string; forwarded: string } {
  const [, scheme = "http", authority = "", rest = ""] =
    /^(?:([a-z][-+.a-z0-9]*):\/\/)?([^/?#]*)([^#]*)/i.exec(text.trim()) ?? [];
  const lower = scheme.toLowerCase();
  if (lower !== "http" && lower !== "https") {
    throw new UrlError(`A URL begins with http:// or https://, not with ${scheme}://`);
  }
  // clients write other letters in this way
  const spelled = authority.replace(/[^:]*[\u0080-\u{10ffff}][^:]*/u, (name) => domainToASCII(name));
  const known = parseAuthority(spelled);
  if (known === undefined) throw new UrlError(`${JSON.stringify(authority)} is no host, with a port or not`);
  const asked = rest.replaceAll(/[^\x21-\x7e]+/gu, (part) => encodeURIComponent(part.toWellFormed()));
  const target = asked.startsWith("/") ? asked : `/${asked}`;
  const parsed = parseTarget(target);
  if (typeof parsed === "string") throw new UrlError(`The answer is 400: ${parsed}`);
  const { host, port } = known;
  return { scheme: lower, host, ...port !== undefined && { port }, target, ...parsed };
}

/** The rule that takes a request, or the default backend; or why no rule can be looked for. */
export type Match =
  | { kind: "rule"; rule: Rule }
  | { kind: "default" }
  | { kind: "none" }
  | { kind: "too long" };

/** A match, and how it was found. */
export interface Search {
  match: Match;
  steps: ExplanationStep[];
}

/** The most candidates of a step that did not match: those that come first are told. */
const MOST_CANDIDATES = 30;

/**
 * Finds the rule that takes a host and a path, as every proxy does: the most specific host that has a matching path,
 * the exact path before all others, then the longest; a Regex is as long as its text, and a Prefix comes before a
 * Regex of the same length (`docs/decisions/0003_host_fall_through.md`).
 */
export function search(config: ProxyConfig, { host, path }: { host: string; path: string }): Search {
  const wildcard = wildcardOf(host);
  const scopes: [label: string, rules: Rule[]][] = [
    host,
    ...wildcard === undefined ? [] : [wildcard],
    undefined,
  ]
    .map((name) => [name ?? "every host", config.rules.filter((rule) => rule.host === name)]);
  const hosts: Candidate[] = [];
  const steps: ExplanationStep[] = [];
  let match: Match | undefined;
  for (const [label, rules] of scopes) {
    if (match !== undefined) {
      hosts.push({ label, verdict: "not reached", why: "a more specific host has a path for it" });
      continue;
    }
    if (rules.length === 0) {
      hosts.push({ label, verdict: "passed over", why: "no rule is for it" });
      continue;
    }
    const found = searchPaths(rules, path);
    match = found.match;
    steps.push({ title: `Which path of ${label} matches?`, candidates: found.candidates });
    hosts.push(
      match === undefined
        ? { label, verdict: "passed over", why: `none of its paths (${rules.length}) matches` }
        : { label, verdict: "taken", why: "it is the most specific host with a path that matches" },
    );
  }
  if (match === undefined && config.defaultBackend !== undefined) match = { kind: "default" };
  if (config.defaultBackend !== undefined) {
    hosts.push({
      label: "the default backend",
      ...match?.kind === "default"
        ? { verdict: "taken", why: "it takes what no rule matches" }
        : { verdict: "not reached", why: "a rule matches" },
    });
  }
  return {
    match: match ?? { kind: "none" },
    steps: [{ title: "Which hosts match?", candidates: hosts }, ...steps],
  };
}

/** A rule of the host that is looked at, and the text that its path is compared by. */
interface PathCandidate {
  rule: Rule;
  type: "Exact" | "Prefix" | "Regex";
  text: string;
  length: number;
}

function searchPaths(rules: readonly Rule[], path: string): { match?: Match; candidates: Candidate[] } {
  const compared = new ComparedPath(path);
  const candidates: Candidate[] = [];
  const sorted = inOrder(rules);
  const hasRegex = sorted.some(({ type }) => type === "Regex");
  let match: Match | undefined;
  let untold = 0;
  const tell = (candidate: Candidate) => {
    if (candidate.verdict === "taken" || candidates.length < MOST_CANDIDATES) candidates.push(candidate);
    else untold++;
  };
  for (const { rule, type, text } of sorted) {
    const label = `${type} ${rule.path.path}`;
    if (match !== undefined) {
      const matches = type !== "Regex" && takes({ type, text }, path);
      tell({
        label,
        verdict: "not reached",
        why: matches ? "it would match, and comes after the one that is taken" : "another path is taken",
      });
      continue;
    }
    const taken = type === "Regex" ? compared.compare(PathRegex.of(text)) : takes({ type, text }, path);
    if (taken === "too long") {
      match = { kind: "too long" };
      tell({
        label,
        verdict: "taken",
        why: "to compare so long a path with the Regex paths of its host takes too much: the answer is 414",
      });
    } else if (taken) {
      match = { kind: "rule", rule };
      tell({ label, verdict: "taken", why: whyTaken(type, hasRegex) });
    } else tell({ label, verdict: "passed over", why: whyNot({ type, text }, path) });
  }
  if (untold > 0) {
    candidates.push({
      label: `${untold} more`,
      verdict: "passed over",
      why: "they do not match, or come later",
    });
  }
  return { ...match !== undefined && { match }, candidates };
}

/** In the order in which proxies take them; of those that are the same the first one counts. */
function inOrder(rules: readonly Rule[]): PathCandidate[] {
  const byKey = new Map<string, PathCandidate>();
  for (const rule of rules) {
    const type = pathType(rule.path);
    const text = type === "Prefix" ? withoutTrailingSlash(rule.path.path) : rule.path.path;
    const key = `${type} ${text}`;
    if (!byKey.has(key)) byKey.set(key, { rule, type, text, length: Math.max(1, text.length) });
  }
  return [...byKey.values()].sort((one, other) =>
    Number(other.type === "Exact") - Number(one.type === "Exact") ||
    other.length - one.length ||
    Number(other.type === "Prefix") - Number(one.type === "Prefix") ||
    (one.text > other.text ? -1 : 1)
  );
}

function takes({ type, text }: { type: "Exact" | "Prefix"; text: string }, path: string): boolean {
  if (type === "Exact") return path === text;
  const elements = withoutTrailingSlash(path);
  return elements === text || elements.startsWith(`${text}/`);
}

function whyTaken(type: PathCandidate["type"], hasRegex: boolean): string {
  if (type === "Exact") return "it is the path itself, which comes before all others";
  if (type === "Regex") return "it matches the start of the path, and no longer path does";
  return `its elements are the first ones of the path, and no longer ${hasRegex ? "path" : "Prefix"} matches`;
}

function whyNot({ type, text }: Pick<PathCandidate, "type" | "text">, path: string): string {
  if (type === "Regex") return "it does not match the start of the path";
  if (type === "Exact") {
    return withoutTrailingSlash(path) === withoutTrailingSlash(text)
      ? "a slash at the end makes it another path"
      : "it is another path";
  }
  return path.startsWith(text)
    ? "it ends in the middle of an element of the path"
    : "its elements are not the first ones of the path";
}

function withoutTrailingSlash(path: string): string {
  return path.endsWith("/") ? path.slice(0, -1) : path;
}

/** What {@linkcode explain} looks at. */
export interface ExplainOptions {
  /** The configuration. */
  translation: Pick<Translation, "config" | "endpoints" | "certificates">;
  /** How a rule is shown, and with none the default backend. */
  routeView: (rule: Rule | undefined) => RouteView | undefined;
}

/** Where a GET of a URL would go, step by step. @throws {UrlError} for what is no URL. */
export function explain(text: string, options: ExplainOptions): Explanation {
  const asked = parseUrl(text);
  const explanation = explainRoute(asked, options);
  const { certificates } = options.translation;
  if (asked.scheme === "http") return explanation;
  const { steps, outcome } = explanation;
  return {
    ...explanation,
    steps: [certificateStep(asked.host, certificates), ...steps],
    outcome: certificateOf(asked.host, certificates) === undefined
      ? `Without a default certificate the handshake is refused. With one: ${outcome}`
      : outcome,
  };
}

function explainRoute(
  { target, forwarded, ...url }: ReturnType<typeof parseUrl>,
  { translation: { config, endpoints }, routeView }: ExplainOptions,
): Explanation {
  const { match, steps } = search(config, url);
  if (match.kind === "none") return { url, steps, outcome: "404: no rule matches." };
  if (match.kind === "too long") {
    return { url, steps, outcome: "414: the path is too long to be compared with regular expressions." };
  }
  const rule = match.kind === "rule" ? match.rule : undefined;
  const options = (rule === undefined ? config.defaultOptions : rule.options) ?? {};
  const route = routeView(rule);
  const { candidates, answer } = answers(options, { url, target, forwarded, rule });
  if (candidates.length > 0) steps.push({ title: "Does an option answer before the backend?", candidates });
  const common = { url, steps, ...route !== undefined && { route } };
  if (answer !== undefined) return { ...common, outcome: answer };
  const backend = rule?.backend ?? config.defaultBackend;
  if (backend === undefined) throw new Error("BUG: a match without a backend");
  return { ...common, outcome: outcomeOf(serviceKey(backend), { endpoints, options }) };
}

function certificateStep(host: string, certificates: Translation["certificates"]): ExplanationStep {
  const wildcard = wildcardOf(host);
  const hasDefault = certificates.has(EVERY_NAME);
  const names = [host, ...wildcard === undefined ? [] : [wildcard], ...hasDefault ? [EVERY_NAME] : []];
  const taken = names.find((name) => certificates.has(name));
  const candidates = names.map((name): Candidate => {
    const certificate = certificates.get(name);
    const label = name === EVERY_NAME ? "the default certificate" : name;
    if (certificate === undefined) {
      return { label, verdict: "passed over", why: "no certificate is for it" };
    }
    return name === taken
      ? { label, verdict: "taken", why: `it has the certificate of Secret ${certificate.secret}` }
      : { label, verdict: "not reached", why: "there is a certificate for the host" };
  });
  if (hasDefault) return { title: "Which certificate is shown?", candidates };
  const fallback = "the proxies' --default-cert";
  candidates.push(
    taken === undefined
      ? { label: fallback, verdict: "taken", why: "without one the handshake is refused" }
      : { label: fallback, verdict: "not reached", why: "there is a certificate for the host" },
  );
  return { title: "Which certificate is shown?", candidates };
}

/** An option that may answer: what it is called, what it answers, and whether it does. */
interface PossibleAnswer {
  label: string;
  /** The outcome; none where it depends on who asks, or how. */
  outcome: string | undefined;
  why: string;
}

/** What is asked for, and the rule that takes it; with none that is the default backend. */
interface Asked {
  url: AskedUrl;
  /** The path and query as they were sent. */
  target: string;
  /** The same with the path as it is matched. */
  forwarded: string;
  rule: Rule | undefined;
}

/** The first option that answers does. */
function answers(
  options: RuleOptions,
  asked: Asked,
): { candidates: Candidate[]; answer: string | undefined } {
  let answer: string | undefined;
  const candidates = possibleAnswers(options, asked).map(({ label, outcome, why }): Candidate => {
    if (answer !== undefined) return { label, verdict: "not reached", why: "it is answered by then" };
    answer = outcome;
    return { label, verdict: outcome === undefined ? "passed over" : "taken", why };
  });
  return { candidates, answer };
}

/** In the order of `proxy/policies/compile.ts`. */
function possibleAnswers(options: RuleOptions, { url, target, forwarded, rule }: Asked): PossibleAnswer[] {
  const { scheme, host, port, path } = url;
  const { cors, redirect, hostRedirect, httpsRedirect, closed, limit, rewrite, canary } = options;
  const all: PossibleAnswer[] = [];
  const depends = (label: string, why: string) => all.push({ label, outcome: undefined, why });
  const sends = (label: string, { to, code, why }: { to: string; code: number; why: string }) =>
    all.push({ label, outcome: `${code}, to ${to}`, why });
  if (cors !== undefined) depends("CORS", "it answers preflights (OPTIONS with an Origin) alone");
  if (redirect !== undefined) {
    const to = expanded(redirect.to, { url, target, rule });
    sends("Redirect", { to, code: redirect.code, why: "every request is sent to another URL" });
  }
  if (hostRedirect !== undefined) {
    const usual = scheme === "https" ? 443 : 80;
    const suffix = port === undefined || port === usual ? "" : `:${port}`;
    const to = `${scheme}://${hostRedirect.host}${suffix}${target}`;
    sends("Redirect to another host", { to, code: hostRedirect.code, why: "every request is sent there" });
  }
  const made = rewrite && rewritten(rewrite, { rule, path }) + forwarded.slice(path.length);
  const isUrl = rewrite !== undefined && /^https?:\/\//i.test(rewrite);
  if (made !== undefined && isUrl) {
    sends("Rewrite to a URL", { to: made, code: 302, why: "every request is sent there" });
  }
  if (httpsRedirect !== undefined && scheme === "https") depends("Redirect to HTTPS", "it is HTTPS already");
  else if (httpsRedirect !== undefined) {
    const kept = httpsRedirect.keepsTrailingSlash ? target : target.replace(/\/$/, "");
    sends("Redirect to HTTPS", {
      to: `https://${host}${kept}`,
      code: httpsRedirect.code,
      why: "requests over HTTP are sent to HTTPS",
    });
  }
  if (closed !== undefined) all.push({ label: "Closed", outcome: `503: ${closed}`, why: closed });
  if (limit !== undefined) depends("Limit", "it depends on how much the client has asked lately");
  if (options.allow !== undefined || options.deny !== undefined) {
    depends("Addresses", "it depends on the client's address: 403 for those that may not come in");
  }
  if (options.basicAuth !== undefined) {
    depends("Password", "it depends on the password: 401 without the right one");
  }
  if (options.externalAuth !== undefined) {
    depends("External authentication", "it depends on what that server says");
  }
  if (made !== undefined && !isUrl) {
    const sent = made.startsWith("/") ? made : `/${made}`;
    depends("Rewrite", `it answers nothing: the backend gets ${sent}`);
  }
  if (canary !== undefined) {
    depends(
      "Canary",
      `some requests go to ${serviceKey(canary.backend)} instead, by header, cookie or chance`,
    );
  }
  return all;
}

/** Puts values into a text with variables; those that only a request has stay as they are. */
function expanded(
  text: string,
  { url: { scheme, host, port, path }, target, rule }: Omit<Asked, "forwarded">,
): string {
  const [, query = ""] = target.split(/\?(.*)/s);
  const values: Record<string, string> = {
    args: query,
    escaped_request_uri: encodeURIComponent(target),
    host,
    http_host: port === undefined ? host : `${host}:${port}`,
    is_args: query === "" ? "" : "?",
    query_string: query,
    request_method: "GET",
    request_uri: target,
    scheme,
    server_name: rule?.host ?? "_",
    uri: path,
  };
  return parseTemplate(text).map((part) =>
    typeof part === "string" ? part : values[part.variable] ?? `$${part.variable}`
  ).join("");
}

/** What a rewrite puts in the place of the path. */
function rewritten(text: string, { rule, path }: { rule: Rule | undefined; path: string }): string {
  const groups = rule?.path.type === "Regex" ? PathRegex.of(rule.path.path).match(path)?.() ?? [] : [];
  return text.replace(/\$([1-9])/g, (_, number) => groups[Number(number) - 1] ?? "");
}

function outcomeOf(
  key: string,
  { endpoints, options: { errors } }: { endpoints: Translation["endpoints"]; options: RuleOptions },
): string {
  const addresses = endpoints[key];
  const count = (list: readonly string[]) => list.length === 1 ? "1 endpoint" : `${list.length} endpoints`;
  if (addresses === undefined) return `It goes to ${key}, which is looked up in DNS.`;
  if (addresses.length > 0) return `It goes to ${key}, which has ${count(addresses)}.`;
  if (errors !== undefined) {
    const instead = serviceKey(errors.backend);
    const others = endpoints[instead] ?? [];
    if (others.length > 0) return `It goes to ${instead}, which has ${count(others)}: ${key} has none.`;
  }
  return `503: ${key} has no endpoint.`;
}
