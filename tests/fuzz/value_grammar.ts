/**
 * Values of annotations: made by a grammar of what each is for, or by hand, and most of them changed.
 *
 * @module
 */
import type { Random } from "./random.ts";

/** Makes one value that may well be understood. */
export type MakeValue = (random: Random) => string;

const VARIABLES = [
  ...["$host", "${host}", "$http_host", "$request_uri", "$escaped_request_uri", "$scheme", "$args"],
  ...["$is_args"],
  ...["$remote_addr", "$remote_user", "$request_id", "$uri", "$arg_a", "$http_x_a", "$cookie_b"],
  ...["${http_origin}"],
  ...["$nothing", "$", "${", "${}", "$1", "$9", "$0", "$$", "${host", "$http_", "$HOST"],
];

const WORDS = [
  ...["on", "off", "all", "any", "basic", "digest", "cookie", "balanced", "persistent", "sticky", "legacy"],
  ...["None", "lax", "STRICT", "auth-file", "auth-map", "round_robin", "ewma", "ip_hash", "GET", "POST"],
  ...["TRACE"],
  ...["HTTP", "HTTPS", "GRPC", "grpcs", "FCGI", "AUTO_HTTP", "error", "timeout", "http_500"],
  ...["non_idempotent"],
];

const NAMES = [
  ...["web", "known", "users", "a", "a-b.c", "A", "-a", "a-", "x_y", "default/users", "other/users"],
  ...["a/b/c"],
];

const word: MakeValue = (random) => random.pick(WORDS);

const bool: MakeValue = (random) =>
  random.pick(["true", "false", "1", "0", "t", "F", "True", "TRUE", "yes", "no", "on", "tRUE", "null", "2"]);

const number: MakeValue = (random) =>
  random.pick([
    () => String(random.below(random.pick([2, 10, 400, 2 ** 31]))),
    () => random.pick(["+", "-", ""]) + String(random.below(1000)),
    () => "9".repeat(1 + random.below(random.pick([15, 40, 400]))),
    () => "0".repeat(random.below(20)) + String(random.below(600)),
    () =>
      random.pick([
        ...["1e3", "0x10", "1.5", "5s", "10m", "NaN", "Infinity", "-0", "１", "1_000", "1 000", "--1"],
      ]),
  ])();

const size: MakeValue = (random) =>
  number(random) + random.pick(["", " "]) +
  random.pick(["", "k", "K", "m", "M", "g", "G", "b", "t", "mb", "kk"]);

const plain: MakeValue = (random) =>
  letters(random, "abcXYZ019-._~/:", 1 + random.below(random.pick([4, 20, 20, 600])));

const address: MakeValue = (random) => {
  const ipv4 = random.times(4, () => random.below(random.pick([256, 256, 300]))).join(".");
  const groups = random.times(8, () => random.below(65536).toString(16)).join(":");
  const ip = random.pick([
    ipv4,
    ipv4,
    groups,
    "::",
    "::1",
    `::ffff:${ipv4}`,
    "fe80::1%eth0",
    `[${groups}]`,
    "1.2.3",
  ]);
  return ip + random.pick(["", `/${random.below(random.pick([33, 129, 1000]))}`, "/", "/-1", "/08"]);
};

const host: MakeValue = (random) =>
  random.pick(["", "", "*.", "www.", "_", "~^"]) +
  random.pick([
    ...["a.test", "fuzz.test", "neighbor.test", "other.test", "B.Test", "a..b", "1.2.3.4", "localhost"],
  ]) +
  random.pick(["", "", ".", ":8080", ":99999"]);

const path: MakeValue = (random) =>
  random.pick(["/", "/", "", "//"]) +
  random.times(random.below(6), () =>
    random.pick(["a", "b.c", "..", ".", "%2e", "$1", "$2", "$9", "~x", ":", "é"])).join("/");

const url: MakeValue = (random) =>
  random.pick(["http://", "https://", "HTTPS://", "ftp://", "//", "javascript:", "http:/", ""]) +
  random.pick(["", "", "", "u:p@", random.pick(VARIABLES)]) +
  random.pick([
    ...["a.test", "b.test:8080", "[::1]:80", "$host", "${host}", "auth.$host", "127.0.0.1", "a..b", ""],
  ]) +
  random.pick([
    "",
    "/",
    path(random),
    `/x?a=${random.pick(VARIABLES)}&b=%0d%0a`,
    "?rd=",
    "?rd=x",
    "#f",
    "?",
  ]) +
  random.times(random.below(random.pick([1, 1, 3, 40])), () => random.pick(VARIABLES)).join("");

const template: MakeValue = (random) =>
  random.times(
    1 + random.below(random.pick([2, 4, 60])),
    () => random.pick([random.pick(VARIABLES), plain(random)]),
  ).join("");

const field: MakeValue = (random) =>
  random.pick([
    ...["X-A", "x-auth-user", "Set-Cookie", "Content-Length", "Connection", "Host", "X-Forwarded-For", "X_A"],
    ...["Location", "__proto__", "constructor", "Access-Control-Allow-Origin"],
    ...["Strict-Transport-Security", "x y"],
  ]);

const headerLines: MakeValue = (random) =>
  random.times(
    1 + random.below(random.pick([2, 4, 30])),
    () =>
      field(random) + random.pick([": ", ":", " : ", ""]) +
      random.pick([plain(random), "", 'a, b; c="d"', "\xe9", "€", "a\rb", "$host", "\t x"]),
  ).join(random.pick(["\n", "\n", "\r\n", "\r", ""]));

const origin: MakeValue = (random) =>
  random.pick([
    "*",
    "null",
    random.pick(["https://", "http://", "app://", ""]) + random.pick(["", "", "*."]) + host(random),
  ]);

/** An expression with what is hard for some matchers: repetitions in repetitions, and alternatives that overlap. */
export const expression: MakeValue = (random) => expressionOf(random, 1 + random.below(4));

function expressionOf(random: Random, depth: number): string {
  const atom = () =>
    depth <= 0 ? atomOf(random) : random.pick([
      () => atomOf(random),
      () => `(${expressionOf(random, depth - 1)})`,
      () => `(?:${expressionOf(random, depth - 1)})`,
      () => `(${expressionOf(random, depth - 1)}|${expressionOf(random, depth - 1)})`,
    ])();
  return random.times(
    1 + random.below(3),
    () => atom() + random.pick(random.chance(0.03) ? ODD_QUANTIFIERS : QUANTIFIERS),
  ).join("");
}

function atomOf(random: Random): string {
  return random.pick(random.chance(0.04) ? ODD_ATOMS : ATOMS);
}

const ATOMS = [
  ...["a", "b", "x", "/", ".", "\\d", "\\w", "[a-z]", "[^/]", "api", ".*", "a+", "(?i:a)", "\\pL"],
  ...["(?:a|aa)"],
  ...["a", "b", "x", "/", ".", "\\d", "\\w", "[a-z]", "[^/]", "\\b", "$", "|", "[[:alpha:]]", "(?P<n>a)"],
  ...["()"],
];
/** These are no expressions of RE2's, or none of a path's. */
const ODD_ATOMS = [
  ...["(a)\\1", "(?=a)", "(?<!a)", "\\x{1F600}", "é", "\\Q.\\E", "\\z", "(?s).", "^", "\\C", "[b-a]"],
  ...["\\pX"],
];
const QUANTIFIERS = ["", "", "", "", "+", "*", "?", "+?", "*?", "{2}", "{0,3}", "{5,}", "{20}"];
const ODD_QUANTIFIERS = ["{1000}", "{1,1001}", "++", "{,2}", "{400}", "**"];

/** Lists of what `make` makes, some of them long. */
function list(make: MakeValue): MakeValue {
  return (random) =>
    random.times(1 + random.below(random.pick([1, 3, 3, 40])), () => make(random)).join(
      random.pick([",", ", ", " ,", ",,"]),
    );
}

/** Makers of values, by the annotations that they are for, without prefix. */
export const MAKERS: Readonly<Record<string, MakeValue>> = {
  ...each(
    "allowlist-source-range whitelist-source-range denylist-source-range limit-allowlist limit-whitelist",
    list(address),
  ),
  ...each(
    "satisfy auth-type auth-secret-type affinity affinity-mode affinity-canary-behavior load-balance",
    word,
  ),
  ...each(
    "session-cookie-samesite backend-protocol auth-method proxy-request-buffering proxy-buffering",
    word,
  ),
  ...each("proxy-ssl-verify proxy-ssl-server-name", word),
  ...each(
    "auth-secret default-backend proxy-ssl-name proxy-ssl-secret",
    (random) => random.pick([random.pick(NAMES), host(random), `default/${random.pick(NAMES)}`]),
  ),
  ...each(
    "auth-realm session-cookie-name session-cookie-domain session-cookie-path auth-signin-redirect-param",
    (random) => random.pick([plain, path, host])(random),
  ),
  ...each(
    "canary-by-header canary-by-cookie canary-by-header-value",
    (random) => random.pick([plain, field])(random),
  ),
  ...each("auth-url auth-signin auth-request-redirect permanent-redirect temporal-redirect", url),
  ...each("auth-response-headers cors-allow-headers cors-expose-headers", list(field)),
  "cors-allow-methods": list(word),
  "cors-allow-origin": list(origin),
  "upstream-hash-by": template,
  "canary-by-header-pattern": expression,
  ...each(
    "auth-always-set-cookie enable-access-log session-cookie-secure service-upstream canary enable-cors hsts",
    bool,
  ),
  ...each(
    "session-cookie-conditional-samesite-none session-cookie-change-on-failure cors-allow-credentials",
    bool,
  ),
  ...each(
    "disable-proxy-intercept-errors use-regex from-to-www-redirect ssl-redirect force-ssl-redirect",
    bool,
  ),
  ...each("preserve-trailing-slash hsts-include-subdomains hsts-preload", bool),
  ...each(
    "session-cookie-expires session-cookie-max-age canary-weight canary-weight-total cors-max-age",
    number,
  ),
  ...each("limit-rps limit-rpm limit-burst-multiplier limit-connections hsts-max-age", number),
  ...each("proxy-connect-timeout proxy-read-timeout proxy-send-timeout proxy-next-upstream-tries", number),
  ...each("proxy-next-upstream-timeout permanent-redirect-code temporal-redirect-code", number),
  "proxy-body-size": size,
  "proxy-next-upstream": (random) =>
    random.times(1 + random.below(6), () => word(random)).join(random.pick([" ", "  ", ","])),
  "custom-http-errors": list((random) =>
    String(random.pick([404, 503, 400 + random.below(200), random.below(1000)]))
  ),
  ...each("rewrite-target x-forwarded-prefix app-root", (random) => random.pick([path, path, url])(random)),
  "server-alias": list(host),
  "upstream-vhost": host,
  "custom-headers": headerLines,
};

/** The same for each of some names, which have spaces between them. */
export function each<T>(names: string, value: T): Record<string, T> {
  return Object.fromEntries(names.split(" ").map((name) => [name, value]));
}

/** The file of users that a Secret holds. */
export const htpasswd: MakeValue = (random) =>
  random.times(
    1 + random.below(random.pick([2, 5, 300])),
    () =>
      random.pick(["web", "web", "a b", "", "é", "#x", plain(random)]) +
      random.pick([":", ":", ":", "", "::"]) +
      random.pick([
        ...[
          "{SHA}O/MvdjOwOQpt8I9HBSVZugThPMw=",
          "$apr1$abcdefgh$fAEDk.kDz9WOUjOq5ksce1",
          "plain",
          "{SHA}=",
          "",
        ],
        ...[
          "$2y$05$abcdefghijklmnopqrstuufhXdHJtkiUiNQ6n8/s9Kw6bfnPI6Ytq",
          "$2y$31$abcdefghijklmnopqrstuu",
          "$1$a$b",
        ],
      ]),
  ).join(random.pick(["\n", "\n", "\r\n", "\n\n"]));

/** What is for any of them, or looks like text for a configuration of nginx. */
export const anything: MakeValue = (random) =>
  random.chance(0.5)
    ? random.pick(Object.values(MAKERS))(random)
    : random.times(1 + random.below(8), () =>
      random.pick([
        "expires 1d",
        "deny all",
        "more_set_headers",
        "# ",
        '"',
        "'",
        "{",
        "}",
        ";",
        "\\",
        "\n",
        " ",
        plain(random),
      ])).join(random.pick(["", " ", ";"]));

/** Made by hand to be hostile, whatever they are for. */
export const HOSTILE: readonly string[] = [
  ...["", " ", "\0", "\n", "\r\n", "\t", "a\r\nX-Evil: 1", "a\nb", "a\rb", "\r\n\r\nHTTP/1.1 200 OK"],
  ...["a\0b", "\x7f", "\x1b[31m"],
  ...["\u2028", "\u0085", "\ufeff", "\u202e", "\ud800", "💥", "ſ", "\u212a", "İ", "ｔｒｕｅ", "٣", "é"],
  ...["e\u0301", "\xff"],
  ...["%00", "%0d%0a", "%", "%zz", "..", "../../etc/passwd", "/..", "//evil.test", "\\\\evil"],
  ...["file:///etc/passwd"],
  ...["__proto__", "constructor", "toString", "hasOwnProperty", "null", "undefined", "true ", "{}", "[]"],
  ...['"', "'", "`", "<a>"],
  ...["$", "${", "$(id)", "${jndi:ldap://evil.test/a}", "$1".repeat(256), "$request_uri".repeat(2000)],
  ...["${args}".repeat(9)],
  ...["-1", "-0", "1e309", "9".repeat(400), "0x7fffffff", "9007199254740993", "18446744073709551616"],
  ...["1/0", "NaN"],
  ...[",", ",,,,", ";", ";;", ":", "::", "*", "*.", "*.*", ".", "-", "_", "|", "||", "=", "&", "#", "?"],
  ...["@", "/", "\\"],
  ...["(a+)+$", "(a|a)*b", "(.*)*", "((((((((((", "))))", "[", "[^", "(?", "a{1000}"],
  ...["((a{30}){30}){30}", "(?:a?){400}a{400}"],
  ...["(.*){100}!", "\\", "\\C", "[[:^alpha:]]", "\\p{Greek}{300}", "(x+x+)+y"],
  ...["^(([a-z])+.)+[A-Z]([a-z])+$", "(?i)".repeat(100)],
  ...["x".repeat(5000), "x".repeat(300_000), "a,".repeat(100_000), "10.0.0.0/8,".repeat(20_000)],
  ...["/a".repeat(50_000)],
  ...["a.test,".repeat(5000), "X-A: b\n".repeat(20_000), "(".repeat(300), "é".repeat(70_000)],
  ...["💥".repeat(3000), " ".repeat(100_000)],
  ...[
    `http://${"a".repeat(300)}.test/`,
    `http://a.test/${"$args".repeat(3000)}`,
    `http://[${":".repeat(100)}]/`,
    "http://$host$host$host/",
  ],
  ...["404,".repeat(10_000), "error ".repeat(1000), "1".repeat(16), "8m ".repeat(50), "*,".repeat(1000)],
  ...["https://*.*.a.test"],
];

const SPICES = [
  ...["\r\n", "\n", "\r", "\0", "\t", " ", "  ", ",", ";", ":", "/", "\\", "$", "$1", "${host}", "%0a"],
  ...["%2e%2e", "*", "(", ")", "[", "{"],
  ...["+", "*", "?", "{9}", "|", "é", "ſ", "💥", "\ud800", "\u2028", "\xff", "\x7f", "'", '"', "<", "="],
  ...["#", "@", "-", "_", "~", "0", "9"],
];

type Mutation = (text: string, random: Random) => string;

const MUTATIONS: readonly Mutation[] = [
  (text, random) => text.slice(0, random.below(text.length + 1)),
  (text, random) => text.slice(random.below(text.length + 1)),
  (text, random) => splice(text, random, 1 + random.below(3), ""),
  (text, random) => splice(text, random, 0, random.pick(SPICES)),
  (text, random) => splice(text, random, 1, random.pick(SPICES)),
  (text, random) => splice(text, random, 0, letters(random, "abcxyzABC0123456789-._", 1 + random.below(5))),
  (text, random) =>
    splice(text, random, 1, String.fromCharCode(random.below(random.pick([128, 256, 65536])))),
  (text, random) => text + text.slice(random.below(text.length + 1)),
  (text, random) => text.repeat(1 + random.below(random.chance(0.02) ? 3000 : 4)).slice(0, 200_000),
  (text, random) => random.pick([" ", "\n", "\ufeff", "\0"]) + text + random.pick(["", " ", "\r\n"]),
  (text, random) => random.pick([text.toUpperCase(), text.toLowerCase()]),
  (text, random) => text.replace(/[0-9]+/, () => number(random)),
  (text, random) => `(${text})${random.pick(["+", "*", "{3}"])}`,
  (text) => [...text].reverse().join(""),
];

/** Makes a value for an annotation: as it is made, or changed in a few places. */
export function makeValue(make: MakeValue, random: Random): string {
  let text = make(random);
  if (random.chance(0.15)) return text;
  // of short ones there are few, and what is changed once is often another one of them
  const count = random.pick([1, 1, 2, 3, 5]) + (text.length < 8 ? 2 : 0);
  for (let done = 0; done < count; done++) text = random.pick(MUTATIONS)(text, random);
  return text;
}

function splice(text: string, random: Random, count: number, by: string): string {
  const at = random.below(text.length + 1);
  return text.slice(0, at) + by + text.slice(at + count);
}

function letters(random: Random, alphabet: string, count: number): string {
  return random.times(count, () => alphabet[random.below(alphabet.length)]).join("");
}
