import type { Case, CaseQuestion, Differs } from "./comparison.ts";
import type { DifferenceName } from "./differences.ts";
import { HEADERS, NOT_FOUND, OTHER, WEB } from "./locations.ts";

/** A path that nginx alone passes on, as it is. */
function notTaken(why: DifferenceName, target: string, service = "web"): CaseQuestion {
  const nginx = ["status 200", `${service} gets GET ${target}`];
  return { target, status: 200, differs: [why, { nginx, pingress: ["status 404"] }] };
}

/** The backend gets another path. */
function passedOn(why: DifferenceName, nginx: string, pingress: string, service = "web"): Differs {
  return [why, { nginx: [`${service} gets GET ${nginx}`], pingress: [`${service} gets GET ${pingress}`] }];
}

/** The client asks for port 8080. */
const PORT: Differs = ["port", {
  nginx: ["web gets x-forwarded-port: 80"],
  pingress: ["web gets x-forwarded-port: 8080"],
}];

/** What rewrite-target comes to for a path that is a regular expression. */
function rewriting(path: string, target: string, more = ""): string {
  return `
      location ~* "^${path}" {
        ${HEADERS}
        rewrite "(?i)${path}" ${target} break;
        ${more}
        proxy_pass http://web;
      }`;
}

/** Which rule takes a path, and what the backend gets. */
export const PATH_CASES: Case[] = [
  {
    name: "Prefix and Exact paths",
    host: "plain.test",
    ingresses: [{
      paths: [{ path: "/dir" }, { path: "/dir/exact", type: "Exact", service: "other" }],
    }],
    nginx: `
      location /dir/ { ${WEB} }
      location = /dir { ${WEB} }
      location = /dir/exact { ${OTHER} }
      location / { ${NOT_FOUND} }`,
    questions: [
      { target: "/dir", status: 200 },
      { target: "/dir/a/b?c=d", status: 200 },
      { target: "/dir/exact", status: 200 },
      { target: "/dir/exact/a", status: 200 },
      { target: "/dir/Exact", status: 200 },
      { target: "/directory", status: 404 },
      { target: "/DIR", status: 404 },
      { target: "/", status: 404 },
      { target: "/dir/a%2Fb%20c;d=e?f=%2F", status: 200 },
      { target: "/dir?", status: 200 },
      notTaken("tidied", "/%64ir"),
      notTaken("tidied", "//dir"),
      { target: "/x/../dir/./a", status: 200, differs: passedOn("dots", "/x/../dir/./a", "/dir/a") },
    ],
  },
  {
    name: "ImplementationSpecific paths",
    host: "specific.test",
    ingresses: [{
      paths: [{ path: "/app", type: "ImplementationSpecific" }, {
        path: "/app/own",
        type: "Exact",
        service: "other",
      }],
    }],
    nginx: `
      location /app { ${WEB} }
      location = /app/own { ${OTHER} }
      location / { ${NOT_FOUND} }`,
    questions: [
      { target: "/app", status: 200 },
      { target: "/app/a", status: 200 },
      { target: "/app/own", status: 200 },
      { target: "/APP", status: 404 },
      notTaken("specific", "/apple"),
    ],
  },
  {
    name: "a slash at the end of a path",
    host: "slash.test",
    ingresses: [{
      paths: [{ path: "/prefix/" }, { path: "/exact/", type: "Exact" }, {
        path: "/any/",
        type: "ImplementationSpecific",
      }],
    }],
    nginx: `
      location /prefix/ { ${WEB} }
      location = /prefix/ { ${WEB} }
      location = /exact/ { ${WEB} }
      location /any/ { ${WEB} }
      location / { ${NOT_FOUND} }`,
    questions: [
      { target: "/prefix/", status: 200 },
      {
        target: "/prefix?a=b",
        status: 301,
        differs: ["slash", {
          nginx: ["location: http://slash.test/prefix/?a=b", "status 301"],
          pingress: ["status 200", "web gets GET /prefix?a=b"],
        }],
      },
      { target: "/any/", status: 200 },
      {
        target: "/any",
        status: 301,
        differs: ["slash", {
          nginx: ["location: http://slash.test/any/", "status 301"],
          pingress: ["status 200", "web gets GET /any"],
        }],
      },
      { target: "/exact/", status: 200 },
      {
        target: "/exact?a=b",
        status: 301,
        differs: ["slash", {
          nginx: ["location: http://slash.test/exact/?a=b", "status 301"],
          pingress: ["status 404"],
        }],
      },
    ],
  },
  {
    name: "use-regex: the longest text first, in upper and lower case",
    host: "regex.test",
    ingresses: [{
      annotations: { "use-regex": "true" },
      paths: [
        { path: "/foo/bar", type: "ImplementationSpecific", service: "other" },
        { path: "/foo/bar/bar", type: "ImplementationSpecific", service: "other" },
        { path: "/foo/bar/[A-Z0-9]{3}", type: "ImplementationSpecific" },
        { path: "/[a-z]{4}", type: "ImplementationSpecific" },
        { path: "/end$", type: "ImplementationSpecific" },
        { path: "/exact", type: "Exact" },
      ],
    }],
    nginx: `
      location ~* "^/foo/bar/[A-Z0-9]{3}" { ${WEB} }
      location ~* "^/foo/bar/bar" { ${OTHER} }
      location ~* "^/[a-z]{4}" { ${WEB} }
      location ~* "^/foo/bar" { ${OTHER} }
      location ~* "^/exact" { ${WEB} }
      location ~* "^/end$" { ${WEB} }
      location ~* "^/" { ${NOT_FOUND} }`,
    questions: [
      { target: "/foo/bar/bar", status: 200 },
      { target: "/foo/bar/b", status: 200 },
      { target: "/FOO/BAR/a1b/more?x=y", status: 200 },
      { target: "/Uuid/other/path", status: 200 },
      { target: "/end", status: 200 },
      { target: "/end/", status: 404 },
      { target: "/x/uuid", status: 404 },
      { target: "/foo", status: 404 },
      { target: "/EXACTLY", status: 200 },
      {
        target: "/x/../foo/bar",
        status: 200,
        differs: passedOn("dots", "/x/../foo/bar", "/foo/bar", "other"),
      },
    ],
  },
  {
    name: "use-regex beside other Ingresses of the host",
    host: "reach.test",
    ingresses: [
      { annotations: { "use-regex": "true" }, paths: [{ path: "/api/v[0-9]+" }] },
      {
        paths: [{ path: "/Header", type: "Exact", service: "other" }, {
          path: "/docs",
          service: "other",
        }],
      },
    ],
    nginx: `
      location ~* "^/api/v[0-9]+" { ${WEB} }
      location ~* "^/Header" { ${OTHER} }
      location ~* "^/docs/" { ${OTHER} }
      location ~* "^/docs" { ${OTHER} }
      location ~* "^/" { ${NOT_FOUND} }`,
    questions: [
      { target: "/api/v1/users", status: 200 },
      { target: "/Header", status: 200 },
      { target: "/docs/a", status: 200 },
      notTaken("reach", "/headers", "other"),
      notTaken("reach", "/DOCS", "other"),
      notTaken("reach", "/docsearch", "other"),
    ],
  },
  {
    name: "rewrite-target with groups",
    host: "rewrite.test",
    ingresses: [{
      annotations: { "rewrite-target": "/new/$2" },
      paths: [{ path: "/api(/|$)(.*)", type: "ImplementationSpecific" }],
    }],
    nginx: `
      ${rewriting("/api(/|$)(.*)", "/new/$2")}
      location ~* "^/" { ${NOT_FOUND} }`,
    questions: [
      { target: "/api", status: 200 },
      { target: "/api/", status: 200 },
      { target: "/api/a/b?x=/api/1&y=$2", status: 200 },
      { target: "/API/Users", status: 200 },
      { target: "/apis", status: 404 },
      { target: "/api/a%20b%C3%A9", status: 200 },
      { target: "/x/../api/./users", status: 200 },
      { target: "/api/a+b:c@d;e=f,g!h~", status: 200 },
      { target: "/api/a%2Fb", status: 200, differs: passedOn("decoded", "/new/a/b", "/new/a%2Fb") },
      { target: "/api/%75sers", status: 200, differs: passedOn("decoded", "/new/users", "/new/%75sers") },
      { target: "/api//a", status: 200, differs: passedOn("decoded", "/new/a", "/new//a") },
      { target: "/api/a?", status: 200, differs: passedOn("emptyQuery", "/new/a", "/new/a?") },
      { method: "POST", target: "/api/a", body: "text", status: 200 },
    ],
  },
  {
    name: "rewrite-target of a plain path",
    host: "rewrite-plain.test",
    ingresses: [{ annotations: { "rewrite-target": "/" }, paths: [{ path: "/app" }] }],
    nginx: `
      ${rewriting("/app", "/")}
      location ~* "^/" { ${NOT_FOUND} }`,
    questions: [
      { target: "/app", status: 200 },
      { target: "/app/a?b=c", status: 200 },
      { target: "/Apple", status: 200 },
      { target: "/a", status: 404 },
    ],
  },
  {
    name: "rewrite-target that is the path",
    host: "rewrite-same.test",
    ingresses: [{ annotations: { "rewrite-target": "/app" }, paths: [{ path: "/app" }] }],
    nginx: `
      location /app/ { ${WEB} }
      location = /app { ${WEB} }
      location / { ${NOT_FOUND} }`,
    questions: [
      { target: "/app", status: 200 },
      { target: "/app/a", status: 200 },
      { target: "/apple", status: 404 },
    ],
  },
  {
    name: "rewrite-target that would leave the root",
    host: "rewrite-dots.test",
    ingresses: [{
      annotations: { "rewrite-target": "/$1" },
      paths: [{ path: "/files/?(.*)", type: "ImplementationSpecific" }],
    }],
    nginx: `
      ${rewriting("/files/?(.*)", "/$1")}
      location ~* "^/" { ${NOT_FOUND} }`,
    questions: [
      { target: "/files/a", status: 200 },
      {
        target: "/files../secret",
        status: 200,
        differs: ["outside", { nginx: ["status 200", "web gets GET /../secret"], pingress: ["status 400"] }],
      },
    ],
  },
  {
    name: "rewrite-target without a slash, and with groups that took nothing",
    host: "rewrite-groups.test",
    ingresses: [{
      annotations: { "rewrite-target": "$2x$3" },
      paths: [{ path: "/(a)?/(.*)", type: "ImplementationSpecific" }],
    }],
    nginx: `
      ${rewriting("/(a)?/(.*)", "$2x$3")}
      location ~* "^/" { ${NOT_FOUND} }`,
    questions: [{
      target: "/a/b",
      status: 200,
      differs: passedOn("outside", "bx", "/bx"),
    }],
  },
  {
    name: "alternatives",
    host: "alternatives.test",
    ingresses: [{
      annotations: { "use-regex": "true" },
      paths: [{ path: "/one|/two", type: "ImplementationSpecific" }],
    }],
    nginx: `
      location ~* "^/one|/two" { ${WEB} }
      location ~* "^/" { ${NOT_FOUND} }`,
    questions: [
      { target: "/one/a", status: 200 },
      { target: "/TWO", status: 200 },
      notTaken("alternatives", "/x/two"),
      { target: "/x/one", status: 404 },
    ],
  },
  {
    name: "x-forwarded-prefix where nothing is rewritten",
    host: "prefix-none.test",
    isTold: true,
    ingresses: [{ annotations: { "x-forwarded-prefix": "/red" } }],
    nginx: `location / { ${WEB} }`,
    questions: [{ status: 200 }, { fields: { "X-Forwarded-Prefix": "/own" }, status: 200 }],
  },
  {
    name: "server-alias",
    host: "alias.test",
    ingresses: [{ annotations: { "server-alias": "other-alias.test, *.wild-alias.test" } }],
    nginx: `
      server_name other-alias.test *.wild-alias.test;
      location / { ${WEB} }`,
    questions: [
      { host: "other-alias.test", status: 200 },
      { host: "a.wild-alias.test", status: 200 },
      {
        host: "b.a.wild-alias.test",
        status: 200,
        differs: ["aliasLabels", { nginx: ["status 200", "web gets GET /"], pingress: ["status 404"] }],
      },
      { host: "wild-alias.test", status: 404 },
      {
        host: "OTHER-alias.test:8080",
        status: 200,
        differs: PORT,
      },
    ],
  },
  {
    name: "rewrite-target that is a URL",
    host: "rewrite-url.test",
    ingresses: [{
      annotations: {
        "rewrite-target": "https://new.test/$1",
        "force-ssl-redirect": "false",
        "denylist-source-range": "10.0.0.9",
      },
      paths: [{ path: "/old/(.*)", type: "ImplementationSpecific" }],
    }],
    nginx: `
      ${rewriting("/old/(.*)", "https://new.test/$1", "deny 10.0.0.9;")}
      location ~* "^/" { ${NOT_FOUND} }`,
    questions: [
      { target: "/old/a?b=c", status: 302 },
      { target: "/old/a/b", status: 302 },
      { target: "/old/a", from: "10.0.0.9", status: 302 },
    ],
  },
  {
    name: "x-forwarded-prefix",
    host: "prefix.test",
    ingresses: [{
      annotations: { "rewrite-target": "/$2", "x-forwarded-prefix": "/$1" },
      paths: [{ path: "/(red|blue)/(.*)", type: "ImplementationSpecific" }],
    }],
    nginx: `
      ${rewriting("/(red|blue)/(.*)", "/$2", 'proxy_set_header X-Forwarded-Prefix "/$1";')}
      location ~* "^/" { ${NOT_FOUND} }`,
    questions: [
      { target: "/red/a", status: 200 },
      { target: "/BLUE/", fields: { "X-Forwarded-Prefix": "/forged" }, status: 200 },
    ],
  },
  {
    name: "a wildcard host",
    host: "*.wild.test",
    // so ingress-nginx spells it
    serverName: `"~^(?<subdomain>[\\w-]+)\\.wild\\.test$"`,
    ingresses: [{}],
    nginx: `location / { ${WEB} }`,
    questions: [
      { host: "a.wild.test", status: 200 },
      { host: "A.WILD.test", status: 200 },
      { host: "b.a.wild.test", status: 404 },
      { host: "wild.test", status: 404 },
    ],
  },
  {
    name: "a host that a wildcard host covers, too",
    host: "more.wild.test",
    ingresses: [{ paths: [{ path: "/more", service: "other" }] }],
    nginx: `
      location /more/ { ${OTHER} }
      location = /more { ${OTHER} }
      location / { ${NOT_FOUND} }`,
    questions: [
      { target: "/more", status: 200 },
      {
        target: "/less",
        status: 404,
        differs: ["fallThrough", { nginx: ["status 404"], pingress: ["status 200", "web gets GET /less"] }],
      },
    ],
  },
  {
    name: "upstream-vhost",
    host: "vhost.test",
    ingresses: [{ annotations: { "upstream-vhost": "web.internal:8080" } }],
    nginx: `
      location / {
        include proxied;
        proxy_set_header Host "web.internal:8080";
        proxy_pass http://web;
      }`,
    questions: [{ status: 200 }, { host: "vhost.test:80", status: 200 }],
  },
  {
    name: "what backends are told",
    host: "told.test",
    hasCertificate: true,
    ingresses: [{}],
    nginx: `
      location / { ${WEB} }`,
    questions: [
      { target: "/a?b=c", fields: { Cookie: "a=b; c=d", "X-Own": "1", "X_Own": "2" }, status: 200 },
      { scheme: "https", status: 200 },
      {
        host: "told.test:8080",
        status: 200,
        differs: PORT,
      },
      {
        fields: {
          "X-Forwarded-For": "192.0.2.1",
          "X-Forwarded-Host": "forged.test",
          "X-Forwarded-Proto": "https",
          "X-Forwarded-Port": "443",
          "X-Real-IP": "192.0.2.1",
        },
        status: 200,
      },
      { fields: { "X-Forwarded-Scheme": "https", "X-Scheme": "https" }, status: 200 },
      { fields: { Proxy: "http://forged.test/" }, status: 200 },
      { fields: { Authorization: "Bearer x", Accept: "*/*", TE: "trailers" }, status: 200 },
      { method: "DELETE", target: "/a", body: "text", status: 200 },
      { fields: { "X-Request-ID": "id-1" }, status: 200 },
      { fields: { "X-Forwarded-Prefix": "/a", "X-Original-URI": "/b" }, status: 200 },
      { host: "TOLD.test", status: 200 },
      { host: "told.test.", status: 200 },
      {
        fields: { "X-Answer": "X-Accel-Buffering: no" },
        status: 200,
        differs: ["accel", { pingress: ["x-accel-buffering: no"] }],
      },
      { fields: { "X-Answer": "Vary: Accept" }, status: 200 },
      { fields: { "X-Answer": "Link: </a>; rel=preload" }, status: 200 },
      { fields: { "X-Answer": "Strict-Transport-Security: max-age=1" }, status: 200 },
      { fields: { "X-Answer": "X-Own: 1", "User-Agent": "test" }, status: 200 },
      { fields: { "X-Answer": "Location: http://web/" }, status: 200 },
      { fields: { "X-Answer": "Set-Cookie: a=b; Path=/; Secure" }, status: 200 },
      { fields: { "X-Answer": "Server: own/1" }, status: 200 },
    ],
  },
];
