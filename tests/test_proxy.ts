/**
 * A running proxy.
 *
 * @module
 */
import type { EndpointsFile } from "@pingress/config";
import { Proxy, type ProxyOptions } from "../proxy/proxy.ts";
import type { ServerOptions } from "../proxy/server.ts";
import { Peer } from "./peers.ts";
import { type RecordedLog, recordingLog, TempDir } from "./testing.ts";

/** What a {@linkcode TestProxy} serves. */
export interface TestProxyOptions {
  /** The rules of its `proxy.json`; see {@linkcode rule}. */
  rules: unknown[];
  /** Its `endpoints.json`; without it every backend is looked up in DNS. */
  endpoints?: EndpointsFile;
  /** More members of its `proxy.json`. */
  config?: Record<string, unknown>;
  /** More files of its directory, by name. */
  files?: Record<string, string>;
  /** More options of the proxy; `defaultTls` names files of its directory. */
  options?: Partial<Omit<ProxyOptions, "server">>;
  /** More options of its server. */
  server?: Partial<ServerOptions>;
}

/** A server for tests: on free ports, with all that its flags would say. */
export const TEST_SERVER: ServerOptions = {
  listenHttp: { hostname: "127.0.0.1", port: 0 },
  listenHttps: { hostname: "127.0.0.1", port: 0 },
  allowsH2c: false,
  proxyProtocolFrom: [],
  trustedProxies: [],
  sendsForwarded: false,
  maxConnections: 1000,
  maxConnectionsPerClient: 0,
  maxUpstreamConnections: 1000,
  maxHeadBytes: 32 * 1024,
  maxTargetBytes: 16 * 1024,
  maxBodyBytes: 0,
  handshakeTimeout: 5000,
  headTimeout: 5000,
  idleTimeout: 5000,
  clientTimeout: 5000,
  connectTimeout: 5000,
  responseTimeout: 5000,
  streamTimeout: 5000,
  upstreamIdleTimeout: 4000,
  allowsLocalUpstreams: false,
  balance: "least-requests",
  accessLogRate: 0,
  metricsWithHosts: false,
};

/** What the log says when a new state is in place. */
export const LOADED = "Configuration loaded";

/** A proxy that serves files of a directory of its own, on free ports. */
export class TestProxy implements AsyncDisposable {
  /** The directory with its configuration. */
  readonly dir: TempDir;
  /** What it logs. */
  readonly record: RecordedLog;
  /** Where it listens. */
  readonly addresses: Proxy["addresses"];
  readonly #proxy: Proxy;
  #stopping: Promise<void> | undefined;

  private constructor(dir: TempDir, proxy: Proxy, record: RecordedLog) {
    this.dir = dir;
    this.record = record;
    this.addresses = proxy.addresses;
    this.#proxy = proxy;
  }

  /** Starts one. */
  static async start(
    { rules, endpoints, config, files, options, server }: TestProxyOptions,
  ): Promise<TestProxy> {
    const dir = await TempDir.make();
    for (const [name, text] of Object.entries(files ?? {})) await dir.write(name, text);
    if (endpoints !== undefined) await dir.write("endpoints.json", JSON.stringify(endpoints));
    const configFile = await dir.write("proxy.json", atDirectory({ ...config, rules }, dir));
    const record = recordingLog();
    const { defaultTls, ...rest } = options ?? {};
    const proxy = new Proxy({
      configFile,
      watchDirectory: dir.path,
      server: { ...TEST_SERVER, ...server },
      workers: 0,
      shutdownDelay: 0,
      drainTimeout: 10_000,
      accessLog: { write: (bytes) => Promise.resolve(bytes.length) },
      ...defaultTls && {
        defaultTls: { cert: `${dir.path}/${defaultTls.cert}`, key: `${dir.path}/${defaultTls.key}` },
      },
      log: record.log,
      ...rest,
    });
    try {
      await proxy.start();
      return new TestProxy(dir, proxy, record);
    } catch (error) {
      await proxy.stop();
      await dir[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Connects to its HTTP port. */
  async client(): Promise<Peer> {
    return await Peer.connect(this.addresses.http);
  }

  /** Replaces its rules and waits until they are loaded; see {@linkcode reloadFile}. */
  async reload(rules: unknown[], ...messages: string[]): Promise<void> {
    await this.reloadFile("proxy.json", atDirectory({ rules }, this.dir), ...messages);
  }

  /** Replaces one of its files and waits until the log has said `messages`, one after the other. */
  async reloadFile(name: string, text: string, ...messages: string[]): Promise<void> {
    let from = this.record.lines.length;
    await this.dir.write(name, text);
    for (const message of messages.length > 0 ? messages : [LOADED]) {
      from = await this.record.has(message, from);
    }
  }

  /** Stops it, once, and waits for what runs. */
  async stop(): Promise<void> {
    this.#stopping ??= this.#proxy.stop();
    await this.#stopping;
  }

  /** Stops it and removes its files. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    await this.dir[Symbol.asyncDispose]();
  }
}

/** A rule for `proxy.json`: everything at `path` of `host` goes to the Service `backend`, port 80. */
export function rule(host: string | undefined, path: string, backend: string, members = {}): unknown {
  return {
    host,
    path: { type: "Prefix", path },
    backend: { type: "Service", name: backend, namespace: "default", port: 80 },
    ...members,
  };
}

/** The member of a rule that names the files `<name>.key` and `<name>.cert`. */
export function tlsFiles(name: string): { tls: { key: string; cert: string } } {
  return { tls: { key: `./${name}.key`, cert: `./${name}.cert` } };
}

/** The text of a configuration; its certificate files are named before there is a directory for them. */
function atDirectory(config: Record<string, unknown>, dir: TempDir): string {
  return JSON.stringify(config).replaceAll('"./', `"${dir.path}/`);
}
