import { type Address, backendKeys, labelValue, type Log, type Sample } from "@pingress/config";
import { Gate } from "./accept/gate.ts";
import { HttpListener, type Serve } from "./accept/http_listener.ts";
import { listenErrorMessage } from "./accept/listen_error.ts";
import type { Configuration } from "./configuration.ts";
import { Deadlines } from "./deadlines.ts";
import { FailureLog } from "./failure_log.ts";
import type { DownstreamResponse } from "./exchange.ts";
import { createHandler, type HandlerOptions, send } from "./handler.ts";
import { serveHttp1 } from "./http1/server.ts";
import { Turns } from "./http1/turns.ts";
import { Http2Server } from "./http2/http2_server.ts";
import { IpRanges } from "./ip_ranges.ts";
import { AccessLog } from "./observe/access_log.ts";
import { Metrics } from "./observe/metrics.ts";
import { Observer } from "./observe/observer.ts";
import { PASSED_OVER } from "./observe/passed_over_samples.ts";
import { compilePolicies } from "./policies/compile.ts";
import { LimitTable } from "./policies/limit_table.ts";
import { PasswordChecker } from "./policies/password_checker.ts";
import type { PolicyEnvironment } from "./policies/policy.ts";
import type { Destination } from "./routing_table.ts";
import { StateCompiler } from "./state.ts";
import { HttpsListener } from "./tls/https_listener.ts";
import { type Balance, createBalancer } from "./upstream/balancer.ts";
import { type Ask, createAsk } from "./upstream/ask.ts";
import { UpstreamClient } from "./upstream/client.ts";
import { UpstreamPool } from "./upstream/pool.ts";
import { Resolver } from "./upstream/resolver.ts";
import type { UpstreamRequest } from "./upstream/round_trip.ts";

/** What a server is told by the command line. Times are in milliseconds, sizes in bytes. */
export interface ServerOptions {
  /** Where HTTP is served. */
  listenHttp: Address;
  /** Where HTTPS is served. */
  listenHttps: Address;
  /** Is HTTP/2 served in clear, to clients with prior knowledge? */
  allowsH2c: boolean;
  /** The addresses whose connections begin with a PROXY protocol header: IP addresses and CIDR blocks. */
  proxyProtocolFrom: readonly string[];
  /** The proxies in front of us whose word about the client counts: IP addresses and CIDR blocks. */
  trustedProxies: readonly string[];
  /** Is `Forwarded` sent too (RFC 7239)? */
  sendsForwarded: boolean;
  /** How many connections of clients there may be in all. */
  maxConnections: number;
  /** How many there may be from one address; 0 for no limit. */
  maxConnectionsPerClient: number;
  /** How many connections there may be to one endpoint. */
  maxUpstreamConnections: number;
  /** The longest head of a request. */
  maxHeadBytes: number;
  /** The longest request target. */
  maxTargetBytes: number;
  /** The largest content of a request; 0 for no limit. */
  maxBodyBytes: number;
  /** How long a TLS handshake may take. */
  handshakeTimeout: number;
  /** How long the head of a request may take. */
  headTimeout: number;
  /** How long a connection may wait for its next request. */
  idleTimeout: number;
  /** How long a client may neither send nor take anything in the middle of an exchange. */
  clientTimeout: number;
  /** How long connecting to a backend may take. */
  connectTimeout: number;
  /** How long a backend may do nothing before its response starts. */
  responseTimeout: number;
  /** How long a response or a tunnel may be silent. */
  streamTimeout: number;
  /** How long a connection to a backend waits for its next request. */
  upstreamIdleTimeout: number;
  /** May names lead to loopback and link-local addresses? */
  allowsLocalUpstreams: boolean;
  /** How endpoints are chosen. */
  balance: Balance;
  /** Which part of all requests is in the access log: from 0 to 1. */
  accessLogRate: number;
  /** Do metrics have hosts as a label? */
  metricsWithHosts: boolean;
}

/** What a server needs of the thread that it runs in. */
export interface ServerEnvironment {
  /** Do other servers of this program share the ports? */
  sharesPorts: boolean;
  /** Takes lines of the access log, each with its line end; it must not wait. */
  writeAccessLog: (lines: string) => void;
  /** What all servers of this program remember together of what clients ask. */
  limits: SharedArrayBuffer;
  /** Told what happens, but for single requests. */
  log: Log;
}

/** Serves traffic: one of them in each worker. */
export class Server {
  readonly #options: ServerOptions;
  readonly #environment: ServerEnvironment;
  readonly #state: StateCompiler;
  readonly #resolver: Resolver;
  readonly #passwords = new PasswordChecker();
  readonly #deadlines = new Deadlines();
  readonly #gate: Gate;
  readonly #metrics: Metrics;
  readonly #accessLog: AccessLog | undefined;
  #files: ReadonlyMap<string, string> = new Map();
  #ask: Ask = () => Promise.reject(new Error("BUG: a request before the start"));
  #isDraining = false;
  #running: { http: HttpListener; https: HttpsListener; http2: Http2Server; pool: UpstreamPool } | undefined;
  #forwarding: Pick<HandlerOptions, "state" | "upstream" | "observer"> | undefined;

  /** A server that does not listen yet. */
  constructor(options: ServerOptions, environment: ServerEnvironment) {
    this.#options = options;
    this.#environment = environment;
    const policies: PolicyEnvironment = {
      now: Date.now,
      random: Math.random,
      limits: new LimitTable(environment.limits),
      fileText: (path) => this.#files.get(path),
      passwords: this.#passwords,
      addressesOf: (route) => this.#state.state.endpoints.of(route),
      ask: (server, request) => this.#ask(server, request),
      send: (request, destination) => this.#send(request, destination),
    };
    this.#resolver = new Resolver({ allowsLocal: options.allowsLocalUpstreams });
    this.#state = new StateCompiler(
      this.#resolver,
      (ruleOptions) => compilePolicies(ruleOptions, policies),
    );
    this.#gate = new Gate({ ...options, deadlines: this.#deadlines });
    this.#metrics = new Metrics({ withHosts: options.metricsWithHosts });
    this.#accessLog = options.accessLogRate === 0
      ? undefined
      : new AccessLog({ rate: options.accessLogRate, write: environment.writeAccessLog });
  }

  /** Takes what has changed of the configuration: it counts from the next request and handshake on. */
  configure(change: Partial<Configuration>): void {
    this.#files = change.files ?? this.#files;
    this.#state.update(change);
    if (change.config !== undefined) this.#metrics.keepBackends(backendKeys(change.config));
  }

  /**
   * Listens. There must be a configuration.
   *
   * @returns where it listens.
   * @throws {Error} when an address cannot be listened on, in words for the user.
   */
  async start(): Promise<{ http: Address; https: Address }> {
    const { listenHttp, listenHttps } = this.#options;
    const { log, sharesPorts } = this.#environment;
    const pool = new UpstreamPool({
      ...this.#options,
      deadlines: this.#deadlines,
      idleTimeout: this.#options.upstreamIdleTimeout,
      maxConnections: this.#options.maxUpstreamConnections,
      onConnect: (succeeded) => this.#countConnect(succeeded),
    });
    const handler = this.#createHandler(pool);
    const protocol = {
      ...this.#options,
      handler,
      deadlines: this.#deadlines,
      turns: new Turns(() => this.#gate.count),
      isDraining: () => this.#isDraining,
      log,
    };
    const http2 = new Http2Server({
      ...protocol,
      needsTrailers: ({ serverName }) => this.#state.state.routes.speaksGrpc(serverName),
    });
    const http1: Serve = (connection) => serveHttp1(connection, protocol);
    const shared = {
      ...this.#options,
      reusePort: sharesPorts,
      gate: this.#gate,
      proxyProtocolFrom: new IpRanges(this.#options.proxyProtocolFrom),
      serveHttp1: http1,
      log,
    };
    const serveHttp2: Serve = (connection) => http2.serve(connection);
    let http;
    try {
      http = listening(
        listenHttp,
        () =>
          new HttpListener({ ...shared, address: listenHttp, ...this.#options.allowsH2c && { serveHttp2 } }),
      );
      const https = listening(listenHttps, () =>
        new HttpsListener({
          ...shared,
          address: listenHttps,
          certificates: () => this.#state.state.certificates,
          serveHttp2,
        }));
      this.#running = { http, https, http2, pool };
      return { http: http.address, https: https.address };
    } catch (error) {
      http?.close();
      pool.close();
      await http2.shutdown();
      throw error;
    }
  }

  /** All numbers of this moment. */
  samples(): Sample[] {
    const { http, https, pool } = this.#running ?? {};
    return [
      ...this.#metrics.samples(),
      ["pingress_connections", "", this.#gate.count],
      ["pingress_connections_accepted_total", "", (http?.accepted ?? 0) + (https?.accepted ?? 0)],
      ["pingress_connections_refused_total", "", this.#gate.refused],
      ["pingress_connections_evicted_total", "", this.#gate.evicted],
      ["pingress_tls_handshakes_total", "", https?.handshakes ?? 0],
      ["pingress_tls_handshake_failures_total", "", https?.failures ?? 0],
      ...[...pool?.passedOver() ?? []].map((
        name,
      ): Sample => [PASSED_OVER, `address=${labelValue(name)}`, 1]),
    ];
  }

  /** Goes on serving, but lets clients of HTTP/1 know that each answer is the last one on its connection. */
  leave(): void {
    this.#isDraining = true;
  }

  /** Stops accepting, finishes what runs, and closes everything. */
  async stop(): Promise<void> {
    this.#isDraining = true;
    if (this.#running !== undefined) {
      const { http, https, http2, pool } = this.#running;
      http.close();
      https.close();
      this.#gate.closeWaiting();
      await Promise.all([http.ended(), https.ended(), http2.shutdown()]);
      pool.close();
    }
    this.#passwords.close();
    this.#accessLog?.flush();
  }

  #createHandler(pool: UpstreamPool) {
    const failures = new FailureLog(this.#environment.log);
    const observer = new Observer({ metrics: this.#metrics, failures, accessLog: this.#accessLog });
    const upstream = new UpstreamClient({
      ...this.#options,
      pool,
      balancer: createBalancer(this.#options.balance),
      onBrokenOff: (error) => {
        this.#metrics.upstreamBroken++;
        observer.failed(error);
      },
    });
    const { allowsLocalUpstreams: allowsLocal } = this.#options;
    this.#ask = createAsk({ upstream, resolver: this.#resolver, allowsLocal });
    this.#forwarding = { state: () => this.#state.state, upstream, observer };
    return createHandler({
      ...this.#options,
      ...this.#forwarding,
      trustedProxies: new IpRanges(this.#options.trustedProxies),
    });
  }

  /** Sends a request that is none of a client's. */
  async #send(request: UpstreamRequest, destination: Destination): Promise<DownstreamResponse> {
    if (this.#forwarding === undefined) throw new Error("BUG: a request before the server has started");
    try {
      return await send(request, { destination, attempts: { retries: 0 } }, this.#forwarding);
    } catch (error) {
      if (!request.cancellation.isCancelled) this.#forwarding.observer.failed(error);
      throw error;
    }
  }

  #countConnect(succeeded: boolean): void {
    if (succeeded) this.#metrics.upstreamConnects++;
    else this.#metrics.upstreamConnectFailures++;
  }
}

function listening<T>(address: Address, listen: () => T): T {
  try {
    return listen();
  } catch (error) {
    throw new Error(listenErrorMessage(error, address), { cause: error });
  }
}
