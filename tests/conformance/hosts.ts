import { type Case, EVIL, OK, refused, type Theme } from "./case.ts";

const BAD = refused("bad_request");

/** Host fields that are refused: name, the field lines. */
const REFUSED: [name: string, fields: string][] = [
  ["21: no Host", ""],
  ["21: an empty Host", "Host:\r\n"],
  ["a Host of spaces", "Host:  \r\n"],
  ["22: two Hosts", "Host: a.test\r\nHost: b.test\r\n"],
  ["22: two equal Hosts", "Host: a.test\r\nHost: a.test\r\n"],
  ["two Hosts, one of them empty", "Host: a.test\r\nHost:\r\n"],
  ["23: user information", "Host: u@a.test\r\n"],
  ["user information with a password", "Host: a.test:80@b.test\r\n"],
  ["23: a slash", "Host: a.test/b\r\n"],
  ["23: a space", "Host: a.test b.test\r\n"],
  ["23: a comma", "Host: a.test,b.test\r\n"],
  ["a list with spaces", "Host: a.test, a.test\r\n"],
  ["23: half an IPv6 address", "Host: [::1\r\n"],
  ["the other half of an IPv6 address", "Host: ::1]\r\n"],
  ["an IPv6 address without brackets", "Host: ::1\r\n"],
  ["brackets around a name", "Host: [a.test]\r\n"],
  ["23: port 99999", "Host: a.test:99999\r\n"],
  ["port 65536", "Host: a.test:65536\r\n"],
  ["a port that is no number", "Host: a.test:x\r\n"],
  ["a negative port", "Host: a.test:-1\r\n"],
  ["two ports", "Host: a.test:80:80\r\n"],
  ["a question mark", "Host: a.test?\r\n"],
  ["a path and a query", "Host: a.test/admin?\r\n"],
  ["a fragment", "Host: a.test#\r\n"],
  ["a backslash", "Host: a.test\\b\r\n"],
  ["a URL", "Host: http://a.test\r\n"],
  ["percent-encoding", "Host: %61.test\r\n"],
  ["other letters than ASCII", "Host: \xe4.test\r\n"],
  ["a quote", 'Host: a.test"\r\n'],
  ["a semicolon", "Host: a.test;b\r\n"],
  ["an asterisk", "Host: *.test\r\n"],
  ["an empty label", "Host: a..test\r\n"],
  ["a dot first", "Host: .a.test\r\n"],
  ["two dots last", "Host: a.test..\r\n"],
  ["a dot alone", "Host: .\r\n"],
  ["a port alone", "Host: :80\r\n"],
  ["a tab inside", "Host: a.te\tst\r\n"],
];

/** Targets in absolute-form and others that say whom they are for, and are refused: name, target, fields. */
const REFUSED_TARGETS: [name: string, method: string, target: string, fields: string][] = [
  ["a URL with user information", "GET", "http://u@b.test/evil", "Host: a.test\r\n"],
  ["a URL without a host", "GET", "http:///evil", "Host: a.test\r\n"],
  ["a URL with a port that is too large", "GET", "http://a.test:99999/evil", "Host: a.test\r\n"],
  ["a URL with a fragment", "GET", "http://a.test/evil#f", "Host: a.test\r\n"],
  ["a URL with a backslash", "GET", "http://a.test\\evil", "Host: a.test\r\n"],
  ["a URL of another scheme", "GET", "ftp://a.test/evil", "Host: a.test\r\n"],
  ["a URL without slashes", "GET", "http:a.test/evil", "Host: a.test\r\n"],
  ["a URL that leaves the root", "GET", "http://a.test/../evil", "Host: a.test\r\n"],
  ["a URL and no Host", "GET", "http://a.test/evil", ""],
  ["a URL and an empty Host", "GET", "http://a.test/evil", "Host:\r\n"],
  ["a URL and an invalid Host", "GET", "http://a.test/evil", "Host: u@a.test\r\n"],
  ["a URL and two Hosts", "GET", "http://a.test/evil", "Host: a.test\r\nHost: a.test\r\n"],
  ["27: GET *", "GET", "*", "Host: a.test\r\n"],
  ["27: GET a:80", "GET", "a.test:80", "Host: a.test\r\n"],
  ["a path without a slash", "GET", "evil", "Host: a.test\r\n"],
  ["a query without a path", "GET", "?evil", "Host: a.test\r\n"],
  ["OPTIONS *x", "OPTIONS", "*evil", "Host: a.test\r\n"],
  ["OPTIONS **", "OPTIONS", "**", "Host: a.test\r\n"],
];

function refusedCases(): Case[] {
  return [
    ...["1.1", "1.0"].flatMap((version) =>
      REFUSED.map(([name, fields]): Case => ({
        name: `${name}, HTTP/${version}`,
        rfc: "9112 3.2",
        client: `GET /evil HTTP/${version}\r\n${fields}Connection: close\r\n\r\n${EVIL}`,
        expect: [BAD],
        then: "closed",
        over: version === "1.1" ? ["http", "https", "bytewise"] : ["http"],
      }))
    ),
    ...REFUSED_TARGETS.map(([name, method, target, fields]): Case => ({
      name,
      rfc: "9112 3.2",
      client: `${method} ${target} HTTP/1.1\r\n${fields}Connection: close\r\n\r\n${EVIL}`,
      expect: [BAD],
      then: "closed",
    })),
  ];
}

/** Hosts that are served: name, request line's target, Host, what the backend gets as Host, and as target. */
const SERVED: [name: string, target: string, host: string, forwarded: string, path: string, port: string][] =
  [
    ["24: a host in other letters, with dot and port", "/x", "A.TEST.:8080", "A.TEST.:8080", "/x", "8080"],
    ["a host with a dot", "/x", "a.test.", "a.test.", "/x", "{port}"],
    ["a host with a port", "/x", "a.test:80", "a.test:80", "/x", "80"],
    ["a host with an empty port", "/x", "a.test:", "a.test:", "/x", "{port}"],
    ["a wildcard's host", "/x", "www.w.test", "www.w.test", "/x", "{port}"],
    ["25: a URL of another host than Host", "http://b.test/x?y", "a.test", "b.test", "/x?y", "{port}"],
    ["a URL with a port", "http://b.test:81/x", "a.test:80", "b.test:81", "/x", "81"],
    ["a URL in other letters", "HTTP://B.Test/X", "a.test", "B.Test", "/X", "{port}"],
    ["26: a URL's scheme means nothing", "https://a.test/x", "a.test", "a.test", "/x", "{port}"],
    ["a URL of http over either port", "http://a.test/x", "a.test", "a.test", "/x", "{port}"],
    ["a URL without a path", "http://a.test", "a.test", "a.test", "/", "{port}"],
    ["a URL with a query and without a path", "http://a.test?q", "a.test", "a.test", "/?q", "{port}"],
    ["a URL with dot segments", "http://a.test/a/../x", "a.test", "a.test", "/x", "{port}"],
    ["a URL for a host without a rule as Host", "http://a.test/x", "nowhere.test", "a.test", "/x", "{port}"],
  ];

function servedCases(): Case[] {
  return SERVED.map(([name, target, host, forwarded, path, port]) => ({
    name,
    rfc: "9112 3.2.2",
    client: `GET ${target} HTTP/1.1\r\nHost: ${host}\r\n\r\n`,
    expect: [OK],
    gets: [{
      is: `GET ${path}`,
      headers: {
        host: forwarded,
        "x-forwarded-host": forwarded,
        "x-forwarded-port": port,
        "x-forwarded-proto": "{scheme}",
      },
    }],
  }));
}

const OTHERS: Case[] = [
  {
    name: "HTTP/1.0 with a Host",
    rfc: "9112 3.2",
    client: "GET /x HTTP/1.0\r\nHost: a.test\r\n\r\n",
    expect: [OK],
    then: "closed",
    gets: [{ is: "GET /x", headers: { host: "a.test" } }],
  },
  {
    name: "HTTP/1.0 with a URL",
    rfc: "9112 3.2.2",
    client: "GET http://b.test/x HTTP/1.0\r\nHost: a.test\r\n\r\n",
    expect: [OK],
    then: "closed",
    gets: [{ is: "GET /x", headers: { host: "b.test" } }],
  },
  {
    name: "Host behind other fields",
    rfc: "9110 7.2",
    client: "GET /x HTTP/1.1\r\nX: y\r\nhOST: a.test\r\n\r\n",
    expect: [OK],
    gets: [{ is: "GET /x", headers: { host: "a.test" } }],
  },
  {
    name: "a URL of a host without a rule, whatever Host says",
    rfc: "9112 3.2.2",
    client: "GET http://nowhere.test/x HTTP/1.1\r\nHost: a.test\r\n\r\n",
    expect: [refused("no_route")],
  },
  {
    name: "a host below a wildcard's host",
    rfc: "9110 7.2",
    client: "GET /x HTTP/1.1\r\nHost: a.b.w.test\r\n\r\n",
    expect: [refused("no_route")],
    over: ["http"],
  },
  {
    name: "an IPv6 address, a port",
    rfc: "9110 7.2",
    client: "GET /x HTTP/1.1\r\nHost: [::1]:8080\r\n\r\n",
    expect: [refused("no_route")],
    over: ["http"],
  },
  {
    name: "48: a host that the certificate does not cover",
    rfc: "9110 15.5.20",
    client: "GET /x HTTP/1.1\r\nHost: other.test\r\n\r\n",
    expect: [refused("misdirected")],
    over: ["https"],
  },
  {
    name: "48: a URL of a host that the certificate does not cover",
    rfc: "9110 15.5.20",
    client: "GET https://other.test/x HTTP/1.1\r\nHost: a.test\r\n\r\n",
    expect: [refused("misdirected")],
    over: ["https"],
  },
];

/** Whom a request is for. */
export const hosts: Theme = { name: "hosts", cases: [...refusedCases(), ...servedCases(), ...OTHERS] };
