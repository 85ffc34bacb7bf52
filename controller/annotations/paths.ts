import type { Ingress } from "../objects.ts";
import { AnnotationError, feature, type Parse, type ValuesOf } from "./feature.ts";
import { bool } from "./values.ts";

/** The longest path that an annotation may have, in characters. */
const MOST_CHARACTERS = 512;

/** Each of them has all the rules of a host. */
const MOST_ALIASES = 100;

/** A path, or a URL, in which `$1` to `$9` stand for groups. */
const pathWithGroups: Parse<string> = (text) => {
  if (text !== "" && text.length <= MOST_CHARACTERS && /^(?:[-.\w~/:]|\$[1-9])+$/.test(text)) return text;
  throw new AnnotationError(
    `no path of at most ${MOST_CHARACTERS} letters, digits, / - . _ ~ : and groups $1 to $9`,
  );
};

const absolutePath: Parse<string> = (text) => {
  if (text.length <= MOST_CHARACTERS && /^\/(?!\/)[-.\w~/:]*$/.test(text)) return text;
  throw new AnnotationError(
    `no path of at most ${MOST_CHARACTERS} letters, digits and / - . _ ~ : that begins with one slash`,
  );
};

/** What can be read as a host is only known where its rules are: a bad one leaves the others alone. */
const names: Parse<string[]> = (text) => {
  const list = text.split(",").map((name) => name.trim()).filter((name) => name !== "");
  if (list.length > 0 && list.length <= MOST_ALIASES) return list;
  throw new AnnotationError(`no list of 1 to ${MOST_ALIASES} hosts`);
};

const hostAndPort: Parse<string> = (text) => {
  if (/^[\w][-.\w]{0,252}(?::[0-9]{1,5})?$/.test(text)) return text;
  throw new AnnotationError("no host with or without a port; variables are not supported");
};

const rows = {
  "use-regex": {
    parse: bool,
    help:
      "Takes the paths of the Ingress, of all path types, for regular expressions that the path of a request " +
      "begins with, in upper or lower case.",
    differs:
      "The paths of other Ingresses stay what they are; ingress-nginx takes all paths of the host for " +
      "regular expressions. The syntax is that of RE2: there are no lookarounds and no back references, and no " +
      "classes of Unicode (\\pL). An expression has at most 512 characters and comes to at most 500 instructions; " +
      "one with so many repetitions that a path of 1,024 characters would take too long is a problem. A path of up " +
      "to 1,024 characters can be compared with all expressions of its host: what there is no time for beside the " +
      "expressions of older Ingresses is a problem of its own Ingress and not served. Only those are compared that " +
      "begin with the same characters as the path, so there is time for any number that begin with names of their " +
      "own, and for some 40 ordinary ones that begin alike. A longer path gets 414 if it would take more than " +
      "200,000 steps of the matcher: all these expressions together, each with a step for every character and " +
      "every instruction behind its first repetition that may be tried there, and twice that where it has groups. " +
      "With 20 of those and two groups that is a path of some 4,000 characters; one of more than 8,192 gets 414 " +
      "anyway.",
  },
  "rewrite-target": {
    parse: pathWithGroups,
    help:
      "Takes the place of the path on the way to the backend; $1 to $9 stand for the groups of the path, and " +
      "the query stays. It implies use-regex, unless it is the same as the path. With a URL requests are sent there (302).",
    differs:
      "It implies use-regex for the paths of its own Ingress alone. Groups are percent-encoded as the client " +
      "sent them. A target without a slash before it gets one, and dot segments that come of groups are resolved.",
  },
  "x-forwarded-prefix": {
    parse: pathWithGroups,
    help:
      "Is sent to the backend as X-Forwarded-Prefix, where rewrite-target rewrites; it may have $1 to $9, too. " +
      "Where nothing is rewritten it does nothing, and that is told.",
    differs: "Groups are percent-encoded as the client sent them.",
  },
  "app-root": {
    parse: absolutePath,
    help: "Sends requests for exactly / to this path (302), on every host of the Ingress.",
    differs:
      "The Location is the path alone, so scheme and port stay the client's. Where an older Ingress has a rule " +
      "for exactly /, that one counts. There are no variables.",
  },
  "server-alias": {
    parse: names,
    help:
      "Further hosts, with or without a wildcard, at which all that there is at the Ingress's first host is " +
      "served. A host that has rules of its own keeps them.",
    differs: "There are no regular expressions. Of an Ingress with several hosts the first one is meant.",
  },
  "from-to-www-redirect": {
    parse: bool,
    help:
      "Sends requests for www.HOST to HOST, or the other way around, with status 308, for every host of the " +
      "Ingress whose other name has no rules.",
    differs:
      "The port is in the Location only where it is not the scheme's own, and a slash at the end stays.",
  },
  "upstream-vhost": {
    parse: hostAndPort,
    help: "The Host that the backend gets; X-Forwarded-Host is what the client asked for.",
    differs: "There are no variables.",
  },
};

/** How paths are compared and changed, and which hosts there are. */
export const paths = feature(rows, (values, { path, tell }) => {
  const { "rewrite-target": rewrite, "x-forwarded-prefix": forwardedPrefix, "upstream-vhost": upstreamHost } =
    values;
  const isRewritten = rewrite !== undefined && rewrite !== path;
  if (forwardedPrefix !== undefined && !isRewritten) {
    const message = rewrite === undefined
      ? "It is sent only where rewrite-target rewrites, which is not there: it does nothing. Add one, or remove it"
      : `It is sent only where rewrite-target rewrites, which for the path ${path} leaves it as it is: ` +
        "it does nothing there";
    tell("x-forwarded-prefix", "InvalidAnnotation", message);
  }
  return {
    ...isRewritten && { rewrite, ...forwardedPrefix !== undefined && { forwardedPrefix } },
    ...upstreamHost !== undefined && { upstreamHost },
  };
});

/** What an Ingress says of its paths and hosts. */
export type PathValues = ValuesOf<typeof rows>;

/** Are the paths of an Ingress regular expressions? */
export function hasRegexPaths({ spec }: Ingress, values: PathValues): boolean {
  const paths = (spec?.rules ?? []).flatMap(({ http }) => http?.paths ?? []);
  return values["use-regex"] === true || paths.some(({ path }) => isRegexPath(path, values));
}

/** Does a path make itself a regular expression, and others with it? A rewrite does, where it changes anything. */
export function isRegexPath(
  path: string | null | undefined,
  { "use-regex": usesRegex = false, "rewrite-target": rewrite }: PathValues,
): boolean {
  return usesRegex || (rewrite !== undefined && (path || "/") !== rewrite);
}
