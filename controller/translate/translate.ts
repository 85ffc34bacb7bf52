import {
  certFile,
  type Certificate,
  type EndpointsFile,
  keyFile,
  type KeyPair,
  type ProxyConfig,
  type TlsFiles,
} from "@pingress/config";
import type { Snapshot } from "../store.ts";
import { buildRules } from "./build_rules.ts";
import { checkAnnotations } from "./check_annotations.ts";
import { collectCertificates, type HostCertificate } from "./collect_certificates.ts";
import { type Problem, ProblemList } from "./problem.ts";
import { BackendResolver } from "./resolve_backend.ts";
import { selectIngresses } from "./select_ingresses.ts";

/** What a snapshot comes to. */
export interface Translation {
  /** Are there Ingresses of ours at all? */
  isEmpty: boolean;
  /** `proxy.json` */
  config: ProxyConfig;
  /** `endpoints.json` */
  endpoints: EndpointsFile;
  /** The certificates by host. */
  certificates: Map<string, HostCertificate>;
  /** All that is wrong: with annotations, then rules, then default backends, then certificates, each in the order of the Ingresses. */
  problems: Problem[];
}

/** Options of {@linkcode translate}. */
export interface TranslateOptions {
  /** Where proxies find certificates and keys. */
  keysDirectory: string;
  /** What a TLS Secret (`namespace/name`) held when it was last good. */
  lastGood?: ReadonlyMap<string, KeyPair>;
}

/**
 * Turns everything that the controller saw into everything that proxies need. It is a function of its
 * arguments alone: no API, no clock, no log.
 */
export function translate(
  snapshot: Snapshot,
  { keysDirectory, lastGood = new Map() }: TranslateOptions,
): Translation {
  const problems: Problem[] = [];
  const ingresses = selectIngresses(snapshot);
  for (const ingress of ingresses) {
    checkAnnotations(ingress, { problems: new ProblemList(ingress, problems) });
  }
  const backends = new BackendResolver(snapshot);
  const { rules, defaultBackend } = buildRules(ingresses, { backends, problems });
  const certificates = collectCertificates(ingresses, { secrets: snapshot.Secret, lastGood, problems });
  const tlsOf = (host: string): TlsFiles => ({
    key: `${keysDirectory}/${keyFile(host)}`,
    cert: `${keysDirectory}/${certFile(host)}`,
  });
  const hosts = new Set(rules.map(({ host }) => host));
  const others: Certificate[] = [...certificates.keys()].filter((host) => !hosts.has(host)).sort()
    .map((host) => ({ host, ...tlsOf(host) }));
  return {
    isEmpty: ingresses.length === 0,
    config: {
      rules: rules.map((rule) =>
        rule.host !== undefined && certificates.has(rule.host) ? { ...rule, tls: tlsOf(rule.host) } : rule
      ),
      ...defaultBackend !== undefined && { defaultBackend },
      ...others.length > 0 && { certificates: others },
    },
    endpoints: backends.endpoints(),
    certificates,
    problems,
  };
}
