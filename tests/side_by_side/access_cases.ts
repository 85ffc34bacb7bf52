import { type Case, type CaseQuestion, times } from "./comparison.ts";
import { WEB } from "./locations.ts";

const BASIC = { "auth-type": "basic", "auth-secret": "users", "auth-realm": "The back office" };
const NGINX_BASIC = `
        auth_basic "The back office";
        auth_basic_user_file users;
        proxy_set_header Authorization "";`;

const as = (user: string, password: string): Pick<CaseQuestion, "fields"> => ({
  fields: { Authorization: `Basic ${btoa(`${user}:${password}`)}` },
});

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
    name: "limit-rpm",
    host: "rpm.test",
    ingresses: [{ annotations: { "limit-rpm": "1", "limit-whitelist": "10.0.0.9" } }],
    http: `
  geo $remote_addr $allowlist_rpm { default 0; 10.0.0.9 1; }
  map $allowlist_rpm $limit_rpm { 0 $binary_remote_addr; 1 ""; }
  limit_req_zone $limit_rpm zone=rpm:5m rate=1r/m;`,
    nginx: `location / { ${WEB} limit_req zone=rpm burst=5 nodelay; }`,
    questions: [
      ...times(6, { status: 200 }),
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
