/**
 * What is served: the hosts and their certificates, and how a proxy may be set up for them.
 *
 * @module
 */
import { selfSigned } from "../certificates.ts";
import type { Ports } from "./programs.ts";

/** The name that is asked for; load generators take no other one for 127.0.0.1 without help. */
export const HOST = "localhost";
/** How many hosts have a certificate of their own, and how many there are unless told. */
export const CERTIFICATES = 100;

/** What is measured. */
export type ProxyName = "Pingress" | "nginx" | "HAProxy";

/** How a proxy is set up. */
export interface Setup {
  /** Which one. */
  proxy: ProxyName;
  /** How many hosts it has; the first {@linkcode CERTIFICATES} of them have certificates. */
  hosts?: number;
  /** The paths of each host; one for all unless told. HAProxy does not look at them. */
  paths?: readonly string[];
  /** How many workers it has: one, on a core of its own, unless told; with more, each core is theirs. */
  workers?: number;
  /** Does it write an access log to a file? */
  logs?: boolean;
  /** Do its rules say what annotations.ts does? HAProxy has none that could. */
  isAnnotated?: boolean;
  /** May clients resume TLS sessions? Pingress always lets them. */
  resumes?: boolean;
}

/** What a proxy's files are made of. */
export interface Site extends Required<Setup> {
  /** Where the certificates are. */
  certificates: string;
  /** Where the proxy's own files go. */
  directory: string;
  /** The backend's port. */
  backend: number;
  /** Where the proxy is to listen. */
  ports: Required<Ports>;
}

/** A host's name; the first one is {@linkcode HOST}. hosts.lua knows them, too. */
export function hostName(index: number): string {
  return index === 0 ? HOST : `host${index}.example.com`;
}

/** The names of all hosts. */
export function hostNames(count: number): string[] {
  return Array.from({ length: count }, (_, index) => hostName(index));
}

/** The files of a host's certificate; nothing for a host that has none. */
export function certificateOf(site: Site, index: number): { cert: string; key: string } | undefined {
  if (index >= CERTIFICATES) return undefined;
  const file = `${site.certificates}/${hostName(index)}`;
  return { cert: `${file}.cert`, key: `${file}.key` };
}

/** Writes the certificates, and a directory of them for HAProxy, which wants pairs in one file. @returns where. */
export async function writeCertificates(directory: string): Promise<string> {
  const certificates = `${directory}/certificates`;
  await Deno.mkdir(`${certificates}/pem`, { recursive: true });
  await Promise.all(
    hostNames(CERTIFICATES).map(async (host) => {
      const { cert, key } = await selfSigned([host]);
      await Deno.writeTextFile(`${certificates}/${host}.cert`, cert);
      await Deno.writeTextFile(`${certificates}/${host}.key`, key);
      await Deno.writeTextFile(`${certificates}/pem/${host}.pem`, cert + key);
    }),
  );
  return certificates;
}
