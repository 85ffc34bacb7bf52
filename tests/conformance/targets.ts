import { type Case, type ExpectedResponse, OK, refused, type Theme } from "./case.ts";

const BAD = refused("bad_request");

/** Targets that are refused: name, section, target. */
const REFUSED: [name: string, rfc: string, target: string][] = [
  ["31: a space", "9112 3.2", "/evil x"],
  ["31: NUL", "9112 3.2", "/evil\0x"],
  ["31: other letters than ASCII", "9112 3.2", "/evil\xe4"],
  ["other letters than ASCII, UTF-8", "9112 3.2", "/evil\xc3\xa4"],
  ["a control character", "9112 3.2", "/evil\x1f"],
  ["DEL", "9112 3.2", "/evil\x7f"],
  ["a tab", "9112 3.2", "/evil\tx"],
  ["32: a backslash", "3986 3.3", "/evil\\x"],
  ["32: a backslash as a segment", "3986 3.3", "/evil\\..\\x"],
  ["33: %00", "3986 2.1", "/evil%00"],
  ["33: %zz", "3986 2.1", "/evil%zz"],
  ["a percent sign alone at the end", "3986 2.1", "/evil%"],
  ["half a percent-encoding at the end", "3986 2.1", "/evil%2"],
  ["a percent sign before half a percent-encoding", "3986 2.1", "/evil%%2f"],
  ["33: a fragment", "9112 3.2.1", "/evil#f"],
  ["a fragment behind a query", "9112 3.2.1", "/evil?q#f"],
  ["a fragment alone", "9112 3.2.1", "/#evil"],
  ["32: out of the root", "3986 5.2.4", "/../evil"],
  ["out of the root, by two", "3986 5.2.4", "/a/../../evil"],
  ["out of the root, percent-encoded", "3986 5.2.4", "/%2e%2e/evil"],
  ["out of the root, half percent-encoded", "3986 5.2.4", "/.%2E/evil"],
  ["out of the root at the end", "3986 5.2.4", "/.."],
  ["out of the root, before a query", "3986 5.2.4", "/..?evil"],
];

/** Targets that are forwarded: name, section, target, and what the backend gets. */
const FORWARDED: [name: string, rfc: string, target: string, forwarded: string][] = [
  ["32: /a/../b", "3986 5.2.4", "/a/../b", "/b"],
  ["/a/./b", "3986 5.2.4", "/a/./b", "/a/b"],
  ["32: %2e%2e", "3986 5.2.4", "/a/%2e%2e/b", "/b"],
  ["%2E.", "3986 5.2.4", "/a/%2E./b", "/b"],
  ["%2e", "3986 5.2.4", "/a/%2e/b", "/a/b"],
  ["a dot last", "3986 5.2.4", "/a/.", "/a/"],
  ["two dots last", "3986 5.2.4", "/a/b/..", "/a/"],
  ["two dots up to the root", "3986 5.2.4", "/a/..", "/"],
  ["a dot alone", "3986 5.2.4", "/.", "/"],
  ["three dots are a name", "3986 5.2.4", "/.../a", "/.../a"],
  ["dots in a name", "3986 5.2.4", "/a..b/..c/.d/e.", "/a..b/..c/.d/e."],
  ["32: %2f is no slash", "3986 2.2", "/a%2fb/..%2fc", "/a%2fb/..%2fc"],
  ["%252e stays", "3986 2.4", "/%252e%252e/a", "/%252e%252e/a"],
  ["32: empty segments", "3986 3.3", "/a//b///c", "/a//b///c"],
  ["an empty segment first", "9112 3.2.1", "//b.test/c", "//b.test/c"],
  ["two dots take an empty segment", "3986 5.2.4", "/a//../b", "/a/b"],
  ["parameters", "3986 3.3", "/a;b=c/d;e", "/a;b=c/d;e"],
  ["every character that a path may have", "3986 3.3", "/-._~!$&'()*+,;=:@", "/-._~!$&'()*+,;=:@"],
  ["percent-encoding stays as it is", "3986 6.2.2", "/%41%c3%A4%20%23%3f", "/%41%c3%A4%20%23%3f"],
  ["an empty query", "3986 3.4", "/?", "/?"],
  ["dots in a query", "3986 3.4", "/x?a=/../b&c=//", "/x?a=/../b&c=//"],
  ["a URL in a query", "3986 3.4", "/x?http://b.test/../y", "/x?http://b.test/../y"],
  ["what browsers leave in a query", "3986 3.4", '/x?a={|}[]^`"<>', '/x?a={|}[]^`"<>'],
  ["a percent sign in a query", "3986 3.4", "/x?100%", "/x?100%"],
];

function refusedCases(): Case[] {
  return REFUSED.map(([name, rfc, target]) => ({
    name,
    rfc,
    client: `GET ${target} HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n`,
    expect: [BAD],
    then: "closed",
  }));
}

function forwardedCases(): Case[] {
  return FORWARDED.map(([name, rfc, target, forwarded]) => ({
    name,
    rfc,
    client: `GET ${target} HTTP/1.1\r\nHost: a.test\r\n\r\n`,
    expect: [OK],
    gets: [`GET ${forwarded}`],
  }));
}

/** What is matched is what is forwarded, on a host of which only /api is served: target, answer, forwarded. */
const ROUTED: [target: string, expected: ExpectedResponse, forwarded?: string][] = [
  ["/api/x", OK, "/api/x"],
  ["/evil", refused("no_route")],
  ["/api/../evil", refused("no_route")],
  ["/api/%2e%2e/evil", refused("no_route")],
  ["/evil/../api/x", OK, "/api/x"],
  ["/./api/x", OK, "/api/x"],
  ["/api%2fevil", refused("no_route")],
  ["/api..%2fevil", refused("no_route")],
  ["//api/evil", refused("no_route")],
  ["/API/evil", refused("no_route")],
  ["/apievil", refused("no_route")],
  ["/?/api/evil", refused("no_route")],
  ["/%61pi/evil", refused("no_route")],
];

function routedCases(): Case[] {
  return ROUTED.map(([target, expected, forwarded]) => ({
    name: `32: ${target} where only /api is served`,
    rfc: "3986 5.2.4",
    client: `GET ${target} HTTP/1.1\r\nHost: api.test\r\n\r\n`,
    expect: [expected],
    gets: forwarded === undefined ? [] : [`GET ${forwarded}`],
    over: ["http", "https"],
  }));
}

/** What a request asks for. */
export const targets: Theme = {
  name: "targets",
  cases: [...refusedCases(), ...forwardedCases(), ...routedCases()],
};
