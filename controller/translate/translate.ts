import {
  backendKeys,
  certFile,
  type Certificate,
  type EndpointsFile,
  keyFile,
  type KeyPair,
  type ProxyConfig,
  type TlsFiles,
  wildcardOf,
} from "@pingress/config";
import { isCanary } from "../annotations/canary.ts";
import { type Ingress, objectKey } from "../objects.ts";
import type { Snapshot } from "../store.ts";
import { optionsOf, readAnnotations } from "../annotations/read_annotations.ts";
import { ShardSpace } from "../shards.ts";
import { attachCanaries } from "./attach_canaries.ts";
import { buildRules, byHostAndPath, type Claim, type RuleValues } from "./build_rules.ts";
import { collectCertificates, type HostCertificate } from "./collect_certificates.ts";
import { fitClaims } from "./fit_claims.ts";
import { fitExpressions } from "./fit_expressions.ts";
import { furtherHosts } from "./further_hosts.ts";
import { type Problem, ProblemList } from "./problem.ts";
import { BackendResolver } from "./resolve_backend.ts";
import { References } from "./references.ts";
import { selectGuests, selectIngresses } from "./select_ingresses.ts";

/** What a snapshot comes to. */
export interface Translation {
  /** Are there Ingresses of ours at all? */
  isEmpty: boolean;
  /** The Ingresses that are served, in the order in which they have their claims. */
  ingresses: readonly Ingress[];
  /** The rules of {@linkcode config}, the default backend's among them, each with the Ingress that it is from. */
  claims: readonly Claim[];
  /** `proxy.json` */
  config: ProxyConfig;
  /** `endpoints.json` */
  endpoints: EndpointsFile;
  /** The certificates by host; the default one is that of `*`. */
  certificates: Map<string, HostCertificate>;
  /** Why the default certificate cannot be used as it is. */
  defaultFault?: string | undefined;
  /** The texts of other files in the keys' directory, by their names. */
  files: Map<string, string>;
  /** The Secrets that annotations name, as `namespace/name`, whether they are there or not. */
  namedSecrets: Set<string>;
  /**
   * All that is wrong: with annotations, then rules, then default backends, then canaries, then further hosts, then
   * certificates, then what there is no time for, then with what annotations name, then what there is no room for,
   * each in the order of the Ingresses.
   */
  problems: Problem[];
}

/** Options of {@linkcode translate}. */
export interface TranslateOptions {
  /** Where proxies find certificates and keys. */
  keysDirectory: string;
  /** The TLS Secret (`namespace/name`) with the certificate of all names that have none. */
  defaultCertificate?: string | undefined;
  /** What a TLS Secret (`namespace/name`) held when it was last good. */
  lastGood?: ReadonlyMap<string, KeyPair>;
  /** The time, in milliseconds since 1970: certificates that are too old are told then. */
  now?: number;
  /** Must everything fit into the ConfigMaps and Secrets that a cluster's proxies mount? */
  isSharded?: boolean;
  /** Are requests over HTTP sent to HTTPS where an Ingress says nothing of it and there is a certificate? */
  redirectsToHttps?: boolean;
  /**
   * Classes of ingress-nginx whose Ingresses are served, too, after our own: they are sent to HTTPS unless told.
   */
  guestClasses?: readonly string[];
}

/**
 * Turns everything that the controller saw into everything that proxies need. It is a function of its
 * arguments alone: no API, no clock, no log.
 */
export function translate(
  snapshot: Snapshot,
  {
    keysDirectory,
    defaultCertificate,
    lastGood = new Map(),
    now,
    isSharded = false,
    redirectsToHttps = false,
    guestClasses = [],
  }: TranslateOptions,
): Translation {
  const problems: Problem[] = [];
  const guests = new Set(selectGuests(snapshot, guestClasses));
  const ingresses = [...selectIngresses(snapshot), ...guests];
  const annotations = new Map(
    ingresses.map((
      ingress,
    ) => [ingress, readAnnotations(ingress, { problems: new ProblemList(ingress, problems) })]),
  );
  const [canaries = [], primaries = []] = [true, false].map((wanted) =>
    ingresses.filter((ingress) => isCanary(annotations.get(ingress)?.values ?? {}) === wanted)
  );
  const backends = new BackendResolver(snapshot);
  const space = isSharded ? new ShardSpace() : undefined;
  const valuesOf = (ingress: Ingress): RuleValues => annotations.get(ingress)?.values ?? {};
  const built = buildRules(primaries, { backends, valuesOf, problems });
  const named = attachCanaries(canaries, { claims: built.claims, backends, annotations, problems });
  const { claims, hosts: further } = furtherHosts(named, primaries, { valuesOf, problems });
  const { byHost: certificates, defaultHosts, defaultFault } = collectCertificates(ingresses, {
    secrets: snapshot.Secret,
    lastGood,
    defaultSecret: defaultCertificate,
    further,
    problems,
    now,
    space,
  });
  // of the hosts of one namespace no other one decides
  const placeOf = ({ rule: { host }, ingress }: Claim) => `${ingress.metadata.namespace ?? ""} ${host ?? ""}`;
  const hostsClosed = new Map(claims.flatMap((claim) => {
    const reason = annotations.get(claim.ingress)?.hostsClosed;
    return reason === undefined ? [] : [[placeOf(claim), `${reason} (Ingress ${objectKey(claim.ingress)})`]];
  }));
  const references = new References(snapshot.Secret, { keysDirectory, space, problems });
  const tlsOf = (host: string): TlsFiles => ({
    key: `${keysDirectory}/${keyFile(host)}`,
    cert: `${keysDirectory}/${certFile(host)}`,
  });
  const completed = (claim: Claim): Claim => {
    const { rule, ingress, canary } = claim;
    const { host, path: { path } } = rule;
    const hasOwn = host !== undefined && certificates.has(host);
    const said = annotations.get(ingress);
    const closed = said?.closed ?? hostsClosed.get(placeOf(claim));
    const options = rule.options ?? (said === undefined ? {} : optionsOf({ ...said, closed }, {
      ...references.of(ingress),
      ingress,
      host,
      path,
      hasCertificate: hasOwn || certificates.has(wildcardOf(host ?? "") ?? "") ||
        defaultHosts.has(host ?? ""),
      defaults: { redirectsToHttps: redirectsToHttps || guests.has(ingress) },
      findService: (name) => backends.find(name, ingress.metadata.namespace ?? ""),
    }));
    if (rule.options === undefined && canary !== undefined) options.canary = canary;
    return {
      ...claim,
      rule: {
        ...rule,
        ...hasOwn && { tls: tlsOf(host) },
        ...Object.keys(options).length > 0 && { options },
      },
    };
  };
  const hosts = new Set(claims.map(({ rule }) => rule.host));
  const others: Certificate[] = [...certificates.keys()].filter((host) => !hosts.has(host)).sort()
    .map((host) => ({ host, ...tlsOf(host) }));
  const defaultBackend = built.defaultBackend && completed(built.defaultBackend);
  const timely = fitExpressions(claims, { further, problems });
  const all = [...defaultBackend === undefined ? [] : [defaultBackend], ...timely.map(completed)];
  const endpoints = backends.endpoints();
  const fitting = isSharded ? fitClaims(all, { certificates: others, endpoints, problems }) : all;
  const config: ProxyConfig = {
    rules: fitting.filter((claim) => claim !== defaultBackend).map(({ rule }) => rule).sort(byHostAndPath),
    ...defaultBackend !== undefined && fitting.includes(defaultBackend) &&
      {
        defaultBackend: defaultBackend.rule.backend,
        ...defaultBackend.rule.options !== undefined && { defaultOptions: defaultBackend.rule.options },
      },
    ...others.length > 0 && { certificates: others },
  };
  const isServed = backendKeys(config);
  return {
    isEmpty: ingresses.length === 0,
    ingresses,
    claims: fitting,
    config,
    endpoints: Object.fromEntries(Object.entries(endpoints).filter(([key]) => isServed.has(key))),
    certificates,
    ...defaultFault !== undefined && { defaultFault },
    files: references.files,
    namedSecrets: references.secrets,
    problems,
  };
}
