import {
  isDnsName,
  isPassableField,
  parseHtpasswd,
  parseTemplate,
  type RuleOptions,
  usersFile,
} from "@pingress/config";
import { oncePerSecret, textsOf } from "../secrets.ts";
import type { ProblemReason } from "../translate/problem.ts";
import {
  AnnotationError,
  feature,
  type Inert,
  MOST_LIST_CHARACTERS,
  need,
  type Parse,
  type RuleContext,
  type ValuesOf,
} from "./feature.ts";
import { addressRanges, bool, line, listOf, word } from "./values.ts";

const METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] as const;

/** Letters, digits and a few signs, none of which would end the quoted realm. */
const realm: Parse<string> = (text) => {
  if (/^[A-Za-z0-9 \-._~/:]*$/.test(text)) return text;
  throw new AnnotationError("no realm of letters, digits, spaces and any of - . _ ~ / :");
};

/** A URL in which there may be variables such as `$host`. */
const urlWithVariables: Parse<string> = (text) => {
  if (!/^[^\s"'<>\\^`|]+$/.test(line(text))) {
    throw new AnnotationError("no URL: it has a space or a quotation mark");
  }
  try {
    parseTemplate(text);
    return text;
  } catch (error) {
    throw new AnnotationError(`no URL that can be used: it ${(error as Error).message}`);
  }
};

/** A URL of a server, whose name nobody else may choose. */
const serverUrl: Parse<string> = (text) => {
  const authority = /^https?:\/\/([^/?#@]+)/i.exec(urlWithVariables(text))?.[1];
  if (authority === undefined) {
    throw new AnnotationError("no URL that begins with http:// or https:// and a host");
  }
  const server = authority.replaceAll(HOST_VARIABLE, "host");
  if (server.includes("$")) {
    throw new AnnotationError(
      "no URL that can be used: of variables only $host may be part of the server's name",
    );
  }
  if (!/^(?:\[[0-9a-f:.]+\]|[a-z0-9_][-a-z0-9_.]*)(?::[0-9]{1,5})?$/i.test(server) || server.includes("..")) {
    throw new AnnotationError("no URL of a server");
  }
  return text;
};

const HOST_VARIABLE = /\$(?:http_)?host\b|\$\{(?:http_)?host\}/g;

const fieldName: Parse<string> = (name) => {
  if (isPassableField(name)) return name;
  throw new AnnotationError(
    `no list of header fields: ${JSON.stringify(name)} is none, or is the proxy's own`,
  );
};

const parameter: Parse<string> = (text) => {
  if (/^[-._~A-Za-z0-9]+$/.test(text)) return text;
  throw new AnnotationError("no name of a parameter");
};

const secretName: Parse<string> = (text) => {
  if (text.split("/").length <= 2 && text.split("/").every(isDnsName)) return text;
  throw new AnnotationError("no name of a Secret");
};

const authType: Parse<"basic"> = (text) => {
  if (text === "basic") return text;
  throw new AnnotationError("no kind of authentication that Pingress has: use basic, or auth-url");
};

const rows = {
  "allowlist-source-range": {
    parse: addressRanges,
    longest: MOST_LIST_CHARACTERS,
    help: "Client addresses (CIDR, separated by commas) that may come in; all others get 403.",
    isGuard: true,
  },
  "whitelist-source-range": {
    parse: addressRanges,
    longest: MOST_LIST_CHARACTERS,
    yieldsTo: "allowlist-source-range",
    help: "The older name of allowlist-source-range.",
    isGuard: true,
  },
  "denylist-source-range": {
    parse: addressRanges,
    longest: MOST_LIST_CHARACTERS,
    help: "Client addresses (CIDR, separated by commas) that get 403, even if they are allowed, too.",
    isGuard: true,
  },
  "satisfy": {
    needs: {
      anyOf: [
        ...["allowlist-source-range", "whitelist-source-range", "denylist-source-range"],
        ...["auth-type", "auth-url"],
      ],
      says: "allowlist-source-range, denylist-source-range, auth-type or auth-url",
    },
    parse: (text: string) => word("all", "any")(text) === "any",
    help:
      "Must addresses, password and auth-url all agree (all, the default), or is one of them enough (any)?",
  },
  "auth-type": {
    parse: authType,
    help: "basic: who comes in must know a password of auth-secret.",
    differs: "There is no digest authentication: with it the Ingress answers 503.",
    isGuard: true,
  },
  "auth-secret": {
    parse: secretName,
    help: "The Secret with users and password hashes, of the Ingress's namespace.",
    differs: "Hashes are bcrypt's, $apr1$ and {SHA}; users with another one cannot come in. " +
      "Without auth-type the Ingress answers 503.",
    isGuard: true,
  },
  "auth-secret-type": {
    needs: need("auth-secret"),
    parse: word("auth-file", "auth-map"),
    help:
      "auth-file (the default): the Secret's key auth is a file of htpasswd; auth-map: each key is a user.",
    isGuard: true,
  },
  "auth-realm": {
    needs: need("auth-type"),
    parse: realm,
    help: "What the password is for, as browsers show it.",
    differs: "The realm off is one like others: ingress-nginx lets everybody in with it.",
    isGuard: true,
  },
  "auth-url": {
    parse: serverUrl,
    help: "The URL of a server that is asked about each request: 2xx lets it in, 401 and 403 do not.",
    differs:
      "Loopback and link-local addresses need --allow-local-upstreams. In the server's name $host may stand, " +
      "if the rule has a host. Dot segments are resolved in X-Original-URL, as they are for the backend.",
    isGuard: true,
  },
  "auth-method": {
    needs: need("auth-url"),
    parse: word(...METHODS),
    help: "The method that the server is asked with: GET unless told.",
    differs: "Neither CONNECT nor TRACE.",
    isGuard: true,
  },
  "auth-signin": {
    parse: urlWithVariables,
    help: "Where a browser is sent (302) instead of 401.",
    differs: "Without auth-url the Ingress answers 503.",
  },
  "auth-signin-redirect-param": {
    needs: need("auth-signin"),
    parse: parameter,
    help: "The parameter of auth-signin that gets the URL which was asked for: rd unless told.",
  },
  "auth-response-headers": {
    needs: need("auth-url"),
    parse: listOf(fieldName),
    help: "Fields of the server's answer that the backend gets, instead of the client's of these names.",
    differs: "Not X-Forwarded-For and others that only the proxy tells.",
    isGuard: true,
  },
  "auth-request-redirect": {
    needs: need("auth-url"),
    parse: urlWithVariables,
    help: "What the server is told in X-Auth-Request-Redirect: the request's target unless told.",
    differs: "Variables such as $host may stand in it.",
  },
  "auth-always-set-cookie": {
    needs: need("auth-url"),
    parse: bool,
    help: "Are the server's cookies passed on with every status? Else with 2xx and redirects alone.",
    differs: "Each cookie has a field of its own.",
  },
} as const;

type Values = ValuesOf<typeof rows>;

/** Who may come in. */
export const access = feature(rows, (values, context) => ({
  ...addressOptions(values),
  ...values.satisfy && { satisfy: "any" as const },
  ...basicAuthOptions(values, context),
  ...externalAuthOptions(values, context),
}));

function addressOptions(values: Values): RuleOptions {
  const allow = values["allowlist-source-range"] ?? values["whitelist-source-range"];
  const deny = values["denylist-source-range"];
  return { ...allow !== undefined && { allow }, ...deny !== undefined && { deny } };
}

function basicAuthOptions(values: Values, context: RuleContext): RuleOptions {
  const { "auth-type": type, "auth-secret": named, "auth-secret-type": form = "auth-file" } = values;
  const close = (
    annotation: string,
    message: string,
    reason: ProblemReason = "InvalidAnnotation",
  ): RuleOptions => {
    context.tell(annotation, reason, `${message}: the Ingress answers 503`, { closes: true });
    return { closed: `${annotation}: ${message}` };
  };
  // what is closed because of the one needs no word about the other
  if (context.isFaulty("auth-type") || context.isFaulty("auth-secret")) return {};
  if (type === undefined) {
    return named === undefined ? {} : close("auth-secret", "There is no auth-type: add auth-type: basic");
  }
  if (named === undefined) return close("auth-type", "There is no auth-secret that says who may come in");
  const own = context.ingress.metadata.namespace ?? "";
  const [name = "", namespace = own] = named.split("/").reverse();
  if (namespace !== own) return close("auth-secret", `${named} is of another namespace than the Ingress`);
  const secret = context.secret(name);
  if (secret === undefined) {
    return close("auth-secret", `There is no Secret ${own}/${name}`, "SecretNotFound");
  }
  const users = READERS[form](secret);
  if (users === undefined) {
    return close("auth-secret", `Secret ${own}/${name} has no key auth, which is the file of htpasswd`);
  }
  const { lines, fault } = users;
  if (fault !== undefined) {
    context.tell("auth-secret", "InvalidAnnotation", `Secret ${own}/${name}: ${fault}`);
  }
  const file = context.keep(usersFile({ namespace: own, name, type: form }), lines);
  if (file === undefined) {
    return close("auth-secret", `The proxies' Secrets have no room for ${own}/${name}`, "OutOfSpace");
  }
  return { basicAuth: { realm: values["auth-realm"] ?? "", users: file } };
}

/** What a Secret says of users: by `auth-secret-type`. Many rules may name one Secret, with many users. */
const READERS = {
  "auth-file": oncePerSecret((secret) => {
    const { auth } = textsOf(secret);
    return auth === undefined ? undefined : readUsers(auth);
  }),
  "auth-map": oncePerSecret((secret) =>
    readUsers(Object.entries(textsOf(secret)).map(([user, hash]) => `${user}:${hash.trim()}`).join("\n"))
  ),
};

/** The lines that proxies get, and what is wrong with others. */
function readUsers(text: string): { lines: string; fault?: string } {
  const { users, faults: [first, ...others] } = parseHtpasswd(text);
  // nothing else is handed on: not even a comment
  const lines = [...users].map(([user, hash]) => `${user}:${hash}\n`).join("");
  if (first === undefined) return { lines };
  const more = others.length === 0 ? "" : `, and there are ${others.length} more such lines`;
  return { lines, fault: `line ${first.line} ${first.fault}: with it nobody can come in${more}` };
}

function externalAuthOptions(values: Values, { host, tell, isFaulty }: RuleContext): RuleOptions {
  const url = values["auth-url"];
  if (url === undefined) {
    if (values["auth-signin"] === undefined || isFaulty("auth-url")) return {};
    if (values["auth-type"] !== undefined) {
      tell("auth-signin", "AnnotationConflict", "It does nothing: the Ingress has no annotation auth-url");
      return {};
    }
    tell("auth-signin", "InvalidAnnotation", "There is no auth-url: the Ingress answers 503", {
      closes: true,
    });
    return { closed: "auth-signin: There is no auth-url" };
  }
  const [authority = ""] = /^https?:\/\/[^/?#]+/i.exec(url) ?? [];
  if (host === undefined && authority.includes("$")) {
    const message = "A client could choose the server that lets it in: where a rule has no host, " +
      "$host must not be part of the server's name";
    tell("auth-url", "InvalidAnnotation", `${message}: the rule answers 503`, { closes: true });
    return { closed: `auth-url: ${message}` };
  }
  return {
    externalAuth: {
      url,
      ...defined("method", values["auth-method"]),
      ...defined("signIn", values["auth-signin"]),
      ...defined("redirectParameter", values["auth-signin-redirect-param"]),
      ...defined("responseHeaders", values["auth-response-headers"]),
      ...defined("requestRedirect", values["auth-request-redirect"]),
      ...defined("alwaysSetsCookie", values["auth-always-set-cookie"]),
    },
  };
}

function defined<const Name extends string, T>(name: Name, value: T | undefined): { [N in Name]?: T } {
  return value === undefined ? {} : { [name]: value } as { [N in Name]: T };
}

const NO_CLIENT_CERTIFICATES: Inert = {
  kind: "unsupported",
  why: "Pingress does not ask clients for certificates yet",
  isGuard: "hosts",
};

const ASKED_EACH_TIME: Inert = {
  kind: "unsupported",
  why: "the server of auth-url is asked about every request",
};

const CONNECTIONS_ARE_KEPT: Inert = {
  kind: "accepted",
  why: "Connections to the server of auth-url are always kept and used again",
};

const NO_RATE: Inert = {
  kind: "unsupported",
  why: "Pingress does not slow responses down: limit-rps and limit-connections limit requests",
};

/** What is known of who may come in and how much, and is not there. */
export const accessInert: Record<string, Inert> = {
  "auth-snippet": {
    kind: "refused",
    why: "Pingress takes no text for a configuration of another program, and without it others could come in",
    isGuard: true,
  },
  "auth-proxy-set-headers": {
    kind: "unsupported",
    why:
      "The server of auth-url could let others in without these fields: write them into its own configuration",
    isGuard: true,
  },
  "auth-cache-key": ASKED_EACH_TIME,
  "auth-cache-duration": ASKED_EACH_TIME,
  "auth-keepalive": CONNECTIONS_ARE_KEPT,
  "auth-keepalive-requests": CONNECTIONS_ARE_KEPT,
  "auth-keepalive-share-vars": CONNECTIONS_ARE_KEPT,
  "auth-keepalive-timeout": CONNECTIONS_ARE_KEPT,
  "enable-global-auth": { kind: "accepted", why: "There is no auth-url for all Ingresses" },
  "auth-tls-secret": NO_CLIENT_CERTIFICATES,
  "auth-tls-verify-client": NO_CLIENT_CERTIFICATES,
  "auth-tls-verify-depth": NO_CLIENT_CERTIFICATES,
  "auth-tls-error-page": NO_CLIENT_CERTIFICATES,
  "auth-tls-pass-certificate-to-upstream": NO_CLIENT_CERTIFICATES,
  "auth-tls-match-cn": NO_CLIENT_CERTIFICATES,
  "limit-rate": NO_RATE,
  "limit-rate-after": NO_RATE,
};
