import { type Case, EVIL, NEXT, OK, refused, type Theme } from "./case.ts";

const NOT_ALLOWED = { ...refused("method_not_allowed"), headers: { allow: /GET.*POST/ } };

/** Methods that are forwarded as they are. */
const FORWARDED = [
  "GET",
  "DELETE",
  "OPTIONS",
  "PROPFIND",
  "get",
  "Get",
  "BREW",
  "M-SEARCH",
  "x",
  "!#$%&'*+-.^_`|~",
];

/** Methods that are no tokens. */
const INVALID = ["G(T", "G\xc4T", "G/T", "GET:", '"GET"', "G\0T", "{GET}", "G@T"];

const OTHERS: Case[] = [
  {
    name: "28: CONNECT",
    rfc: "9110 9.3.6",
    client: `CONNECT a.test:80 HTTP/1.1\r\nHost: a.test:80\r\n\r\n`,
    expect: [NOT_ALLOWED],
    then: "either",
  },
  {
    name: "28: CONNECT with a path",
    rfc: "9112 3.2.3",
    client: `CONNECT /evil HTTP/1.1\r\nHost: a.test\r\n\r\n`,
    expect: [NOT_ALLOWED],
    then: "either",
  },
  {
    name: "28: TRACE tells nothing",
    rfc: "9110 9.3.8",
    client: "TRACE /evil HTTP/1.1\r\nHost: a.test\r\nCookie: secret=1\r\n\r\n",
    expect: [{ ...NOT_ALLOWED, body: /^(?!.*secret)/s }],
  },
  {
    name: "trace is not TRACE",
    rfc: "9110 9.1",
    client: "trace /x HTTP/1.1\r\nHost: a.test\r\n\r\n",
    expect: [OK],
    gets: ["trace /x"],
  },
  {
    name: "27: OPTIONS *",
    rfc: "9112 3.2.4",
    client: "OPTIONS * HTTP/1.1\r\nHost: a.test\r\n\r\n",
    expect: [OK],
    gets: [{ is: "OPTIONS *", headers: { host: "a.test" } }],
  },
  {
    name: "OPTIONS of a URL without a path is OPTIONS *",
    rfc: "9112 3.2.4",
    client: "OPTIONS http://b.test HTTP/1.1\r\nHost: a.test\r\n\r\n",
    expect: [OK],
    gets: [{ is: "OPTIONS *", headers: { host: "b.test" } }],
  },
  {
    name: "OPTIONS of a URL with a path",
    rfc: "9112 3.2.4",
    client: "OPTIONS http://b.test/ HTTP/1.1\r\nHost: a.test\r\n\r\n",
    expect: [OK],
    gets: ["OPTIONS /"],
  },
  {
    name: "OPTIONS * of a host that serves no root",
    rfc: "9112 3.2.4",
    client: "OPTIONS * HTTP/1.1\r\nHost: api.test\r\n\r\n",
    expect: [refused("no_route")],
  },
  {
    name: "OPTIONS with Max-Forwards: 0 is for us",
    rfc: "9110 7.6.2",
    client: "OPTIONS /evil HTTP/1.1\r\nHost: a.test\r\nMax-Forwards: 0\r\n\r\n",
    expect: [{ status: 200 }],
  },
  {
    name: "OPTIONS with Max-Forwards: 3 has one less when it is forwarded",
    rfc: "9110 7.6.2",
    client: "OPTIONS /x HTTP/1.1\r\nHost: a.test\r\nMax-Forwards: 3\r\n\r\n",
    expect: [OK],
    gets: [{ is: "OPTIONS /x", headers: { "max-forwards": "2" } }],
  },
  {
    name: "Max-Forwards of other methods is the backend's",
    rfc: "9110 7.6.2",
    client: "GET /x HTTP/1.1\r\nHost: a.test\r\nMax-Forwards: 0\r\n\r\n",
    expect: [OK],
    gets: [{ is: "GET /x", headers: { "max-forwards": "0" } }],
  },
  {
    name: "HEAD",
    rfc: "9110 9.3.2",
    client: `HEAD /x HTTP/1.1\r\nHost: a.test\r\n\r\n${NEXT}`,
    backend: { answers: ["HTTP/1.1 200 OK\r\nContent-Length: 1000\r\nETag: a\r\n\r\n"] },
    expect: [{ status: 200, toHead: true, headers: { "content-length": "1000", etag: "a" } }, OK],
    gets: ["HEAD /x", "GET /next"],
    upstream: "kept",
  },
  {
    name: "HEAD of a host without a rule has no content",
    rfc: "9110 9.3.2",
    client: `HEAD /evil HTTP/1.1\r\nHost: nowhere.test\r\n\r\n${NEXT}`,
    expect: [{ ...refused("no_route"), toHead: true }, OK],
    gets: ["GET /next"],
  },
  ...["PUT", "PATCH", "POST"].map((method): Case => ({
    name: `${method} without content says so`,
    rfc: "9110 8.6",
    client: `${method} /x HTTP/1.1\r\nHost: a.test\r\n\r\n`,
    expect: [OK],
    gets: [{ is: `${method} /x`, headers: { "content-length": "0" } }],
  })),
  {
    name: "GET without content says nothing of it",
    rfc: "9110 8.6",
    client: "GET /x HTTP/1.1\r\nHost: a.test\r\nContent-Length: 0\r\n\r\n",
    expect: [OK],
    gets: [{ is: "GET /x", headers: { "content-length": null, "transfer-encoding": null } }],
  },
];

/** Methods. */
export const methods: Theme = {
  name: "methods",
  cases: [
    ...FORWARDED.map((method): Case => ({
      name: `29: ${method} is forwarded`,
      rfc: "9110 9.1",
      client: `${method} /x HTTP/1.1\r\nHost: a.test\r\n\r\n`,
      expect: [OK],
      gets: [`${method} /x`],
    })),
    ...INVALID.map((method): Case => ({
      name: `29: ${JSON.stringify(method)} is no method`,
      rfc: "9110 9.1",
      client: `${method} /evil HTTP/1.1\r\nHost: a.test\r\n\r\n${EVIL}`,
      expect: [refused("bad_request")],
      then: "closed",
    })),
    ...OTHERS,
  ],
};
