import { assertMatch } from "@std/assert";
import { listenErrorMessage } from "./listen_error.ts";

Deno.test("listenErrorMessage() says what to do", () => {
  const address = { hostname: "127.0.0.1", port: 0 };
  const cases: [Error, RegExp][] = [
    [new Deno.errors.AddrInUse(), /^Cannot listen on 127\.0\.0\.1:0: another program does\./],
    [
      Object.assign(new Error("listen EADDRINUSE"), { code: "EADDRINUSE" }),
      /^Cannot listen on 127\.0\.0\.1:0: another program does\./,
    ],
    [
      new Deno.errors.PermissionDenied(),
      /^Cannot listen on 127\.0\.0\.1:0: ports below 1024 need privileges/,
    ],
    [
      Object.assign(new Error("listen EACCES"), { code: "EACCES" }),
      /^Cannot listen on 127\.0\.0\.1:0: ports below 1024 need privileges/,
    ],
    [new Error("No such host"), /^Cannot listen on 127\.0\.0\.1:0: No such host$/],
  ];
  for (const [error, message] of cases) assertMatch(listenErrorMessage(error, address), message);
});
