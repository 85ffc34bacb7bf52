import { assertEquals, assertMatch } from "@std/assert";
import { Backend, valuesOf, type WireMessage } from "../peers.ts";
import { inBothSpellings, service, statusOf } from "./harness.ts";

/** What a default backend is told, by names. */
function told(request: WireMessage | undefined): Record<string, string> {
  const names = ["x-code", "x-format", "x-original-uri", "x-namespace", "x-ingress-name", "x-service-name"];
  return Object.fromEntries(
    [...names, "x-service-port", "x-request-id"].flatMap((name) =>
      valuesOf(request!, name).map((value) => [name, value])
    ),
  );
}

const page = (status: string) => `HTTP/1.1 ${status}\r\nContent-Length: 4\r\n\r\npage`;

inBothSpellings("custom-http-errors: default-backend makes the answers", async (start) => {
  using errors = new Backend(page("200 Fine"));
  await using site = await start({
    annotations: { "custom-http-errors": "404, 503", "default-backend": "errors" },
    answer: ({ start }) =>
      start.includes("/fine") ? page("200 OK") : page(start.includes("/500") ? "500 No" : "404 No"),
    objects: service("errors", errors),
  });
  assertEquals((await site.ask({ target: "/fine" })).start, "HTTP/1.1 200 OK");
  assertEquals(statusOf(await site.ask({ target: "/500" })), 500);
  assertEquals(errors.requests.length, 0);
  const answer = await site.ask({
    method: "POST",
    target: "/a%20b?c=d",
    body: "text",
    fields: {
      Accept: "text/html",
      "X-Code": "200",
      "X-Request-ID": "one",
      "X-Own": "yes",
      "If-None-Match": "*",
      "Content-Type": "text/plain",
      "Cookie": "session=secret",
      "Authorization": "Bearer secret",
    },
  });
  assertEquals([answer.start, answer.body], ["HTTP/1.1 200 OK", "page"]);
  const [request] = errors.requests;
  assertEquals([request?.start, request?.body], ["GET /?c=d HTTP/1.1", ""]);
  assertEquals(told(request), {
    "x-code": "404",
    "x-format": "text/html",
    "x-original-uri": "/a%20b?c=d",
    "x-namespace": "default",
    "x-ingress-name": "web",
    "x-service-name": "web",
    "x-service-port": "80",
    "x-request-id": "one",
  });
  assertEquals([valuesOf(request!, "host"), valuesOf(request!, "x-own")], [["site.test"], ["yes"]]);
  for (const name of ["if-none-match", "content-type", "cookie", "authorization"]) {
    assertEquals(valuesOf(request!, name), [], name);
  }
  assertEquals((await site.ask({ method: "HEAD" })).start, "HTTP/1.1 200 OK");
  assertEquals(errors.requests[1]?.start, "HEAD / HTTP/1.1");
});

inBothSpellings("default-backend gets all requests while a Service has no endpoint", async (start) => {
  using errors = new Backend(page("200 OK"));
  await using site = await start({
    annotations: { "default-backend": "errors" },
    paths: [{ path: "/", service: "empty" }],
    objects: [...service("empty"), ...service("errors", errors)],
  });
  const answer = await site.ask({
    method: "POST",
    target: "/a?b",
    body: "text",
    fields: { "X-Original-URI": "/", "Cookie": "a=b" },
  });
  assertEquals([statusOf(answer), answer.body], [200, "page"]);
  const [request] = errors.requests;
  assertEquals([request?.start, request?.body], ["POST /a?b HTTP/1.1", "text"]);
  // it takes the place of the Service
  assertEquals(valuesOf(request!, "cookie"), ["a=b"]);
  const { "x-request-id": id, ...rest } = told(request);
  assertMatch(id ?? "", /^[0-9a-f-]{36}$/);
  assertEquals(rest, {
    "x-code": "503",
    "x-namespace": "default",
    "x-ingress-name": "web",
    "x-service-name": "empty",
    "x-service-port": "80",
  });
});

inBothSpellings("disable-proxy-intercept-errors leaves the backend's answers alone", async (start) => {
  using errors = new Backend(page("200 OK"));
  const annotations = {
    "custom-http-errors": "404,413",
    "default-backend": "errors",
    "disable-proxy-intercept-errors": "true",
    "proxy-body-size": "1",
  };
  await using site = await start({ annotations, answer: page("404 No"), objects: service("errors", errors) });
  assertEquals(statusOf(await site.ask()), 404);
  assertEquals(statusOf(await site.ask({ method: "POST", body: "text" })), 200);
  assertEquals(told(errors.requests[0])["x-code"], "413");
});

inBothSpellings("custom-http-errors leaves the answer where default-backend has none", async (start) => {
  await using site = await start({
    annotations: { "custom-http-errors": "404", "default-backend": "missing" },
    answer: page("404 No"),
  });
  assertEquals(statusOf(await site.ask()), 404);
  assertMatch(site.problems.map(({ message }) => message).join(), /There is no Service default\/missing/);
  await site.change({
    annotations: { "custom-http-errors": "503" },
    paths: [{ path: "/", service: "gone" }],
  });
  assertEquals(statusOf(await site.ask()), 503);
  assertMatch(
    site.problems.map(({ message }) => message).join(),
    /the Ingress has no annotation default-backend/,
  );
  await site.change({
    annotations: { "custom-http-errors": "503", "default-backend": "empty" },
    objects: service("empty"),
  });
  const answer = await site.ask();
  assertEquals([statusOf(answer), valuesOf(answer, "pingress-error")], [503, ["no_endpoint"]]);
});
