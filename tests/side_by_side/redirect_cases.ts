import type { Case, Differs } from "./comparison.ts";
import type { DifferenceName } from "./differences.ts";
import { ALL_ORIGINS, nginxCors, NOT_FOUND, TO_HTTPS, WEB } from "./locations.ts";

/** Another Location. */
function moved(why: DifferenceName, nginx: string, pingress: string): Differs {
  return [why, { nginx: [`location: ${nginx}`], pingress: [`location: ${pingress}`] }];
}

/** Where clients are sent, with which status. */
export const REDIRECT_CASES: Case[] = [
  {
    name: "ssl-redirect, where there is a certificate",
    host: "ssl.test",
    hasCertificate: true,
    ingresses: [{ annotations: { "ssl-redirect": "true" } }],
    nginx: `location / { ${TO_HTTPS} ${WEB} }`,
    questions: [
      { target: "/a/b?c=d", status: 308 },
      { target: "/", status: 308 },
      { target: "/a/", status: 308 },
      { target: "/a?b=/", status: 308 },
      {
        target: "/a",
        host: "SSL.test:8080",
        status: 308,
        differs: moved("lowerCase", "https://SSL.test/a", "https://ssl.test/a"),
      },
      {
        target: "/a",
        host: "ssl.test.",
        status: 308,
        differs: moved("lowerCase", "https://ssl.test./a", "https://ssl.test/a"),
      },
      { target: "/x/../a%20b/", status: 308 },
      { method: "POST", target: "/a", body: "text", status: 308 },
      { method: "HEAD", target: "/a", status: 308 },
      { method: "OPTIONS", target: "/a", status: 308 },
      { scheme: "https", target: "/a", status: 200 },
      { target: "/a", fields: { "X-Forwarded-Proto": "https" }, status: 308 },
    ],
  },
  {
    name: "ssl-redirect, where there is none",
    host: "ssl-none.test",
    ingresses: [{ annotations: { "ssl-redirect": "true" } }],
    nginx: `location / { ${WEB} }`,
    questions: [{ target: "/a", status: 200 }],
  },
  {
    name: "force-ssl-redirect and preserve-trailing-slash",
    host: "force.test",
    ingresses: [{ annotations: { "force-ssl-redirect": "true", "preserve-trailing-slash": "true" } }],
    nginx: `location / { if ($scheme = http) { return 308 https://$http_host$request_uri; } ${WEB} }`,
    questions: [{ target: "/a/?b=c", status: 308 }, { target: "/a/", status: 308 }],
  },
  {
    name: "force-ssl-redirect comes before addresses and passwords",
    host: "force-first.test",
    ingresses: [{
      annotations: {
        "force-ssl-redirect": "true",
        "denylist-source-range": "10.0.0.0/8",
        "auth-type": "basic",
        "auth-secret": "users",
      },
    }],
    nginx: `location / { deny 10.0.0.0/8; auth_basic ""; auth_basic_user_file users; ${TO_HTTPS} ${WEB} }`,
    questions: [{ target: "/a", status: 308 }],
  },
  ...([
    [{}, 301],
    [{ "permanent-redirect-code": "308" }, 308],
    [{ "permanent-redirect-code": "307" }, 307],
    [{ "permanent-redirect-code": "303" }, 303],
    [{ "permanent-redirect-code": "300" }, 300],
  ] as [code: Record<string, string>, status: number][]).map(([code, status], index): Case => ({
    name: `permanent-redirect with ${JSON.stringify(code)}`,
    isTold: status === 300,
    host: `permanent-${index}.test`,
    ingresses: [{ annotations: { "permanent-redirect": "https://new.test/x?y=z", ...code } }],
    nginx: `location / { return ${status} https://new.test/x?y=z; ${WEB} }`,
    ...status === 300 && {
      differs: ["redirectCode", {
        nginx: ["status 300"],
        pingress: ["location: https://new.test/x?y=z", "status 301"],
      }],
    },
    questions: [{ target: "/a?b=c", status }, { method: "POST", target: "/", body: "text", status }],
  })),
  ...([
    [{}, 302],
    [{ "temporal-redirect-code": "307" }, 307],
    [{ "temporal-redirect-code": "303" }, 303],
    // one that says that it is for ever is none
    [{ "temporal-redirect-code": "308" }, 302],
  ] as [code: Record<string, string>, status: number][]).map(([code, status], index): Case => ({
    name: `temporal-redirect with ${JSON.stringify(code)}`,
    isTold: "temporal-redirect-code" in code && status === 302,
    host: `temporal-${index}.test`,
    ingresses: [{ annotations: { "temporal-redirect": "https://new.test/", ...code } }],
    nginx: `location / { return ${status} https://new.test/; ${WEB} }`,
    questions: [{ target: "/a?b=c", status }, { method: "HEAD", status }],
  })),
  {
    name: "permanent-redirect with variables",
    host: "variables.test",
    ingresses: [{ annotations: { "permanent-redirect": "https://www.$host$request_uri" } }],
    // so it was with ingress-nginx before 1.12
    nginx: `location / { return 301 https://www.$host$request_uri; }`,
    questions: [
      { target: "/a%20b/../c?d=e", status: 301 },
      { target: "//x", host: "VARIABLES.test:80", status: 301 },
    ],
  },
  {
    name: "temporal-redirect comes before permanent-redirect, and both before all else",
    host: "redirects.test",
    isTold: true,
    ingresses: [{
      annotations: {
        "temporal-redirect": "https://temporal.test/",
        "permanent-redirect": "https://permanent.test/",
        "force-ssl-redirect": "true",
        "denylist-source-range": "10.0.0.0/8",
        "limit-connections": "1",
      },
    }],
    nginx: `location / { deny 10.0.0.0/8; return 302 https://temporal.test/; ${TO_HTTPS} ${WEB} }`,
    questions: [{ target: "/a", status: 302 }],
  },
  {
    name: "app-root",
    host: "root.test",
    hasCertificate: true,
    ingresses: [{
      annotations: { "app-root": "/app", "ssl-redirect": "true" },
      paths: [{ path: "/" }, { path: "/app" }],
    }],
    nginx: `
      if ($uri = /) { return 302 $scheme://$http_host/app; }
      location /app/ { ${TO_HTTPS} ${WEB} }
      location = /app { ${TO_HTTPS} ${WEB} }
      location / { ${TO_HTTPS} ${WEB} }`,
    questions: [
      { target: "/", status: 302, differs: moved("appRoot", "http://root.test/app", "/app") },
      {
        target: "/?a=b",
        scheme: "https",
        status: 302,
        differs: moved("appRoot", "https://root.test/app", "/app"),
      },
      {
        method: "POST",
        target: "/",
        body: "text",
        status: 302,
        differs: moved("appRoot", "http://root.test/app", "/app"),
      },
      { target: "/app", scheme: "https", status: 200 },
      { target: "/a", status: 308 },
      {
        target: "//",
        scheme: "https",
        status: 302,
        differs: ["tidied", {
          nginx: ["location: https://root.test/app", "status 302"],
          pingress: ["status 200", "web gets GET //"],
        }],
      },
    ],
  },
  {
    name: "app-root comes before who may come in, and before CORS",
    host: "root-first.test",
    ingresses: [{
      annotations: { "app-root": "/app", "enable-cors": "true", "denylist-source-range": "10.0.0.0/8" },
    }],
    nginx: `
      if ($uri = /) { return 302 $scheme://$http_host/app; }
      location / { deny 10.0.0.0/8; ${nginxCors(ALL_ORIGINS)} ${WEB} }`,
    questions: [
      { target: "/", status: 302, differs: moved("appRoot", "http://root-first.test/app", "/app") },
      { target: "/a", status: 403 },
      {
        method: "OPTIONS",
        target: "/",
        fields: { Origin: "https://a.test" },
        status: 302,
        differs: moved("appRoot", "http://root-first.test/app", "/app"),
      },
    ],
  },
  {
    name: "from-to-www-redirect",
    host: "www.away.test",
    hasCertificate: true,
    ingresses: [{ host: "away.test", annotations: { "from-to-www-redirect": "true" } }],
    nginx: `location / { return 308 $scheme://away.test:$pass_port$uri_without_slash; }`,
    questions: [
      {
        target: "/a?b=c",
        status: 308,
        differs: moved("www", "http://away.test:80/a?b=c", "http://away.test/a?b=c"),
      },
      {
        scheme: "https",
        target: "/a/",
        status: 308,
        differs: moved("www", "https://away.test:443/a", "https://away.test/a/"),
      },
    ],
  },
  {
    name: "a redirect of the backend",
    host: "backends-own.test",
    ingresses: [{}],
    nginx: `location / { ${WEB} }`,
    questions: [{ fields: { "X-Answer": "Location: http://backends-own.test:8080/a" }, status: 200 }],
  },
  {
    name: "no rule",
    host: "no-rule.test",
    ingresses: [{ paths: [{ path: "/a" }] }],
    nginx: `location /a/ { ${WEB} } location = /a { ${WEB} } location / { ${NOT_FOUND} }`,
    questions: [{ target: "/b", status: 404 }, { method: "POST", target: "/b", body: "x", status: 404 }],
  },
];
