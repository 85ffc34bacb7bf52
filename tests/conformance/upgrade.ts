import {
  BACKEND_OK,
  type BackendStep,
  type Case,
  EVIL,
  GET,
  NEXT,
  OK,
  POST,
  refused,
  type Theme,
} from "./case.ts";

const WEBSOCKET =
  "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: k\r\nSec-WebSocket-Version: 13\r\n";
const SWITCHES = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
  "Sec-WebSocket-Accept: s\r\n\r\n";
const TUNNEL: readonly BackendStep[] = [{ awaitsRequest: true }, SWITCHES, { echoes: true }];
const SWITCHED = {
  status: 101,
  headers: { upgrade: "websocket", connection: "upgrade", "sec-websocket-accept": "s" },
};
const FORWARDED = {
  is: "GET /x",
  headers: {
    upgrade: "websocket",
    connection: "upgrade",
    "sec-websocket-key": "k",
    "sec-websocket-version": "13",
  },
};
const DROPPED = { upgrade: null, connection: null, "http2-settings": null };

/** Requests to change the protocol that are forwarded without that: name, section, head. */
const NOT_PASSED_ON: [name: string, rfc: string, head: string, gets: string][] = [
  [
    "35: h2c",
    "9113 3.1",
    `${GET}Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n`,
    "GET /x",
  ],
  [
    "35: h2c without HTTP2-Settings in Connection",
    "9113 3.1",
    `${GET}Connection: Upgrade\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n`,
    "GET /x",
  ],
  ["35: TLS/1.0", "2817 3", `${GET}Connection: Upgrade\r\nUpgrade: TLS/1.0\r\n`, "GET /x"],
  ["a protocol that is not known", "9110 7.8", `${GET}Connection: Upgrade\r\nUpgrade: foo/2\r\n`, "GET /x"],
  [
    "websocket in part of a word",
    "9110 7.8",
    `${GET}Connection: Upgrade\r\nUpgrade: xwebsocket\r\n`,
    "GET /x",
  ],
  ["Upgrade without Connection", "9110 7.8", `${GET}Upgrade: websocket\r\n`, "GET /x"],
  ["Connection without Upgrade", "9110 7.8", `${GET}Connection: Upgrade\r\n`, "GET /x"],
  ["POST", "6455 4.1", `${POST}${WEBSOCKET}`, "POST /x"],
];

const EXCHANGES: Case[] = [
  {
    name: "36: a tunnel after a real 101",
    rfc: "9110 7.8",
    client: [`${GET}${WEBSOCKET}\r\n`, { awaits: "101 Switching Protocols" }, "abc", { awaits: ">" }, EVIL],
    backend: TUNNEL,
    expect: [SWITCHED],
    then: { tunnel: `<abc><${EVIL}>` },
    gets: [FORWARDED],
    over: ["http", "https"],
  },
  {
    name: "names in other letters, and other options beside them",
    rfc: "9110 7.8",
    client: [
      `${GET}${
        WEBSOCKET.replace("Upgrade\r\n", "keep-alive, upgrade\r\n").replace("websocket", "WebSocket")
      }\r\n`,
      { awaits: "101" },
      "a",
    ],
    backend: TUNNEL,
    expect: [SWITCHED],
    then: { tunnel: "<a>" },
    gets: [FORWARDED],
  },
  {
    name: "35: only websocket of several protocols",
    rfc: "9110 7.8",
    client: [`${GET}${WEBSOCKET.replace("websocket", "h2c, websocket")}\r\n`, { awaits: "101" }, "a"],
    backend: TUNNEL,
    expect: [SWITCHED],
    then: { tunnel: "<a>" },
    gets: [FORWARDED],
  },
  {
    name: "bytes of the tunnel together with the 101",
    rfc: "6455 4.2",
    client: [`${GET}${WEBSOCKET}\r\n`, { awaits: "early" }, "a"],
    backend: [{ awaitsRequest: true }, `${SWITCHES}early`, { echoes: true }],
    expect: [SWITCHED],
    then: { tunnel: "early<a>" },
    gets: [FORWARDED],
  },
  {
    name: "bytes of the tunnel together with the request",
    rfc: "9110 7.8",
    client: `${GET}${WEBSOCKET}\r\nearly`,
    backend: TUNNEL,
    expect: [SWITCHED],
    then: { tunnel: "<early>" },
    gets: [FORWARDED],
    over: ["http", "https"],
  },
  {
    name: "the backend ends the tunnel",
    rfc: "9110 7.8",
    client: [`${GET}${WEBSOCKET}\r\n`, { awaits: "101" }],
    backend: [{ awaitsRequest: true }, SWITCHES, { closes: true }],
    expect: [SWITCHED],
    then: "closed",
    gets: [FORWARDED],
  },
  {
    name: "a client that sends no more still gets what comes",
    rfc: "9110 7.8",
    client: [`${GET}${WEBSOCKET}\r\n`, { awaits: "101" }, { halfCloses: true }],
    backend: [{ awaitsRequest: true }, SWITCHES, { hangs: true }],
    expect: [SWITCHED],
    then: "closed",
    gets: [FORWARDED],
    upstream: "closed",
  },
  {
    name: "a client that goes ends the tunnel",
    rfc: "9110 7.8",
    client: [`${GET}${WEBSOCKET}\r\n`, { awaits: "101" }, { goes: true }],
    backend: [{ awaitsRequest: true }, SWITCHES, { hangs: true }],
    expect: [],
    then: "gone",
    gets: [FORWARDED],
    upstream: "closed",
  },
  {
    name: "36: the backend answers 200",
    rfc: "9110 7.8",
    client: `${GET}${WEBSOCKET}\r\n${NEXT}`,
    expect: [OK, OK],
    gets: [FORWARDED, "GET /next"],
  },
  {
    name: "36: the backend answers 426",
    rfc: "9110 15.5.22",
    client: `${GET}${WEBSOCKET}\r\n`,
    backend: "HTTP/1.1 426 Upgrade Required\r\nContent-Length: 0\r\n\r\n",
    expect: [{ status: 426, body: "" }],
    gets: [FORWARDED],
    upstream: "kept",
  },
  {
    name: "101 and another protocol",
    rfc: "9110 15.2.2",
    client: `${GET}${WEBSOCKET}\r\n`,
    backend: "HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\nevil",
    expect: [refused("upstream_invalid")],
    gets: [FORWARDED],
    upstream: "closed",
  },
  {
    name: "101 and no protocol",
    rfc: "9110 15.2.2",
    client: `${GET}${WEBSOCKET}\r\n`,
    backend: "HTTP/1.1 101 Switching Protocols\r\n\r\nevil",
    expect: [refused("upstream_invalid")],
    gets: [FORWARDED],
    upstream: "closed",
  },
  {
    name: "101 that nobody asked for",
    rfc: "9110 15.2.2",
    client: `${GET}\r\n`,
    backend: `${SWITCHES}evil`,
    expect: [refused("upstream_invalid")],
    gets: ["GET /x"],
    upstream: "closed",
  },
  {
    name: "101 to h2c, which was dropped",
    rfc: "9110 15.2.2",
    client: `${GET}Connection: Upgrade\r\nUpgrade: h2c\r\n\r\n`,
    backend: "HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\nevil",
    expect: [refused("upstream_invalid")],
    gets: ["GET /x"],
    upstream: "closed",
  },
  {
    name: "informational responses before the 101",
    rfc: "9110 15.2",
    client: [`${GET}${WEBSOCKET}\r\n`, { awaits: "101" }, "a"],
    backend: [{ awaitsRequest: true }, "HTTP/1.1 103 Early Hints\r\nLink: l\r\n\r\n", SWITCHES, {
      echoes: true,
    }],
    expect: [{ status: 103, headers: { link: "l" } }, SWITCHED],
    then: { tunnel: "<a>" },
    gets: [FORWARDED],
  },
  {
    name: "36: content of a known length",
    rfc: "9110 7.8",
    client: `${GET}${WEBSOCKET}Content-Length: ${EVIL.length}\r\n\r\n${EVIL}`,
    expect: [refused("bad_request")],
    then: "closed",
  },
  {
    name: "36: chunks",
    rfc: "9110 7.8",
    client: `${GET}${WEBSOCKET}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n${EVIL}`,
    expect: [refused("bad_request")],
    then: "closed",
  },
  {
    name: "content of no bytes",
    rfc: "9110 7.8",
    client: [`${GET}${WEBSOCKET}Content-Length: 0\r\n\r\n`, { awaits: "101" }, "a"],
    backend: TUNNEL,
    expect: [SWITCHED],
    then: { tunnel: "<a>" },
    gets: [FORWARDED],
  },
  {
    name: "HTTP/1.0",
    rfc: "9110 7.8",
    client: `GET /x HTTP/1.0\r\nHost: a.test\r\n${WEBSOCKET}\r\n`,
    backend: BACKEND_OK,
    expect: [OK],
    then: "closed",
    gets: [{ is: "GET /x", headers: DROPPED }],
  },
  {
    name: "a host without a rule",
    rfc: "9110 7.8",
    client: `GET /evil HTTP/1.1\r\nHost: nowhere.test\r\n${WEBSOCKET}\r\n`,
    expect: [refused("no_route")],
  },
];

/** Changes of the protocol. */
export const upgrade: Theme = {
  name: "upgrades",
  cases: [
    ...EXCHANGES,
    ...NOT_PASSED_ON.map(([name, rfc, head, gets]): Case => ({
      name,
      rfc,
      client: `${head}\r\n${NEXT}`,
      expect: [OK, OK],
      gets: [{ is: gets, headers: DROPPED }, "GET /next"],
    })),
  ],
};
