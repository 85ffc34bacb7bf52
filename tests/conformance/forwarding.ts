import { type Case, type ExpectedHeaders, GET, OK, type Theme } from "./case.ts";

/** What the backend is told of a client: name, the fields that it sends, what the backend gets. */
type Row = [name: string, fields: string, headers: ExpectedHeaders];

const UNTRUSTED: Row[] = [
  ["who the client is", "", {
    "x-forwarded-for": "127.0.0.1",
    "x-forwarded-host": "a.test",
    "x-forwarded-port": "{port}",
    "x-forwarded-proto": "{scheme}",
    "x-real-ip": "127.0.0.1",
    forwarded: null,
    via: null,
  }],
  [
    "39: what a client says of itself is dropped",
    "X-Forwarded-For: 1.2.3.4\r\nX-Forwarded-Host: evil.test\r\nX-Forwarded-Port: 1\r\nX-Forwarded-Proto: ftp\r\n" +
    "X-Real-IP: 1.2.3.4\r\nForwarded: for=1.2.3.4\r\n",
    {
      "x-forwarded-for": "127.0.0.1",
      "x-forwarded-host": "a.test",
      "x-forwarded-port": "{port}",
      "x-forwarded-proto": "{scheme}",
      "x-real-ip": "127.0.0.1",
      forwarded: null,
    },
  ],
  [
    "39: several fields, in other letters",
    "x-FORWARDED-for: 1.2.3.4\r\nX-Forwarded-For: 5.6.7.8\r\nx-real-ip: 1.2.3.4\r\n",
    {
      "x-forwarded-for": "127.0.0.1",
      "x-real-ip": "127.0.0.1",
    },
  ],
  ["X-Request-ID is made", "", { "x-request-id": /^[0-9a-f-]{32,36}$/ }],
  ["X-Request-ID is kept", "X-Request-ID: a.b-c_1\r\n", { "x-request-id": "a.b-c_1" }],
  ["X-Request-ID that cannot be written everywhere", 'X-Request-ID: a"b c\r\n', {
    "x-request-id": /^[0-9a-f-]{32,36}$/,
  }],
  ["X-Request-ID without a value", "X-Request-ID:\r\n", { "x-request-id": /^[0-9a-f-]{32,36}$/ }],
  ["X-Request-ID that is too long", `X-Request-ID: ${"a".repeat(129)}\r\n`, {
    "x-request-id": /^[0-9a-f-]{32,36}$/,
  }],
  ["Via is passed on, none is added", "Via: 1.0 fred\r\n", { via: "1.0 fred" }],
  [
    "what the client sends to the backend alone",
    'Authorization: Basic a\r\nCookie: b=c\r\nRange: bytes=0-1\r\nAccept-Encoding: gzip\r\nIf-None-Match: W/"d"\r\n' +
    "User-Agent: e\r\nOrigin: http://f\r\nMax-Forwards: 3\r\n",
    {
      authorization: "Basic a",
      cookie: "b=c",
      range: "bytes=0-1",
      "accept-encoding": "gzip",
      "if-none-match": 'W/"d"',
      "user-agent": "e",
      origin: "http://f",
    },
  ],
];

const TRUSTED: Row[] = [
  ["no word of a proxy", "", {
    "x-forwarded-for": "127.0.0.1",
    "x-real-ip": "127.0.0.1",
    "x-forwarded-proto": "{scheme}",
    "x-forwarded-port": "{port}",
    forwarded: 'for=127.0.0.1;host="a.test";proto={scheme}',
  }],
  ["one proxy", "X-Forwarded-For: 1.2.3.4\r\n", {
    "x-forwarded-for": "1.2.3.4, 127.0.0.1",
    "x-real-ip": "1.2.3.4",
    forwarded: 'for=1.2.3.4;host="a.test";proto={scheme}',
  }],
  ["trusted ones are passed by from the right", "X-Forwarded-For: 6.6.6.6, 1.2.3.4, 10.1.1.1,10.2.2.2\r\n", {
    "x-forwarded-for": "1.2.3.4, 10.1.1.1, 10.2.2.2, 127.0.0.1",
    "x-real-ip": "1.2.3.4",
  }],
  ["only trusted ones", "X-Forwarded-For: 10.3.3.3, 10.1.1.1\r\n", {
    "x-forwarded-for": "10.3.3.3, 10.1.1.1, 127.0.0.1",
    "x-real-ip": "10.3.3.3",
  }],
  [
    "several fields are one list",
    "X-Forwarded-For: 6.6.6.6\r\nX-Forwarded-For: 1.2.3.4\r\nX-Forwarded-For: 10.1.1.1\r\n",
    {
      "x-forwarded-for": "1.2.3.4, 10.1.1.1, 127.0.0.1",
      "x-real-ip": "1.2.3.4",
    },
  ],
  ["what is no address ends it", "X-Forwarded-For: 1.2.3.4, unknown, 10.1.1.1\r\n", {
    "x-forwarded-for": "10.1.1.1, 127.0.0.1",
    "x-real-ip": "10.1.1.1",
  }],
  ["an attack in the list ends it", "X-Forwarded-For: <script>, 10.1.1.1\r\n", {
    "x-forwarded-for": "10.1.1.1, 127.0.0.1",
    "x-real-ip": "10.1.1.1",
  }],
  ["an empty element ends it", "X-Forwarded-For: 1.2.3.4,,10.1.1.1\r\n", {
    "x-forwarded-for": "10.1.1.1, 127.0.0.1",
    "x-real-ip": "10.1.1.1",
  }],
  ["IPv6", "X-Forwarded-For: 2001:db8::1\r\n", {
    "x-forwarded-for": "2001:db8::1, 127.0.0.1",
    "x-real-ip": "2001:db8::1",
    forwarded: 'for="[2001:db8::1]";host="a.test";proto={scheme}',
  }],
  ["addresses with ports", "X-Forwarded-For: [2001:db8::1]:443, 10.1.1.1:80\r\n", {
    "x-forwarded-for": "2001:db8::1, 10.1.1.1, 127.0.0.1",
    "x-real-ip": "2001:db8::1",
  }],
  ["IPv4 in IPv6", "X-Forwarded-For: 1.2.3.4, ::ffff:10.1.1.1\r\n", {
    "x-forwarded-for": "1.2.3.4, 10.1.1.1, 127.0.0.1",
    "x-real-ip": "1.2.3.4",
  }],
  [
    "scheme, host and port",
    "X-Forwarded-Proto: https\r\nX-Forwarded-Host: shop.test:8443\r\nX-Forwarded-Port: 8443\r\n",
    {
      host: "a.test",
      "x-forwarded-proto": "https",
      "x-forwarded-host": "shop.test:8443",
      "x-forwarded-port": "8443",
      forwarded: 'for=127.0.0.1;host="shop.test:8443";proto=https',
    },
  ],
  ["a scheme alone", "X-Forwarded-Proto: HTTPS\r\n", {
    "x-forwarded-proto": "https",
    "x-forwarded-port": "443",
  }],
  ["the last scheme of a list", "X-Forwarded-Proto: https, http\r\n", { "x-forwarded-proto": "http" }],
  [
    "a scheme, a host and a port that are none",
    'X-Forwarded-Proto: javascript\r\nX-Forwarded-Host: a"b\r\nX-Forwarded-Port: 99999\r\n',
    { "x-forwarded-proto": "{scheme}", "x-forwarded-host": "a.test", "x-forwarded-port": "{port}" },
  ],
  ["X-Real-IP and Forwarded are our own", "X-Real-IP: 6.6.6.6\r\nForwarded: for=6.6.6.6\r\n", {
    "x-real-ip": "127.0.0.1",
    forwarded: 'for=127.0.0.1;host="a.test";proto={scheme}',
  }],
];

function cases(rows: readonly Row[], rfc: string): Case[] {
  return rows.map(([name, fields, headers]) => ({
    name,
    rfc,
    client: `${GET}${fields}\r\n`,
    expect: [OK],
    gets: [{ is: "GET /x", headers }],
    over: ["http", "https"],
  }));
}

/** What a backend is told of a client that is not trusted. */
export const forwarding: Theme = { name: "forwarding", cases: cases(UNTRUSTED, "9110 7.6") };

/** What a backend is told when a trusted proxy stands before us. */
export const forwardingTrusted: Theme = {
  name: "forwarding behind trusted proxies",
  proxy: { server: { trustedProxies: ["127.0.0.1", "10.0.0.0/8"], sendsForwarded: true } },
  cases: cases(TRUSTED, "7239 5"),
};
