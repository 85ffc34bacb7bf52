import { type Case, type CaseQuestion, type Differs, times } from "./comparison.ts";
import { ALL_ORIGINS, HEADERS, nginxCors, TO_HTTPS, WEB } from "./locations.ts";

const ofOrigin = (origin: string): Pick<CaseQuestion, "fields"> => ({ fields: { Origin: origin } });

const preflight = (origin: string): Pick<CaseQuestion, "method" | "fields"> => ({
  method: "OPTIONS",
  fields: { Origin: origin, "Access-Control-Request-Method": "PUT" },
});

const CORS_CASES: Case[] = [
  {
    name: "enable-cors for all origins",
    host: "cors.test",
    ingresses: [{ annotations: { "enable-cors": "true" } }],
    nginx: `location / { ${nginxCors(ALL_ORIGINS)} ${WEB} }`,
    questions: [
      { status: 200 },
      { ...ofOrigin("https://a.test"), status: 200 },
      { ...preflight("https://a.test"), status: 204 },
      { method: "OPTIONS", status: 204 },
      { method: "POST", body: "text", ...ofOrigin("https://a.test"), status: 200 },
    ],
  },
  {
    name: "enable-cors for some origins",
    host: "origins.test",
    ingresses: [{
      annotations: {
        "enable-cors": "true",
        "cors-allow-origin": "https://a.test, https://*.b.test:8443",
        "cors-allow-methods": "GET, PUT",
        "cors-allow-headers": "X-One,X-Two",
        "cors-allow-credentials": "false",
        "cors-expose-headers": "X-Three",
        "cors-max-age": "600",
      },
    }],
    nginx: `location / { ${
      nginxCors(
        `set $cors ""; if ($http_origin ~* ((https://a\\.test)|(https://[A-Za-z0-9\\-]+\\.b\\.test:8443))$ ) { set $cors "true"; }`,
        { credentials: "", methods: "GET, PUT", headers: "X-One,X-Two", exposes: "X-Three", maxAge: "600" },
      )
    } ${WEB} }`,
    differs: ["vary", { pingress: ["vary: Origin"] }],
    questions: [
      { ...ofOrigin("https://a.test"), status: 200 },
      { ...preflight("https://a.test"), status: 204 },
      { ...ofOrigin("HTTPS://x.B.test:8443"), status: 200 },
      { ...preflight("https://x.b.test:8443"), status: 204 },
      { ...ofOrigin("https://b.test:8443"), status: 200 },
      { ...preflight("https://y.x.b.test:8443"), status: 200 },
      { ...ofOrigin("https://a.test.evil.test"), status: 200 },
      { ...preflight("http://a.test"), status: 200 },
      { status: 200 },
      { method: "OPTIONS", status: 200 },
      {
        ...ofOrigin("xhttps://a.test"),
        status: 200,
        differs: ["originStart", {
          nginx: [
            "access-control-allow-headers: X-One,X-Two",
            "access-control-allow-methods: GET, PUT",
            "access-control-allow-origin: xhttps://a.test",
            "access-control-expose-headers: X-Three",
            "access-control-max-age: 600",
          ],
        }],
      },
    ],
  },
  {
    name: "CORS comes before who may come in, limits and redirects",
    host: "cors-first.test",
    ingresses: [{
      annotations: {
        "enable-cors": "true",
        "auth-type": "basic",
        "auth-secret": "users",
        "limit-rpm": "1",
        "limit-burst-multiplier": "1",
      },
    }],
    http: "limit_req_zone $binary_remote_addr zone=cors:5m rate=1r/m;",
    nginx: `location / {
        ${nginxCors(ALL_ORIGINS)}
        ${WEB}
        auth_basic "";
        auth_basic_user_file users;
        limit_req zone=cors burst=1 nodelay;
      }`,
    questions: [
      ...times(3, { ...preflight("https://a.test"), status: 204 }),
      { ...ofOrigin("https://a.test"), status: 401 },
      { ...ofOrigin("https://a.test"), status: 401 },
      { ...ofOrigin("https://a.test"), status: 503 },
    ],
  },
  {
    name: "CORS comes before redirects, and redirects say it, too",
    host: "cors-redirect.test",
    ingresses: [{ annotations: { "enable-cors": "true", "permanent-redirect": "https://new.test/" } }],
    nginx: `location / { ${nginxCors(ALL_ORIGINS)} return 301 https://new.test/; }`,
    questions: [
      { ...preflight("https://a.test"), status: 204 },
      { ...ofOrigin("https://a.test"), status: 301 },
    ],
  },
  {
    name: "CORS comes before force-ssl-redirect",
    host: "cors-ssl.test",
    ingresses: [{ annotations: { "enable-cors": "true", "force-ssl-redirect": "true" } }],
    nginx: `location / { ${nginxCors(ALL_ORIGINS)} ${TO_HTTPS} ${WEB} }`,
    questions: [{ ...preflight("https://a.test"), status: 204 }],
  },
];

/** How ingress-nginx asks the backend of custom-http-errors. */
function customError(code: string): string {
  return `
      location @custom_${code} {
        internal;
        proxy_intercept_errors off;
        proxy_http_version 1.1;
        proxy_set_header Connection "";
        proxy_set_header X-Code ${code};
        proxy_set_header X-Format $http_accept;
        proxy_set_header X-Original-URI $request_uri;
        proxy_set_header X-Namespace $namespace;
        proxy_set_header X-Ingress-Name $ingress_name;
        proxy_set_header X-Service-Name $service_name;
        proxy_set_header X-Service-Port $service_port;
        proxy_set_header X-Request-ID $req_id;
        proxy_set_header X-Forwarded-For $remote_addr;
        proxy_set_header Host $http_host;
        rewrite (.*) / break;
        proxy_pass http://other;
      }`;
}

function errorFields(from: string): Differs {
  const told = { "x-forwarded-host": "errors.test", "x-forwarded-port": "80", "x-forwarded-proto": "http" };
  const pingress = Object.entries({ ...told, "x-real-ip": from });
  return ["errors", { pingress: pingress.map(([name, value]) => `other gets ${name}: ${value}`) }];
}

const ERROR_FIELDS = errorFields("10.0.0.1");

const HEADER_CASES: Case[] = [
  {
    name: "custom-headers",
    host: "headers.test",
    ingresses: [{
      annotations: {
        "custom-headers": "X-Frame-Options: DENY\nX-Own: a b",
        "denylist-source-range": "10.0.0.9",
      },
    }],
    // more_set_headers replaces the backend's own
    nginx: `
      location / {
        ${WEB}
        deny 10.0.0.9;
        proxy_hide_header X-Frame-Options;
        add_header X-Frame-Options DENY always;
        add_header X-Own "a b" always;
      }`,
    questions: [
      { status: 200 },
      { fields: { "X-Answer": "X-Frame-Options: SAMEORIGIN" }, status: 200 },
      { from: "10.0.0.9", status: 403 },
      { method: "HEAD", from: "10.0.0.9", status: 403 },
    ],
  },
  {
    name: "custom-headers of redirects, and of what is refused for other reasons",
    host: "headers-first.test",
    ingresses: [
      { annotations: { "custom-headers": "X-Own: 1", "permanent-redirect": "https://new.test/" } },
      {
        annotations: {
          "custom-headers": "X-Own: 1",
          "auth-type": "basic",
          "auth-secret": "users",
          "proxy-body-size": "1",
        },
        paths: [{ path: "/in" }],
      },
    ],
    nginx: `
      location / { add_header X-Own 1 always; return 301 https://new.test/; }
      location /in/ {
        add_header X-Own 1 always;
        ${WEB}
        auth_basic "";
        auth_basic_user_file users;
        client_max_body_size 1;
      }`,
    questions: [
      { status: 301 },
      { target: "/in/", status: 401 },
      { method: "POST", target: "/in/", body: "1", status: 401 },
    ],
  },
  {
    name: "backends that do not answer",
    host: "down.test",
    ingresses: [{ paths: [{ path: "/down", service: "down" }, { path: "/none", service: "none" }] }],
    // Lua answers where there is no endpoint
    nginx: `
      location /down { ${HEADERS} proxy_pass http://down; }
      location /none { return 503; }`,
    questions: [
      { target: "/down", status: 502 },
      { method: "POST", target: "/down", body: "text", status: 502 },
      { target: "/none", status: 503 },
    ],
  },
  {
    name: "custom-http-errors with default-backend",
    host: "errors.test",
    ingresses: [{
      annotations: {
        "custom-http-errors": "403,404",
        "default-backend": "other",
        "denylist-source-range": "10.0.0.9",
      },
    }],
    nginx: `
      ${["403", "404"].map(customError).join("")}
      location / {
        set $namespace "default";
        set $ingress_name "errors.test-0";
        set $service_name "web";
        set $service_port "80";
        deny 10.0.0.9;
        proxy_intercept_errors on;
        error_page 403 = @custom_403;
        error_page 404 = @custom_404;
        ${WEB}
      }`,
    questions: [
      { fields: { "X-Status": "500" }, status: 500 },
      {
        target: "/a?b=c",
        fields: { "X-Status": "404", Accept: "text/html" },
        status: 200,
        differs: ERROR_FIELDS,
      },
      { fields: { "X-Status": "404", "X-Other-Status": "404" }, status: 404, differs: ERROR_FIELDS },
      { from: "10.0.0.9", status: 200, differs: errorFields("10.0.0.9") },
      { method: "HEAD", fields: { "X-Status": "404" }, status: 200, differs: ERROR_FIELDS },
      {
        method: "POST",
        target: "/a",
        body: "text",
        fields: { "X-Status": "404" },
        status: 200,
        differs: ["errors", {
          nginx: ["other gets POST /", "other gets content-length: 4", "other gets content: text"],
          pingress: ["other gets GET /", ...ERROR_FIELDS[1].pingress ?? []],
        }],
      },
    ],
  },
  {
    name: "proxy-body-size",
    host: "size.test",
    ingresses: [{ annotations: { "proxy-body-size": "8" } }],
    nginx: `location / { ${WEB} client_max_body_size 8; }`,
    questions: [
      { method: "POST", body: "x".repeat(8), status: 200 },
      { method: "POST", body: "x".repeat(9), status: 413 },
      { method: "POST", body: "x".repeat(9), fields: { Expect: "100-continue" }, status: 413 },
      { method: "PUT", fields: { "Transfer-Encoding": "chunked" }, status: 413, chunks: ["123456789"] },
      {
        method: "PUT",
        fields: { "Transfer-Encoding": "chunked" },
        status: 200,
        chunks: ["12345678"],
        differs: ["buffering", {
          nginx: ["web gets content-length: 8"],
          pingress: ["web gets transfer-encoding: chunked"],
        }],
      },
      { status: 200 },
    ],
  },
  {
    name: "proxy-body-size comes before redirects and who may come in",
    host: "size-first.test",
    ingresses: [{
      annotations: { "proxy-body-size": "1k", "denylist-source-range": "10.0.0.9" },
    }],
    nginx: `location / { ${WEB} client_max_body_size 1k; deny 10.0.0.9; }`,
    questions: [
      { method: "POST", body: "x".repeat(1025), status: 413 },
      { method: "POST", body: "x".repeat(1024), status: 200 },
      {
        method: "POST",
        body: "x".repeat(1025),
        from: "10.0.0.9",
        status: 413,
        differs: ["sizeFirst", { nginx: ["status 413"], pingress: ["status 403"] }],
      },
    ],
  },
  {
    name: "no proxy-body-size",
    host: "size-none.test",
    ingresses: [{}],
    nginx: `location / { ${WEB} }`,
    questions: [{
      method: "POST",
      body: "x".repeat(1024 * 1024 + 1),
      status: 413,
      differs: ["sizeDefault", { nginx: ["status 413"], pingress: ["status 200", "web gets POST /"] }],
    }],
  },
];

/** How cookies name the backend: the MD5 sum of the MD5 sum of default-web-80, and of that itself. */
const BACKEND = "6cde5721ec2c7e2bce07cff7d0e4ac37";

/**
 * ingress-nginx makes the cookie in Lua: what it says is written by hand, after its documentation of
 * session-cookie-*.
 */
function affinityCase(
  name: string,
  { annotations, cookie, questions = [{ status: 200 }], paths = [{ path: "/" }] }:
    & { annotations: Record<string, string>; cookie: string }
    & Partial<Pick<Case, "questions"> & { paths: { path: string }[] }>,
): Case {
  const host = `${name.replaceAll(/[^a-z]+/gi, "-").toLowerCase()}.test`;
  return {
    name,
    host,
    hasCertificate: true,
    ingresses: [{ annotations: { affinity: "cookie", ...annotations }, paths }],
    nginx: `location / { ${WEB} add_header Set-Cookie "${cookie}" always; }`,
    questions,
  };
}

const AFFINITY_CASES: Case[] = [
  affinityCase("affinity", { annotations: {}, cookie: `INGRESSCOOKIE=x|${BACKEND}; Path=/; HttpOnly` }),
  affinityCase("affinity over HTTPS", {
    annotations: {},
    cookie: `INGRESSCOOKIE=x|${BACKEND}; Path=/; Secure; HttpOnly`,
    questions: [{ scheme: "https", status: 200 }],
  }),
  affinityCase("affinity persistent with all", {
    annotations: {
      "affinity-mode": "persistent",
      "session-cookie-name": "route",
      "session-cookie-expires": "172800",
      "session-cookie-max-age": "86400",
      "session-cookie-path": "/app",
      "session-cookie-domain": "site.test",
      "session-cookie-samesite": "Lax",
      "session-cookie-secure": "true",
    },
    cookie: `route=x|${BACKEND}; Expires=then; Max-Age=86400; Domain=site.test; Path=/app; Secure; ` +
      "HttpOnly; SameSite=Lax",
  }),
  affinityCase("affinity not secure over HTTPS", {
    annotations: { "session-cookie-secure": "false" },
    cookie: `INGRESSCOOKIE=x|${BACKEND}; Path=/; Secure; HttpOnly`,
    questions: [{ scheme: "https", status: 200 }],
  }),
  affinityCase("affinity of a path", {
    annotations: {},
    paths: [{ path: "/app" }],
    cookie: `INGRESSCOOKIE=x|${BACKEND}; Path=/app; HttpOnly`,
    questions: [{ target: "/app/a", status: 200 }],
  }),
  affinityCase("affinity of a regular expression", {
    annotations: { "use-regex": "true" },
    paths: [{ path: "/app/[0-9]+" }],
    cookie: `INGRESSCOOKIE=x|${BACKEND}; Path=/app/[0-9]+; HttpOnly`,
    questions: [{
      target: "/app/1",
      status: 200,
      differs: ["cookiePath", { nginx: ["set-cookie: Path=/app/[0-9]+"], pingress: ["set-cookie: Path=/"] }],
    }],
  }),
];

/** What answers say. */
export const ANSWER_CASES: Case[] = [...CORS_CASES, ...HEADER_CASES, ...AFFINITY_CASES];
