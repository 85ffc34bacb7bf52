import type { CheckedKeyPair } from "@pingress/config";
import type { CertificateSet, Configuration } from "./configuration.ts";
import type { RoutingState } from "./handler.ts";
import { type Compile, RoutingTable } from "./routing_table.ts";
import { CertificateStore } from "./tls/certificate_store.ts";
import { Endpoints } from "./upstream/endpoints.ts";
import type { Resolver } from "./upstream/resolver.ts";

/** A configuration, compiled. It is never changed, only replaced as a whole. */
export interface ProxyState extends RoutingState {
  /** The certificates by name. */
  readonly certificates: CertificateStore;
}

/** Compiles one configuration after the other; what has not changed is not compiled again. */
export class StateCompiler {
  readonly #resolver: Resolver;
  readonly #compile: Compile;
  readonly #pairs = new Map<string, CheckedKeyPair>();
  #state: ProxyState | undefined;

  /** Backends that have no address are looked up by `resolver`; `compile` makes the policies of rules. */
  constructor(resolver: Resolver, compile: Compile) {
    this.#resolver = resolver;
    this.#compile = compile;
  }

  /** The state of this moment. @throws {Error} before the first one. */
  get state(): ProxyState {
    if (this.#state === undefined) throw new Error("BUG: a request before the first configuration");
    return this.#state;
  }

  /** Compiles what has changed; the first time everything must have. */
  update({ config, endpoints, certificates }: Partial<Configuration>): void {
    this.#state = {
      routes: config === undefined ? this.state.routes : new RoutingTable(config, this.#compile),
      endpoints: endpoints === undefined ? this.state.endpoints : new Endpoints(endpoints, this.#resolver),
      certificates: certificates === undefined
        ? this.state.certificates
        : new CertificateStore(this.#known(certificates)),
    };
  }

  /** Takes the pairs that are here already for those that say the same: what is kept for them stays good. */
  #known({ byHost, fallback }: CertificateSet): CertificateSet {
    const before = new Map(this.#pairs);
    this.#pairs.clear();
    const known = (pair: CheckedKeyPair) => {
      const identity = `${pair.cert}\0${pair.key}`;
      const same = this.#pairs.get(identity) ?? before.get(identity) ?? pair;
      this.#pairs.set(identity, same);
      return same;
    };
    return {
      byHost: new Map([...byHost].map(([host, pair]) => [host, known(pair)])),
      fallback: fallback && known(fallback),
    };
  }
}
