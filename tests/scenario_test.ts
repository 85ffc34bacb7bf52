import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { connect } from "node:tls";
import { Controller } from "../controller/controller.ts";
import { StandaloneOutput } from "../controller/outputs/standalone.ts";
import { ManifestsSource } from "../controller/sources/manifests_source.ts";
import { Proxy } from "../proxy/proxy.ts";
import { selfSigned } from "./certificates.ts";
import { Peer, RawServer, valuesOf } from "./peers.ts";
import { TEST_SERVER } from "./test_proxy.ts";
import { type RecordedLog, recordingLog, TempDir, within } from "./testing.ts";

/** YAML in, traffic through: all stages, wired as the two programs wire them. */
class Scenario implements AsyncDisposable {
  readonly manifests: TempDir;
  readonly controllerLog: RecordedLog = recordingLog();
  readonly proxyLog: RecordedLog = recordingLog();
  readonly #output: TempDir;
  readonly #controller: Controller;
  readonly #proxy: Proxy;

  private constructor(manifests: TempDir, output: TempDir) {
    this.manifests = manifests;
    this.#output = output;
    const { log } = this.controllerLog;
    this.#controller = new Controller({
      source: new ManifestsSource({ directory: manifests.path, log }),
      output: new StandaloneOutput({ directory: output.path, log }),
      log,
      pace: { interval: 1 },
    });
    this.#proxy = new Proxy({
      configFile: `${output.path}/proxy.json`,
      watchDirectory: output.path,
      server: TEST_SERVER,
      workers: 0,
      shutdownDelay: 0,
      drainTimeout: 5000,
      accessLog: { write: (bytes) => Promise.resolve(bytes.length) },
      log: this.proxyLog.log,
    });
  }

  static async start(files: Record<string, string>): Promise<Scenario> {
    const scenario = new Scenario(await TempDir.make(), await TempDir.make());
    for (const [name, text] of Object.entries(files)) await scenario.manifests.write(name, text);
    await scenario.#controller.start();
    await scenario.#proxy.start();
    return scenario;
  }

  /** Writes a file and waits until the proxy has loaded what came of it. */
  async edit(name: string, text: string): Promise<void> {
    const from = this.proxyLog.lines.length;
    await this.manifests.write(name, text);
    await this.proxyLog.has("Configuration loaded", from);
  }

  /** Waits until an answer is this one: a change may come to the proxy in more than one step. */
  async becomes(expected: string, host: string, path = "/"): Promise<void> {
    for (;;) {
      const from = this.proxyLog.lines.length;
      if (await this.ask(host, path) === expected) return;
      await this.proxyLog.has("Configuration loaded", from);
    }
  }

  /** @returns the answer's body, or its status and pingress-error. */
  async ask(host: string, path = "/"): Promise<string> {
    using client = await Peer.connect(this.#proxy.addresses.http);
    const answer = await client.exchange(`GET ${path} HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
    const [error] = valuesOf(answer, "pingress-error");
    return error === undefined ? answer.body : `${answer.start.split(" ")[1]} ${error}`;
  }

  /** @returns the fingerprint of the certificate that a name is served with, or what became of the handshake. */
  async certificateOf(servername: string): Promise<string> {
    const { hostname, port } = this.#proxy.addresses.https;
    const { promise, resolve } = Promise.withResolvers<string>();
    const socket = connect({ host: hostname, port, servername, rejectUnauthorized: false }, () => {
      resolve(socket.getPeerCertificate().fingerprint256);
      socket.destroy();
    });
    socket.on("error", (error) => resolve(error.message));
    return await within(promise, "a handshake");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#controller.stop();
    await this.#proxy.stop();
    await this.manifests[Symbol.asyncDispose]();
    await this.#output[Symbol.asyncDispose]();
  }
}

function origin(name: string): RawServer {
  return new RawServer(async (peer) => {
    for (;;) {
      await peer.readMessage();
      await peer.write(`HTTP/1.1 200 OK\r\ncontent-length: ${name.length}\r\n\r\n${name}`);
    }
  });
}

function service(name: string, port: number): object[] {
  return [
    { apiVersion: "v1", kind: "Service", metadata: { name }, spec: { ports: [{ name: "http", port: 80 }] } },
    {
      apiVersion: "v1",
      kind: "Endpoints",
      metadata: { name },
      subsets: [{ addresses: [{ ip: "127.0.0.1" }], ports: [{ name: "http", port }] }],
    },
  ];
}

function ingress(paths: [path: string, pathType: string, service: string][], members: object = {}): object {
  return {
    apiVersion: "networking.k8s.io/v1",
    kind: "Ingress",
    metadata: { name: "web" },
    spec: {
      ingressClassName: "pingress",
      rules: [{
        host: "a.example.com",
        http: {
          paths: paths.map(([path, pathType, name]) => ({
            path,
            pathType,
            backend: { service: { name, port: { name: "http" } } },
          })),
        },
      }],
      ...members,
    },
  };
}

function yaml(...objects: object[]): string {
  return objects.map((object) => JSON.stringify(object)).join("\n---\n");
}

async function tlsSecret(name: string): Promise<object> {
  const { cert, key } = await selfSigned(["a.example.com"]);
  return {
    apiVersion: "v1",
    kind: "Secret",
    type: "kubernetes.io/tls",
    metadata: { name },
    stringData: { "tls.crt": cert, "tls.key": key },
  };
}

Deno.test("an Ingress becomes served traffic, and so does each change of it", async () => {
  using one = origin("one");
  using two = origin("two");
  await using scenario = await Scenario.start({
    "ingress.yaml": yaml(
      ingress([["/", "Prefix", "one"], ["/two", "Exact", "two"], ["/none", "Prefix", "none"]]),
    ),
    "services.yaml": yaml(...service("one", one.address.port), ...service("two", two.address.port)),
  });
  assertEquals(await scenario.ask("a.example.com"), "one");
  assertEquals(await scenario.ask("A.EXAMPLE.COM.:80", "/two"), "two");
  assertEquals(await scenario.ask("a.example.com", "/two/"), "one");
  assertEquals(await scenario.ask("a.example.com", "/none"), "503 no_endpoint");
  assertEquals(await scenario.ask("b.example.com"), "404 no_route");

  await scenario.manifests.write("ingress.yaml", yaml(ingress([["/", "Prefix", "two"]])));
  await scenario.becomes("two", "a.example.com");

  // the endpoints move
  await scenario.manifests.write(
    "services.yaml",
    yaml(...service("one", two.address.port), ...service("two", one.address.port)),
  );
  await scenario.becomes("one", "a.example.com");

  const lines = scenario.controllerLog.lines.length;
  await scenario.manifests.write("ingress.yaml", "kind: [");
  await scenario.controllerLog.has("Cannot read", lines);
  assertEquals(await scenario.ask("a.example.com"), "one", "a broken file changes nothing");

  const from = scenario.proxyLog.lines.length;
  await Deno.remove(`${scenario.manifests.path}/ingress.yaml`);
  await scenario.proxyLog.has("Configuration loaded", from);
  assertEquals(await scenario.ask("a.example.com"), "404 no_route");
});

Deno.test("a certificate is used from the next handshake on, and a broken one is not", async () => {
  using one = origin("one");
  const tls = { tls: [{ hosts: ["a.example.com"], secretName: "a-tls" }] };
  await using scenario = await Scenario.start({
    "ingress.yaml": yaml(ingress([["/", "Prefix", "one"]], tls), ...service("one", one.address.port)),
  });
  assertStringIncludes(await scenario.certificateOf("a.example.com"), "UnrecognisedName");
  assertStringIncludes(scenario.controllerLog.lines.join("\n"), "There is no Secret default/a-tls");

  await scenario.edit("secret.yaml", yaml(await tlsSecret("a-tls")));
  const first = await scenario.certificateOf("a.example.com");
  await scenario.edit("secret.yaml", yaml(await tlsSecret("a-tls")));
  const second = await scenario.certificateOf("a.example.com");
  assert(first.length === 95 && second.length === 95 && first !== second);
  assertStringIncludes(await scenario.certificateOf("b.example.com"), "UnrecognisedName");

  const lines = scenario.controllerLog.lines.length;
  const broken = { ...await tlsSecret("a-tls") as { stringData: Record<string, string> } };
  broken.stringData["tls.key"] = "garbage";
  await scenario.manifests.write("secret.yaml", yaml(broken));
  await scenario.controllerLog.has("is not usable", lines);
  assertEquals(await scenario.certificateOf("a.example.com"), second);
});
