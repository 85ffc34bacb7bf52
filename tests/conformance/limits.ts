import {
  type Case,
  EVIL,
  type ExpectedResponse,
  filled,
  GET,
  OK,
  POST,
  refused,
  type Theme,
} from "./case.ts";

const TOO_LARGE = refused("body_too_large");
const CHUNKED = "Transfer-Encoding: chunked\r\n\r\n";

/** What is too large where a target may have 100 bytes, a head 1000, content 10: name, section, bytes, answer. */
const REFUSED: [name: string, rfc: string, client: string, expected: ExpectedResponse][] = [
  [
    "414: a target of 101 bytes",
    "9110 15.5.15",
    `GET /${filled(100)} HTTP/1.1\r\nHost: a.test\r\n\r\n`,
    refused("target_too_long"),
  ],
  [
    "414: a URL of 101 bytes",
    "9110 15.5.15",
    `GET http://a.test/${filled(87)} HTTP/1.1\r\nHost: a.test\r\n\r\n`,
    refused("target_too_long"),
  ],
  [
    "414: a request line that does not end",
    "9110 15.5.15",
    `GET /${filled(2000)}`,
    refused("target_too_long"),
  ],
  ["414: a method that does not end", "9110 15.5.15", filled(2000), refused("target_too_long")],
  ["431: a head of 1001 bytes", "6585 5", withHead(1001), refused("head_too_large")],
  ["431: a header that does not end", "6585 5", `${GET}X: ${filled(2000)}`, refused("head_too_large")],
  ["431: a header name that does not end", "6585 5", `${GET}${filled(2000)}`, refused("head_too_large")],
  ["413: Content-Length 11 without content", "9110 15.5.14", `${POST}Content-Length: 11\r\n\r\n`, TOO_LARGE],
  [
    "413: Content-Length of nearly 2^53",
    "9110 15.5.14",
    `${POST}Content-Length: 900719925474099\r\n\r\n`,
    TOO_LARGE,
  ],
  [
    "413: Content-Length 11, Expect",
    "9110 10.1.1",
    `${POST}Expect: 100-continue\r\nContent-Length: 11\r\n\r\n`,
    TOO_LARGE,
  ],
];

function withHead(length: number): string {
  return `${GET}X: ${filled(length - GET.length - 7)}\r\n\r\n`;
}

/** Limits that a user sets. */
export const limits: Theme = {
  name: "limits",
  proxy: { server: { maxTargetBytes: 100, maxHeadBytes: 1000, maxBodyBytes: 10 } },
  cases: [
    ...REFUSED.map(([name, rfc, client, expected]): Case => ({
      name,
      rfc,
      client: [client, { awaits: "\r\n\r\n" }, EVIL],
      expect: [expected],
      then: "closed",
    })),
    {
      name: "413: Content-Length 11, with content that is passed over",
      rfc: "9110 15.5.14",
      client: `${POST}Content-Length: 11\r\n\r\nhello world`,
      expect: [TOO_LARGE],
      over: ["http", "https"],
    },
    {
      name: "413: a chunk of 11 bytes",
      rfc: "9110 15.5.14",
      client: `${POST}${CHUNKED}b\r\nhello world\r\n0\r\n\r\n${EVIL}`,
      expect: [TOO_LARGE],
      then: "closed",
      gets: [{ is: "POST /x", isCut: true }],
    },
    {
      name: "413: chunks of 11 bytes together",
      rfc: "9110 15.5.14",
      client: [`${POST}${CHUNKED}5\r\nhello\r\n`, { backendHas: "hello" }, `6\r\n world\r\n0\r\n\r\n${EVIL}`],
      expect: [TOO_LARGE],
      then: "closed",
      gets: [{ is: "POST /x", isCut: true }],
    },
    {
      name: "413: a chunk that says that it is endless",
      rfc: "9110 15.5.14",
      client: `${POST}${CHUNKED}fffffffffff\r\nhello world`,
      expect: [TOO_LARGE],
      then: "closed",
      gets: [{ is: "POST /x", isCut: true }],
    },
    {
      name: "as much as there may be",
      rfc: "9110 15.5.14",
      client: [
        `${POST}Content-Length: 10\r\n\r\n0123456789`,
        `${POST}${CHUNKED}5\r\n01234\r\n5\r\n56789\r\n0\r\n\r\n`,
        `GET /${filled(99)} HTTP/1.1\r\nHost: a.test\r\n\r\n`,
        withHead(1000),
      ].join(""),
      expect: [OK, OK, OK, OK],
      gets: ["POST /x 0123456789", "POST /x 0123456789", `GET /${filled(99)}`, "GET /x"],
    },
  ],
};
