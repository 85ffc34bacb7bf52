import { X509Certificate } from "node:crypto";
import { assertEquals, assertMatch, assertThrows } from "@std/assert";
import { type CheckedKeyPair, checkKeyPair, formatAddress } from "@pingress/config";
import { selfSigned } from "../tests/certificates.ts";
import { RawServer } from "../tests/peers.ts";
import { Admin, type AdminOptions } from "./admin.ts";

const ADDRESS = { hostname: "127.0.0.1", port: 0 };
const SOON = checkKeyPair(await selfSigned(["soon.test"], { days: 10 }));
const LATE = checkKeyPair(await selfSigned(["late.test"], { days: 100 }));

/** An admin port, closed at the end of its scope. */
class Setup implements AsyncDisposable {
  isReady = false;
  readonly #admin: Admin;

  constructor(options: Partial<AdminOptions> = {}) {
    this.#admin = new Admin(ADDRESS, {
      isReady: () => this.isReady,
      withHosts: false,
      counts: () => ({
        reloads: 1,
        reloadSeconds: 0.25,
        reloadFailures: 2,
        workers: 3,
        workerRestarts: 4,
        accessLogDropped: 5,
      }),
      revision: () => "0123456789ab",
      certificates: () => undefined,
      samples: () =>
        Promise.resolve([
          ["pingress_upstream_endpoint_passed_over", 'address="10.0.0.1:80"', 2],
          ["pingress_connections", "", 6],
        ]),
      ...options,
    });
  }

  async ask(path: string): Promise<[status: number, text: string]> {
    const response = await fetch(`http://${formatAddress(this.#admin.address)}${path}`);
    return [response.status, await response.text()];
  }

  /** The lines of all metrics that are about expiry. */
  async expiries(): Promise<string[]> {
    const [, text] = await this.ask("/metrics");
    return text.split("\n").filter((line) => line.startsWith("pingress_certificate_expiry"));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#admin.close();
  }
}

function expiryOf({ cert }: CheckedKeyPair): number {
  return new X509Certificate(cert).validToDate.getTime() / 1000;
}

Deno.test("Admin says that it runs, and whether it serves traffic", async () => {
  await using setup = new Setup();
  assertEquals([await setup.ask("/healthz"), await setup.ask("/readyz")], [[200, "ok\n"], [
    503,
    "not ready\n",
  ]]);
  setup.isReady = true;
  assertEquals([await setup.ask("/healthz"), await setup.ask("/readyz")], [[200, "ok\n"], [200, "ok\n"]]);
  const [status, text] = await setup.ask("/");
  assertEquals(status, 404);
  assertMatch(text, /\/healthz, \/metrics and \/readyz/);
});

Deno.test("Admin tells what all threads have counted", async () => {
  await using setup = new Setup();
  const [status, text] = await setup.ask("/metrics");
  assertEquals(status, 200);
  assertEquals(text.split("\n").filter((line) => line !== "" && !line.startsWith("#")), [
    "pingress_connections 6",
    'pingress_upstream_endpoint_passed_over{address="10.0.0.1:80"} 2',
    "pingress_upstream_passed_over_endpoints 1",
    'pingress_config_info{revision="0123456789ab"} 1',
    "pingress_reloads_total 1",
    "pingress_reload_duration_seconds 0.25",
    "pingress_reload_failures_total 2",
    "pingress_workers 3",
    "pingress_worker_restarts_total 4",
    "pingress_access_log_dropped_total 5",
  ]);
});

Deno.test("Admin tells when the first certificate expires", async () => {
  const byHost = new Map([["late.test", LATE], ["soon.test", SOON]]);
  await using setup = new Setup({ certificates: () => ({ byHost, fallback: undefined }) });
  assertEquals(await setup.expiries(), [
    `pingress_certificate_expiry_timestamp_seconds ${expiryOf(SOON)}`,
  ]);
});

Deno.test("Admin tells when the certificate of each host expires, if told", async () => {
  const byHost = new Map([["late.test", LATE], ["*.soon.test", SOON]]);
  await using setup = new Setup({
    withHosts: true,
    certificates: () => ({ byHost, fallback: undefined }),
  });
  assertEquals(await setup.expiries(), [
    `pingress_certificate_expiry_timestamp_seconds{host="late.test"} ${expiryOf(LATE)}`,
    `pingress_certificate_expiry_timestamp_seconds{host="*.soon.test"} ${expiryOf(SOON)}`,
  ]);
});

Deno.test("Admin tells when the certificate of all other names expires", async () => {
  const certificates = () => ({ byHost: new Map([["late.test", LATE]]), fallback: SOON });
  const cases: [withHosts: boolean, lines: string[]][] = [
    [false, [`pingress_certificate_expiry_timestamp_seconds ${expiryOf(SOON)}`]],
    [true, [
      `pingress_certificate_expiry_timestamp_seconds{host="late.test"} ${expiryOf(LATE)}`,
      `pingress_certificate_expiry_timestamp_seconds{host="*"} ${expiryOf(SOON)}`,
    ]],
  ];
  for (const [withHosts, lines] of cases) {
    await using setup = new Setup({ withHosts, certificates });
    assertEquals(await setup.expiries(), lines);
  }
});

Deno.test("Admin tells of no expiry where there is no certificate", async () => {
  await using setup = new Setup({ certificates: () => ({ byHost: new Map(), fallback: undefined }) });
  assertEquals(await setup.expiries(), []);
});

Deno.test("Admin cannot listen where another program does", () => {
  using taken = new RawServer(() => Promise.resolve());
  const options: AdminOptions = {
    isReady: () => true,
    withHosts: false,
    counts: () => ({
      reloads: 0,
      reloadSeconds: 0,
      reloadFailures: 0,
      workers: 0,
      workerRestarts: 0,
      accessLogDropped: 0,
    }),
    revision: () => undefined,
    certificates: () => undefined,
    samples: () => Promise.resolve([]),
  };
  assertThrows(() => new Admin(taken.address, options), Deno.errors.AddrInUse);
});
