/**
 * Values of annotations, from an Ingress to the answers of requests: the controller's translation, the contract's
 * parser, the proxy's policies.
 *
 * @module
 */
import { isDeepStrictEqual } from "node:util";
import { parseProxyConfig } from "@pingress/config";
import { FEATURES, INERT, PREFIXES } from "../../controller/annotations/known.ts";
import { annotationField } from "../../controller/annotations/read_annotations.ts";
import { type Ingress, objectKey } from "../../controller/objects.ts";
import { translate, type Translation } from "../../controller/translate/translate.ts";
import type { FuzzRange } from "./differential.ts";
import { HOST, ingressOf, OBJECTS } from "./ingresses.ts";
import { Random } from "./random.ts";
import { RuleSite } from "./rule_site.ts";
import { anything, each, HOSTILE, htpasswd, MAKERS, makeValue } from "./value_grammar.ts";

/** What a run has come to. */
export interface ValueReport {
  /** What is wrong, with the flags that make the input again. */
  findings: string[];
  /** How many values were understood. */
  understood: number;
  /** How many different ones each group of annotations with one parser got, by its first name. */
  different: Map<string, number>;
}

/** Annotations with the same parser, by their names without prefix; at last those that do nothing. */
export const GROUPS: readonly (readonly string[])[] = [
  ...Map.groupBy(
    FEATURES.flatMap(({ rows }) => Object.entries(rows)),
    ([, { parse }]) => parse,
  ).values(),
].map((rows) => rows.map(([name]) => name)).concat([Object.keys(INERT)]);

const AUTH = { "auth-type": "basic", "auth-secret": "users" };
const ASKED = { "auth-url": "http://auth.test/check" };
const COOKIE = { affinity: "cookie" };
const CANARY = { canary: "true" };
const SECURE = { "backend-protocol": "HTTPS" };
const PAGES = { "default-backend": "known", "custom-http-errors": "404,503" };

/** What has to be there for an annotation to do something. */
const COMPANIONS: Readonly<Record<string, Record<string, string>>> = {
  ...each("auth-type auth-secret auth-secret-type auth-realm satisfy", AUTH),
  ...each(
    "auth-url auth-method auth-signin auth-signin-redirect-param auth-response-headers auth-request-redirect",
    ASKED,
  ),
  ...each("auth-signin-redirect-param", { ...ASKED, "auth-signin": "http://auth.test/in" }),
  ...each("auth-always-set-cookie", ASKED),
  ...each("affinity affinity-mode session-cookie-name session-cookie-expires session-cookie-max-age", COOKIE),
  ...each("session-cookie-path session-cookie-domain session-cookie-samesite session-cookie-secure", COOKIE),
  ...each("session-cookie-change-on-failure", COOKIE),
  ...each("session-cookie-conditional-samesite-none", { ...COOKIE, "session-cookie-samesite": "None" }),
  ...each("proxy-ssl-secret proxy-ssl-verify proxy-ssl-name proxy-ssl-server-name", SECURE),
  ...each(
    "canary canary-by-header canary-by-cookie canary-weight affinity-canary-behavior service-upstream",
    CANARY,
  ),
  ...each("canary-by-header-value canary-by-header-pattern", { ...CANARY, "canary-by-header": "X-Canary" }),
  ...each("canary-weight-total", { ...CANARY, "canary-weight": "50" }),
  ...each("cors-allow-origin cors-allow-methods cors-allow-headers cors-expose-headers", {
    "enable-cors": "true",
  }),
  ...each("cors-allow-credentials cors-max-age", { "enable-cors": "true" }),
  ...each("default-backend custom-http-errors disable-proxy-intercept-errors", PAGES),
  ...each("limit-burst-multiplier limit-allowlist limit-whitelist", { "limit-rps": "5" }),
  ...each("x-forwarded-prefix", { "rewrite-target": "/$2" }),
  ...each("permanent-redirect-code", { "permanent-redirect": "https://other.test/" }),
  ...each("temporal-redirect-code", { "temporal-redirect": "https://other.test/" }),
  ...each("preserve-trailing-slash", { "force-ssl-redirect": "true" }),
  ...each("hsts-max-age hsts-include-subdomains hsts-preload", { hsts: "true" }),
};

/** Values that are understood, and have something else as their consequence: the fields that may be told then. */
const CONSEQUENCES: Readonly<Record<string, RegExp>> = {
  // without it the Ingress has the path of another one
  canary: /^spec\.rules\[0\]\.http\.paths\[0\]$/,
  // so are passwords that nobody can come in with
  ...each("auth-secret-type auth-type auth-realm satisfy", /auth-secret"\]$/),
};

/** How many problems there may be with the names of one annotation. */
const MOST_ALIASES = 100;

/** What a canary is one of. */
const PRIMARY = ingressOf("primary", { creationTimestamp: 1 });

/** What is there beside the Ingress in question, and must stay as it is. */
const OTHERS: readonly Ingress[] = [
  ingressOf("neighbor", {
    host: "neighbor.test",
    path: "/",
    annotations: { [`${PREFIXES[0]}hsts`]: "true" },
  }),
  ingressOf("stranger", { host: "other.test", path: "/", namespace: "other" }),
];

const USERS = "web:{SHA}O/MvdjOwOQpt8I9HBSVZugThPMw=\n";

/** Each parser is given all that is made by hand, one after the other. */
const HOSTILE_EVERY = 7;

/** Gives annotations values with numbers from `from` on. */
export async function fuzzValues({ seed, from, count }: FuzzRange): Promise<ValueReport> {
  const findings: string[] = [];
  const different = new Map<string, Set<string>>();
  let understood = 0;
  const undisturbed = othersOf(translated([], { random: new Random(seed, 0), users: USERS }));
  for (let index = from; index < from + count; index++) {
    const random = new Random(seed, index);
    const group = GROUPS[index % GROUPS.length] ?? [];
    const turn = Math.floor(index / GROUPS.length);
    const name = group[turn % group.length] ?? "";
    const prefix = PREFIXES[Math.floor(turn / group.length) % PREFIXES.length] ?? PREFIXES[0];
    const make = MAKERS[name] ?? anything;
    const value = turn % HOSTILE_EVERY === 0
      ? HOSTILE[turn / HOSTILE_EVERY % HOSTILE.length] ?? ""
      : makeValue(make, random);
    const seen = different.get(group[0] ?? "") ?? new Set();
    different.set(
      group[0] ?? "",
      seen.add(value.length > 1000 ? `${value.length} ${value.slice(0, 1000)}` : value),
    );
    try {
      if (await checkValue({ prefix, name, value }, { random, undisturbed })) understood++;
    } catch (error) {
      const what = `${prefix}${name}: ${JSON.stringify(value.slice(0, 200))} (${value.length} characters)`;
      findings.push(`--seed ${seed} --from ${index} --count 1: ${what}: ${(error as Error).stack}`);
    }
  }
  return {
    findings,
    understood,
    different: new Map([...different].map(([name, values]) => [name, values.size])),
  };
}

/** @returns whether the value is understood. @throws {Error} for what must not be. */
async function checkValue(
  { prefix, name, value }: { prefix: string; name: string; value: string },
  { random, undisturbed }: { random: Random; undisturbed: string },
): Promise<boolean> {
  const annotations = Object.fromEntries(
    Object.entries({ ...COMPANIONS[name], [name]: value }).map(([name, text]) => [prefix + name, text]),
  );
  const isCanary = COMPANIONS[name]?.canary !== undefined;
  const ingress = ingressOf("fuzz", { annotations });
  if (isCanary) ingress.spec!.rules![0]!.http!.paths![0]!.backend!.service!.name = "canary";
  const users = COMPANIONS[name] === AUTH && random.chance(0.5) ? makeValue(htpasswd, random) : USERS;
  const translation = translated(isCanary ? [PRIMARY, ingress] : [ingress], { random, users });
  if (othersOf(translation) !== undisturbed) throw new Error("Another Ingress is not what it was");
  const field = annotationField(prefix + name);
  const own = translation.problems.filter((problem) => problem.ingress === "default/fuzz");
  const told = own.filter((problem) => problem.field === field);
  // each of its names is a value
  if (name === "server-alias" && told.length <= MOST_ALIASES) told.splice(1);
  const others = own.filter((problem) => problem.field !== field && !CONSEQUENCES[name]?.test(problem.field));
  if (others.length > 0 || told.length > 1) {
    throw new Error(`${own.length} problems: ${JSON.stringify(own.slice(0, 3))}`);
  }
  for (const { message } of told) {
    if (message.length > 2000) throw new Error(`A message of ${message.length} characters`);
  }
  // what is not understood is all the same
  if (told.length === 0 || random.chance(0.05)) await checkRequests(translation, random);
  return told.length === 0;
}

/** Translates these Ingresses and the others, and reads what comes of it as a proxy does. */
function translated(
  ingresses: readonly Ingress[],
  { random, users }: { random: Random; users: string },
): Translation {
  const secret = { metadata: { name: "users", namespace: "default" }, stringData: { auth: users } };
  const snapshot = { ...OBJECTS, Secret: [secret], Ingress: [...ingresses, ...OTHERS] };
  const translation = translate(snapshot, { keysDirectory: "/keys" });
  if (random.chance(0.25)) {
    const again = translate(snapshot, { keysDirectory: "/keys" });
    if (!isDeepStrictEqual(again, translation)) throw new Error("It is another translation the second time");
  }
  const written = JSON.parse(JSON.stringify(translation.config));
  const config = parseProxyConfig(written);
  if (!isDeepStrictEqual(config, written)) {
    throw new Error(`${JSON.stringify(written)} is read as ${JSON.stringify(config)}`);
  }
  return { ...translation, config };
}

/** What becomes of the other Ingresses. */
function othersOf({ config: { rules }, problems }: Translation): string {
  const keys = OTHERS.map(objectKey);
  return JSON.stringify([
    rules.filter(({ host = "" }) => ["neighbor.test", "other.test"].includes(host)),
    problems.filter(({ ingress }) => keys.includes(ingress)),
  ]);
}

async function checkRequests({ config, files }: Translation, random: Random): Promise<void> {
  const site = new RuleSite(config, new Map([...files].map(([name, text]) => [`/keys/${name}`, text])));
  for (const request of REQUESTS) {
    const target = random.pick(TARGETS);
    await site.ask({
      ...request,
      authority: HOST,
      target,
      ...random.chance(0.5) && { answer: random.pick(ANSWERS) },
    });
  }
}

const TARGETS = [
  ...[
    "/app",
    "/app/x?a=b",
    "/APP/%0d%0aX-Evil:%201",
    "/app/%2e%2e/%2F?rd=%0d%0a",
    "/app/a'\"<>|^`{}",
    "/app//evil.test",
  ],
  ...["/", "/other", "/app/\xe9", `/app/${"x".repeat(3000)}`, `/app?${"a".repeat(7000)}`, "/app/$1${host}"],
];

const LONG = `X-Long: ${"a".repeat(7000)}\r\n`;

const REQUESTS = [
  { lines: "Origin: https://a.test\r\nCookie: INGRESSCOOKIE=a|b; a=always\r\nX-Canary: always\r\n" },
  { method: "OPTIONS", lines: "Origin: null\r\nAccept: text/html\r\n" },
  { lines: `Authorization: Basic ${btoa("web:nothing")}\r\nX-A: \xe9\r\nX-Canary: ${"a".repeat(5000)}\r\n` },
  { method: "HEAD", lines: `${LONG}User-Agent: ${"Macintosh Intel Mac OS X 10_14 ".repeat(200)}\r\n` },
];

const ANSWERS = [
  { status: 404, lines: "Content-Type: text/html\r\nSet-Cookie: a=b\r\n" },
  { status: 503, lines: "" },
  { status: 401, lines: "WWW-Authenticate: Basic\r\n" },
  { status: 302, lines: "Location: http://x/\r\n" },
];
