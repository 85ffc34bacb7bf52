/** A request target, ready for matching and for the backend. */
export interface RequestTarget {
  /** The path with its dot segments resolved: what routes are matched with. */
  path: string;
  /** The same path with the query as it was sent: what is forwarded. */
  forwarded: string;
}

/**
 * Reads an origin-form target (RFC 9112, section 3.2.1). Dot segments, percent-encoded or not, are resolved
 * (RFC 3986, section 5.2.4), so that what is matched is what the backend sees. Nothing else is changed:
 * `%2f` and `//` mean what the backend takes them for. A target in asterisk-form is routed as the root.
 *
 * @returns the target, or a sentence that says why it is refused.
 */
export function parseTarget(target: string): RequestTarget | string {
  // the whole server is where the root is
  if (target === "*") return { path: "/", forwarded: "*" };
  const mark = target.indexOf("?");
  const path = mark === -1 ? target : target.slice(0, mark);
  if (!path.startsWith("/")) return "the request target does not start with a slash";
  if (target.includes("#")) return "the request target has a fragment";
  if (path.includes("\\")) return "the path has a backslash";
  if (/%(?![0-9a-f]{2})|%00/i.test(path)) return "the path has an invalid percent-encoding";
  const resolved = resolveDotSegments(path);
  if (resolved === undefined) return "the path leaves the root";
  return { path: resolved, forwarded: mark === -1 ? resolved : resolved + target.slice(mark) };
}

/**
 * Resolves the `.` and `..` segments of a path that starts with a slash.
 *
 * @returns nothing for a path that leaves the root.
 */
function resolveDotSegments(path: string): string | undefined {
  if (!/\/(?:\.|%2e)/i.test(path)) return path;
  const segments: string[] = [];
  const incoming = path.slice(1).split("/");
  for (const [index, segment] of incoming.entries()) {
    const plain = segment.replaceAll(/%2e/gi, ".");
    if (plain !== "." && plain !== "..") {
      segments.push(segment);
      continue;
    }
    if (plain === ".." && segments.pop() === undefined) return undefined;
    // a dot segment at the end leaves a directory: "/a/b/.." is "/a/"
    if (index === incoming.length - 1) segments.push("");
  }
  return `/${segments.join("/")}`;
}
