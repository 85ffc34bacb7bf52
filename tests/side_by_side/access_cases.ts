import { type Case, type CaseQuestion, times } from "./comparison.ts";
import { OTHER, WEB } from "./locations.ts";

const BASIC = { "auth-type": "basic", "auth-secret": "users", "auth-realm": "The back office" };
const NGINX_BASIC = `
        auth_basic "The back office";
        auth_basic_user_file users;
        proxy_set_header Authorization "";`;

const as = (user: string, password: string): Pick<CaseQuestion, "fields"> => ({
  fields: { Authorization: `Basic ${btoa(`${user}:${password}`)}` },
});

/** What ingress-nginx asks the server of auth-url with, and what auth-method adds. */
function nginxAuth(method = ""): string {
  return `
      location = /_external-auth {
        internal;
        proxy_pass_request_body off;
        proxy_set_header Content-Length "";
        proxy_set_header X-Forwarded-Proto "";
        proxy_set_header X-Request-ID $req_id;
        proxy_set_header Host 127.0.0.1;
        proxy_set_header X-Original-URL $scheme://$http_host$request_uri;
        proxy_set_header X-Original-Method $request_method;
        proxy_set_header X-Sent-From "nginx-ingress-controller";
        proxy_set_header X-Real-IP $remote_addr;
        proxy_set_header X-Forwarded-For $remote_addr;
        proxy_set_header X-Auth-Request-Redirect $request_uri;
        proxy_http_version 1.1;
        proxy_set_header Connection "";
        proxy_pass http://auth/check;
        ${method}
      }`;
}

/** Who may come in, and how often. */
export const ACCESS_CASES: Case[] = [
  {
    name: "auth-type: basic",
    host: "basic.test",
    ingresses: [{ annotations: BASIC }],
    nginx: `location / { ${WEB} ${NGINX_BASIC} }`,
    questions: [
      { status: 401 },
      { ...as("sha", "sha-pw"), status: 200 },
      { ...as("sha", "wrong"), status: 401 },
      ...["bcrypt", "apr1"].flatMap((user) => [
        { ...as(user, `${user}-pw`), status: 200 },
        { ...as(user, "wrong"), status: 401 },
      ]),
      { ...as("nobody", "sha-pw"), status: 401 },
      { fields: { Authorization: "Bearer x" }, status: 401 },
      { fields: { Authorization: "Basic !!!" }, status: 401 },
      { fields: { Authorization: "basic c2hhOnNoYS1wdw==" }, status: 200 },
      { method: "HEAD", status: 401 },
      { method: "OPTIONS", status: 401 },
      { method: "POST", body: "text", status: 401 },
    ],
  },
  {
    name: "auth-type: basic with a password that is no hash",
    host: "hash.test",
    isTold: true,
    ingresses: [{ annotations: { "auth-type": "basic", "auth-secret": "plain" } }],
    nginx: `location / {
        ${WEB}
        auth_basic "";
        auth_basic_user_file plain;
        proxy_set_header Authorization "";
      }`,
    questions: [
      {
        ...as("plain", "plain-pw"),
        status: 200,
        differs: ["hash", {
          nginx: ["status 200", "web gets GET /"],
          pingress: ["status 401"],
        }],
      },
      { ...as("plain", "wrong"), status: 401 },
    ],
  },
  {
    name: "auth-type: basic without a realm",
    host: "realm.test",
    ingresses: [{ annotations: { "auth-type": "basic", "auth-secret": "users" } }],
    nginx: `location / { ${WEB} auth_basic ""; auth_basic_user_file users; }`,
    questions: [{ status: 401 }],
  },
  {
    name: "allowlist-source-range and denylist-source-range",
    host: "lists.test",
    ingresses: [{
      annotations: {
        "allowlist-source-range": "10.0.0.0/24, 192.0.2.1",
        "denylist-source-range": "10.0.0.9",
      },
    }],
    nginx: `location / { ${WEB} deny 10.0.0.9; allow 10.0.0.0/24; allow 192.0.2.1; deny all; }`,
    questions: [
      { from: "10.0.0.1", status: 200 },
      { from: "192.0.2.1", status: 200 },
      { from: "10.0.0.9", status: 403 },
      { from: "10.0.1.1", status: 403 },
      { from: "10.0.1.1", method: "HEAD", status: 403 },
      { from: "10.0.1.1", fields: { "X-Forwarded-For": "10.0.0.1" }, status: 403 },
    ],
  },
  {
    name: "denylist-source-range",
    host: "deny.test",
    ingresses: [{ annotations: { "denylist-source-range": "10.0.1.0/24" } }],
    nginx: `location / { ${WEB} deny 10.0.1.0/24; }`,
    questions: [{ from: "10.0.0.1", status: 200 }, { from: "10.0.1.1", status: 403 }],
  },
  {
    name: "addresses and a password: all",
    host: "all.test",
    ingresses: [{ annotations: { ...BASIC, "whitelist-source-range": "10.0.0.0/24" } }],
    nginx: `location / { ${WEB} ${NGINX_BASIC} allow 10.0.0.0/24; deny all; }`,
    questions: [
      { ...as("sha", "sha-pw"), status: 200 },
      { status: 401 },
      { from: "10.0.1.1", status: 403 },
      { from: "10.0.1.1", ...as("sha", "sha-pw"), status: 403 },
    ],
  },
  {
    name: "addresses and a password: any",
    host: "any.test",
    ingresses: [{
      annotations: { ...BASIC, "whitelist-source-range": "10.0.0.0/24", "satisfy": "any" },
    }],
    nginx: `location / { ${WEB} ${NGINX_BASIC} allow 10.0.0.0/24; deny all; satisfy any; }`,
    questions: [
      { status: 200 },
      { from: "10.0.1.1", status: 401 },
      { from: "10.0.1.1", ...as("sha", "sha-pw"), status: 200 },
      { from: "10.0.1.1", ...as("sha", "wrong"), status: 401 },
    ],
  },
  {
    name: "a denied address and a password: any",
    host: "any-deny.test",
    ingresses: [{ annotations: { ...BASIC, "denylist-source-range": "10.0.1.0/24", "satisfy": "any" } }],
    nginx: `location / { ${WEB} ${NGINX_BASIC} deny 10.0.1.0/24; satisfy any; }`,
    questions: [
      { status: 401 },
      { ...as("sha", "sha-pw"), status: 200 },
      { from: "10.0.1.1", status: 401 },
      { from: "10.0.1.1", ...as("sha", "sha-pw"), status: 200 },
    ],
  },
  {
    name: "auth-url",
    host: "auth.test",
    ingresses: [{
      annotations: { "auth-url": "http://AUTH/check", "auth-response-headers": "X-User, X-Team" },
    }],
    nginx: `
      ${nginxAuth()}
      location / {
        auth_request /_external-auth;
        auth_request_set $auth_cookie $upstream_http_set_cookie;
        add_header Set-Cookie $auth_cookie;
        auth_request_set $authHeader0 $upstream_http_x_user;
        auth_request_set $authHeader1 $upstream_http_x_team;
        ${WEB}
        proxy_set_header X-User $authHeader0;
        proxy_set_header X-Team $authHeader1;
      }`,
    differs: ["auth", { pingress: ["auth gets x-original-uri: /?a=b", "auth gets x-scheme: http"] }],
    questions: [
      { target: "/?a=b", fields: { "X-Auth-Answer": "X-User: me", "X-Team": "forged" }, status: 200 },
      { target: "/?a=b", fields: { "X-Auth-Answer": "Set-Cookie: a=b; Path=/" }, status: 200 },
      {
        target: "/?a=b",
        fields: { "X-Auth-Answer": "Set-Cookie: a=b; Path=/", "X-Status": "500" },
        status: 500,
      },
      { target: "/?a=b", fields: { "X-Auth-Status": "401" }, status: 401 },
      {
        target: "/?a=b",
        fields: { "X-Auth-Status": "401", "X-Auth-Answer": "WWW-Authenticate: Bearer x" },
        status: 401,
      },
      { target: "/?a=b", fields: { "X-Auth-Status": "403" }, status: 403 },
      { target: "/?a=b", fields: { "X-Auth-Status": "500" }, status: 500 },
      { target: "/?a=b", fields: { "X-Auth-Status": "302" }, status: 500 },
      { target: "/?a=b", method: "POST", body: "text", fields: { Cookie: "a=b" }, status: 200 },
    ],
  },
  {
    name: "auth-url with auth-signin, which says where to come back to",
    host: "signin.test",
    ingresses: [{
      annotations: {
        "auth-url": "http://AUTH/check",
        "auth-method": "HEAD",
        "auth-signin": "https://login.test/start?x=y",
        "auth-signin-redirect-param": "back",
      },
    }],
    // set_escape_uri is another module's
    nginx: `
      ${
      nginxAuth(
        "proxy_method HEAD; proxy_set_header X-Original-URI $request_uri; proxy_set_header X-Scheme $scheme;",
      )
    }
      location @signin {
        internal;
        set $escaped_request_uri "%2Fa%3Fb%3Dc%2520d";
        return 302 https://login.test/start?x=y&back=$scheme://$http_host$escaped_request_uri;
      }
      location / { auth_request /_external-auth; error_page 401 = @signin; ${WEB} }`,
    questions: [
      { target: "/a?b=c%20d", fields: { "X-Auth-Status": "401" }, status: 302 },
      { target: "/a?b=c", status: 200 },
      { fields: { "X-Auth-Status": "403" }, status: 403 },
    ],
  },
  {
    name: "limit-rpm",
    host: "rpm.test",
    ingresses: [{
      annotations: { "limit-rpm": "1", "limit-whitelist": "10.0.0.9" },
      // they are counted together
      paths: [{ path: "/" }, { path: "/other", service: "other" }],
    }],
    http: `
  geo $remote_addr $allowlist_rpm { default 0; 10.0.0.9 1; }
  map $allowlist_rpm $limit_rpm { 0 $binary_remote_addr; 1 ""; }
  limit_req_zone $limit_rpm zone=rpm:5m rate=1r/m;`,
    nginx: `
      location / { ${WEB} limit_req zone=rpm burst=5 nodelay; }
      location = /other { ${OTHER} limit_req zone=rpm burst=5 nodelay; }`,
    questions: [
      ...times(3, { status: 200 }),
      ...times(3, { target: "/other", status: 200 }),
      ...times(3, { status: 503 }),
      { from: "10.0.0.2", status: 200 },
      ...times(8, { from: "10.0.0.9", status: 200 }),
    ],
  },
  {
    name: "limit-rpm with limit-burst-multiplier and a password",
    host: "burst.test",
    ingresses: [{ annotations: { ...BASIC, "limit-rpm": "2", "limit-burst-multiplier": "1" } }],
    http: "limit_req_zone $binary_remote_addr zone=burst:5m rate=2r/m;",
    nginx: `location / { ${WEB} ${NGINX_BASIC} limit_req zone=burst burst=2 nodelay; }`,
    questions: [
      // who may not come in has asked, too
      ...times(2, { status: 401 }),
      { ...as("sha", "sha-pw"), status: 200 },
      { ...as("sha", "sha-pw"), status: 503 },
      { status: 503 },
    ],
  },
  {
    name: "limit-rps and limit-rpm together",
    host: "rates.test",
    ingresses: [{ annotations: { "limit-rps": "100", "limit-rpm": "1", "limit-burst-multiplier": "2" } }],
    http: `
  limit_req_zone $binary_remote_addr zone=rates_rps:5m rate=100r/s;
  limit_req_zone $binary_remote_addr zone=rates_rpm:5m rate=1r/m;`,
    nginx: `
      location / {
        ${WEB}
        limit_req zone=rates_rps burst=200 nodelay;
        limit_req zone=rates_rpm burst=2 nodelay;
      }`,
    questions: [...times(3, { status: 200 }), ...times(2, { status: 503 })],
  },
  {
    name: "limit-connections",
    host: "connections.test",
    ingresses: [{ annotations: { "limit-connections": "1" } }],
    http: "limit_conn_zone $binary_remote_addr zone=connections:5m;",
    nginx: `location / { ${WEB} limit_conn connections 1; }`,
    questions: [
      { status: 200 },
      { isSecond: true, status: 503 },
      { from: "10.0.0.2", status: 200 },
    ],
  },
];
