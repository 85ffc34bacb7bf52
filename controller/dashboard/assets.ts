import type { Asset } from "./server.ts";

const PAGE = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Pingress</title>
<ul>
<li><a href="api/overview">overview</a>
<li><a href="api/routes">routes</a>
<li><a href="api/ingresses">ingresses</a>
<li><a href="api/certificates">certificates</a>
<li><a href="api/proxies">proxies</a>
</ul>
</html>
`;

/** The files that browsers may ask for, by their paths. */
export const ASSETS: ReadonlyMap<string, Asset> = new Map([
  ["/", { type: "text/html; charset=utf-8", body: PAGE }],
]);
