/**
 * Annotations end to end: Kubernetes YAML goes through the controller into files, and a proxy that reads them
 * serves raw requests from a backend that remembers them.
 *
 * @module
 */
import { Controller } from "../../controller/controller.ts";
import { PREFIXES } from "../../controller/annotations/known.ts";
import { StandaloneOutput } from "../../controller/outputs/standalone.ts";
import { ManifestsSource } from "../../controller/sources/manifests_source.ts";
import type { Problem } from "../../controller/translate/problem.ts";
import type { Translation } from "../../controller/translate/translate.ts";
import { Proxy, type ProxyOptions } from "../../proxy/proxy.ts";
import type { ServerOptions } from "../../proxy/server.ts";
import { Backend, ok, Peer, type RawServer, type WireMessage } from "../peers.ts";
import { LOADED, TEST_SERVER } from "../test_proxy.ts";
import { type RecordedLog, recordingLog, TempDir, within } from "../testing.ts";

/** The host of an Ingress, unless told. */
export const HOST = "site.test";

/** What a {@linkcode Site} serves. */
export interface SiteOptions {
  /** The annotations of its Ingress, by their names without prefix. */
  annotations?: Record<string, string>;
  /** The paths of its Ingress; `/` to the Service `web` unless told. */
  paths?: IngressPath[];
  /** The host of its Ingress: {@linkcode HOST} unless told. */
  host?: string;
  /** The `spec.tls` of its Ingress. */
  tls?: { hosts?: string[]; secretName: string }[];
  /** What the Service `web` answers: a text, or what a function makes of each request. */
  answer?: string | ((request: WireMessage) => string);
  /** Further objects: see {@linkcode ingress}, {@linkcode service} and {@linkcode secret}. */
  objects?: object[];
  /** More options of the proxy's server. */
  server?: Partial<ServerOptions>;
  /** How many threads the proxy has; none of its own unless told. */
  workers?: number;
}

/** A path of an Ingress. */
export interface IngressPath {
  /** The path. */
  path: string;
  /** `Prefix` unless told. */
  type?: "Exact" | "Prefix" | "ImplementationSpecific";
  /** The Service that it leads to: `web` unless told, at port 80. */
  service?: string;
}

/** What is asked of a site. */
export interface Question {
  /** GET unless told. */
  method?: string;
  /** Path and query; `/` unless told. */
  target?: string;
  /** {@linkcode HOST} unless told. */
  host?: string;
  /** More header fields. */
  fields?: Record<string, string>;
  /** The content; Content-Length is added. */
  body?: string;
}

/** Starts a site; its annotations are written in the spelling of the test. */
export type StartSite = (options?: SiteOptions) => Promise<Site>;

/** Makes a test of each spelling of annotations, which gets the spelling's prefix too. */
export function inBothSpellings(
  name: string,
  test: (start: StartSite, prefix: string) => Promise<void>,
): void {
  for (const prefix of PREFIXES) {
    Deno.test(`${name}, in annotations ${prefix}…`, () =>
      test((options) => Site.start(prefix, options), prefix));
  }
}

/** A controller, the proxy that serves what it writes, and a backend. */
export class Site implements AsyncDisposable {
  /** The Service `web`, port 80. */
  readonly backend: Backend;
  /** What the proxy logs. */
  readonly record: RecordedLog = recordingLog();
  readonly #prefix: string;
  readonly #manifests: TempDir;
  readonly #output: TempDir;
  readonly #controller: Controller;
  readonly #proxy: Proxy;
  #options: SiteOptions;
  #translation: Translation | undefined;
  #applied = Promise.withResolvers<void>();

  private constructor(
    prefix: string,
    { options, manifests, output }: { options: SiteOptions; manifests: TempDir; output: TempDir },
  ) {
    this.#prefix = prefix;
    this.#options = options;
    this.#manifests = manifests;
    this.#output = output;
    this.backend = new Backend(options.answer ?? ok("web"));
    const { log } = recordingLog();
    this.#controller = new Controller({
      source: new ManifestsSource({ directory: manifests.path, log }),
      output: new StandaloneOutput({ directory: output.path, log }),
      reporters: [{
        start: () => Promise.resolve(),
        report: ({ translation }) => {
          this.#translation = translation;
          this.#applied.resolve();
        },
        close: () => Promise.resolve(),
      }],
      log,
      pace: { interval: 1 },
    });
    this.#proxy = new Proxy(this.#proxyOptions());
  }

  /** Starts one with a prefix of annotations. */
  static async start(prefix: string, options: SiteOptions = {}): Promise<Site> {
    const site = new Site(prefix, {
      options,
      manifests: await TempDir.make(),
      output: await TempDir.make(),
    });
    try {
      await site.#write();
      await site.#controller.start();
      await within(site.#applied.promise, "the controller");
      await site.#proxy.start();
      return site;
    } catch (error) {
      await site[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Where the proxy listens. */
  get addresses(): Proxy["addresses"] {
    return this.#proxy.addresses;
  }

  /** All that the controller finds wrong. */
  get problems(): readonly Problem[] {
    return this.#translation?.problems ?? [];
  }

  /** What the controller tells the proxy. */
  get rules(): Translation["config"]["rules"] {
    return this.#translation?.config.rules ?? [];
  }

  /** Annotations in the spelling of the test, for further objects. */
  prefixed(annotations: Record<string, string>): Record<string, string> {
    return Object.fromEntries(
      Object.entries(annotations).map(([name, value]) => [this.#prefix + name, value]),
    );
  }

  /** Connects to the proxy's HTTP port. */
  async client(): Promise<Peer> {
    return await Peer.connect(this.addresses.http);
  }

  /** Asks on a connection of its own, over HTTP. */
  async ask(question: Question = {}): Promise<WireMessage> {
    using client = await this.client();
    return await client.exchange(requestOf(question));
  }

  /** Asks, and tells the status of the answer. */
  async status(question: Question = {}): Promise<number> {
    return statusOf(await this.ask(question));
  }

  /** Changes the Ingress or the further objects, and waits until the proxy has loaded what came of it. */
  async change(options: Pick<SiteOptions, "annotations" | "paths" | "tls" | "objects">): Promise<void> {
    this.#options = { ...this.#options, ...options };
    const from = this.record.lines.length;
    this.#applied = Promise.withResolvers();
    await this.#write();
    await within(this.#applied.promise, "the controller");
    await this.record.has(LOADED, from);
  }

  /** Stops everything and removes its files. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#controller.stop();
    await this.#proxy.stop();
    this.backend[Symbol.dispose]();
    await this.#manifests[Symbol.asyncDispose]();
    await this.#output[Symbol.asyncDispose]();
  }

  async #write(): Promise<void> {
    const { annotations = {}, objects = [], ...others } = this.#options;
    const items = [
      ...service("web", this.backend),
      ingress("web", { ...others, annotations: this.prefixed(annotations) }),
      ...objects,
    ];
    // JSON is YAML
    await this.#manifests.write("site.yaml", items.map((item) => JSON.stringify(item)).join("\n---\n"));
  }

  #proxyOptions(): ProxyOptions {
    const { server, workers = 0 } = this.#options;
    return {
      configFile: `${this.#output.path}/proxy.json`,
      watchDirectory: this.#output.path,
      server: { ...TEST_SERVER, ...server },
      workers,
      shutdownDelay: 0,
      drainTimeout: 5000,
      accessLog: { write: (bytes) => Promise.resolve(bytes.length) },
      log: this.record.log,
    };
  }
}

/** An Ingress; here annotations have their whole names. */
export function ingress(
  name: string,
  { annotations = {}, paths = [{ path: "/" }], host = HOST, tls }: Pick<
    SiteOptions,
    "annotations" | "paths" | "host" | "tls"
  > = {},
): object {
  return {
    apiVersion: "networking.k8s.io/v1",
    kind: "Ingress",
    metadata: { name, namespace: "default", uid: `uid-of-${name}`, annotations },
    spec: {
      ingressClassName: "pingress",
      ...tls !== undefined && { tls },
      rules: [{
        host,
        http: {
          paths: paths.map(({ path, type = "Prefix", service = "web" }) => ({
            path,
            pathType: type,
            backend: { service: { name: service, port: { number: 80 } } },
          })),
        },
      }],
    },
  };
}

/** A Service whose port 80 is a server of this machine, or several. */
export function service(name: string, ...servers: Pick<RawServer, "address">[]): object[] {
  const metadata = { name, namespace: "default" };
  return [
    { apiVersion: "v1", kind: "Service", metadata, spec: { ports: [{ name: "http", port: 80 }] } },
    {
      apiVersion: "v1",
      kind: "Endpoints",
      metadata,
      subsets: servers.map(({ address: { hostname, port } }) => ({
        addresses: [{ ip: hostname }],
        ports: [{ name: "http", port }],
      })),
    },
  ];
}

/** A Secret. */
export function secret(
  name: string,
  stringData: Record<string, string>,
  { type = "Opaque", namespace = "default" } = {},
): object {
  return { apiVersion: "v1", kind: "Secret", type, metadata: { name, namespace }, stringData };
}

/** A request as it is sent. */
export function requestOf(
  { method = "GET", target = "/", host = HOST, fields = {}, body }: Question = {},
): string {
  const lines = Object.entries({ Host: host, ...fields }).map(([name, value]) => `${name}: ${value}\r\n`);
  const length = body === undefined ? "" : `Content-Length: ${body.length}\r\n`;
  return `${method} ${target} HTTP/1.1\r\n${lines.join("")}${length}\r\n${body ?? ""}`;
}

/** The status of an answer. */
export function statusOf({ start }: WireMessage): number {
  return Number(start.split(" ")[1]);
}
