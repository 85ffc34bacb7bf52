import { type Case, filled, GET, OK, POST, refused, type Theme } from "./case.ts";

/** In milliseconds: a client on a busy machine, too, must have said in this time what it says at all. */
const SHORT = 700;
const TIMEOUT = refused("client_timeout");
const WEBSOCKET = `${GET}Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n`;

const CASES: Case[] = [
  {
    name: "40: a head byte by byte",
    rfc: "9110 15.5.9",
    client: [{ drips: `GET /evil HTTP/1.1\r\nHost: a.test\r\nX: ${filled(100)}` }],
    expect: [TIMEOUT],
    then: "closed",
  },
  {
    name: "40: empty lines without end",
    rfc: "9112 2.2",
    client: [{ drips: "\r\n\r\n\r\n\r\n" }],
    expect: [TIMEOUT],
    then: "closed",
  },
  {
    name: "40: a client that takes nothing of the answer",
    rfc: "9112 9.5",
    client: [`${GET}\r\n`, { awaits: "begun" }, { stopsReading: true }],
    backend: [
      { awaitsRequest: true },
      "HTTP/1.1 200 OK\r\nContent-Length: 30000000\r\n\r\nbegun",
      ...Array(30).fill(filled(1_000_000)),
      { hangs: true },
    ],
    expect: [],
    then: "gone",
    gets: ["GET /x"],
    upstream: "closed",
  },
  { name: "40: silence", rfc: "9112 9.5", client: [], expect: [], then: "closed" },
  {
    name: "40: half a head",
    rfc: "9110 15.5.9",
    client: "GET /evil HTTP/1.1\r\nHos",
    expect: [TIMEOUT],
    then: "closed",
  },
  { name: "40: a byte of a head", rfc: "9110 15.5.9", client: "G", expect: [TIMEOUT], then: "closed" },
  {
    name: "40: a head without its end",
    rfc: "9110 15.5.9",
    client: "GET /evil HTTP/1.1\r\nHost: a.test\r\n",
    expect: [TIMEOUT],
    then: "closed",
  },
  {
    name: "40: half a head behind a request",
    rfc: "9110 15.5.9",
    client: [`${GET}\r\n`, { awaits: "ok" }, "GET /evil"],
    expect: [OK, TIMEOUT],
    then: "closed",
    gets: ["GET /x"],
  },
  {
    name: "40: half a head together with a request",
    rfc: "9110 15.5.9",
    client: `${GET}\r\nGET /evil`,
    expect: [OK, TIMEOUT],
    then: "closed",
    gets: ["GET /x"],
  },
  {
    name: "40: no other request",
    rfc: "9112 9.5",
    client: `${GET}\r\n`,
    expect: [OK],
    then: "closed",
    gets: ["GET /x"],
  },
  {
    name: "40: half of the content",
    rfc: "9110 15.5.9",
    client: `${POST}Content-Length: 9\r\n\r\nhalf`,
    expect: [TIMEOUT],
    then: "closed",
    gets: [{ is: "POST /x", isCut: true }],
  },
  {
    name: "40: none of the content",
    rfc: "9110 15.5.9",
    client: `${POST}Content-Length: 9\r\n\r\n`,
    expect: [TIMEOUT],
    then: "closed",
    gets: [{ is: "POST /x", isCut: true }],
  },
  {
    name: "40: half of a chunk",
    rfc: "9110 15.5.9",
    client: `${POST}Transfer-Encoding: chunked\r\n\r\n9\r\nhalf`,
    expect: [TIMEOUT],
    then: "closed",
    gets: [{ is: "POST /x", isCut: true }],
  },
  {
    name: "40: no content after 100",
    rfc: "9110 10.1.1",
    client: `${POST}Expect: 100-continue\r\nContent-Length: 9\r\n\r\n`,
    expect: [{ status: 100 }, TIMEOUT],
    then: "closed",
    gets: [{ is: "POST /x", isCut: true }],
  },
  {
    name: "hang",
    rfc: "9110 15.6.5",
    client: `${GET}\r\n`,
    backend: [{ awaitsRequest: true }, { hangs: true }],
    expect: [refused("upstream_timeout")],
    gets: ["GET /x"],
    upstream: "closed",
  },
  {
    name: "hang within the head",
    rfc: "9110 15.6.5",
    client: `${GET}\r\n`,
    backend: [{ awaitsRequest: true }, "HTTP/1.1 200 OK\r\n", { hangs: true }],
    expect: [refused("upstream_timeout")],
    gets: ["GET /x"],
    upstream: "closed",
  },
  {
    name: "hang behind 103",
    rfc: "9110 15.6.5",
    client: `${GET}\r\n`,
    backend: [{ awaitsRequest: true }, "HTTP/1.1 103 X\r\n\r\n", { hangs: true }],
    expect: [{ status: 103 }, refused("upstream_timeout")],
    gets: ["GET /x"],
    upstream: "closed",
  },
  {
    name: "hang within the body",
    rfc: "9112 8",
    client: `${GET}\r\n`,
    backend: [{ awaitsRequest: true }, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf", { hangs: true }],
    expect: [{ status: 200, body: "half", isCut: true }],
    then: "closed",
    gets: ["GET /x"],
    upstream: "closed",
  },
  {
    name: "hang within chunks",
    rfc: "9112 8",
    client: `${GET}\r\n`,
    backend: [{ awaitsRequest: true }, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n", {
      hangs: true,
    }],
    expect: [{ status: 200, body: "half", isCut: true }],
    then: "closed",
    gets: ["GET /x"],
    upstream: "closed",
  },
  {
    name: "a tunnel in which nobody says anything",
    rfc: "9110 7.8",
    client: WEBSOCKET,
    backend: [
      { awaitsRequest: true },
      "HTTP/1.1 101 X\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n",
      { hangs: true },
    ],
    expect: [{ status: 101 }],
    then: "closed",
    gets: ["GET /x"],
    upstream: "closed",
  },
  {
    name: "42: a client that goes within the answer",
    rfc: "9112 9.6",
    client: [`${GET}\r\n`, { awaits: "begun" }, { goes: true }],
    backend: [
      { awaitsRequest: true },
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nbegun\r\n",
      { hangs: true },
    ],
    expect: [],
    then: "gone",
    gets: ["GET /x"],
    upstream: "closed",
  },
];

/** PROXY protocol headers that take too long. */
export const proxyProtocolDeadlines: Theme = {
  name: "deadlines of the PROXY protocol",
  proxy: { server: { headTimeout: SHORT, handshakeTimeout: SHORT, proxyProtocolFrom: ["127.0.0.1"] } },
  sentinelPrefix: "PROXY UNKNOWN\r\n",
  cases: [
    ["silence", ""],
    ["half of v1", "PROXY TCP4 192.0.2.1"],
    ["half of v2", "\r\n\r\n\0\r\nQUIT\n\x21"],
    ["a header and silence", "PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n"],
  ].map(([name = "", client = ""]) => ({
    name,
    rfc: "PROXY protocol 2",
    client,
    expect: [],
    then: "closed",
  })),
  over: ["http"],
};

/** Those who take too long, with times that are short. */
export const deadlines: Theme = {
  name: "deadlines",
  proxy: {
    server: {
      headTimeout: SHORT,
      idleTimeout: SHORT,
      clientTimeout: SHORT,
      responseTimeout: SHORT,
      streamTimeout: SHORT,
    },
  },
  cases: CASES,
  over: ["http", "https"],
};
