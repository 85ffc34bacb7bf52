/**
 * From how a server is set up to its files and its command line.
 *
 * @module
 */
import { haproxy } from "./haproxy.ts";
import { backend, nginx } from "./nginx.ts";
import { pingress } from "./pingress.ts";
import { ALL_CORES, freePorts, type Launch, LOAD_CORE, PROXY_CORE, Server } from "./programs.ts";
import { CERTIFICATES, type ProxyName, type Setup, type Site } from "./site.ts";

/** The path of {@linkcode LARGE_BYTES}; any other one has a few bytes. */
export const LARGE_PATH = "/large";
/** The length of the large response. */
export const LARGE_BYTES = 1024 * 1024;

/** Writes a proxy's files into an empty directory. @returns its command line. */
type WriteFiles = (site: Site) => Promise<string[]>;

const PROXIES: Record<ProxyName, WriteFiles> = { Pingress: pingress, nginx, HAProxy: haproxy };

/** A proxy that can be started, and what its files were made of. */
export interface PreparedProxy extends Launch {
  /** What its files were made of. */
  site: Site;
}

/** Starts the backend, with files in an empty directory. */
export async function startBackend(directory: string, signal: AbortSignal): Promise<Server> {
  await Deno.writeFile(`${directory}${LARGE_PATH}`, new Uint8Array(LARGE_BYTES).fill(0x61));
  const { http } = freePorts();
  const command = await backend(directory, { port: http, largePath: LARGE_PATH });
  return await Server.start(
    { name: "the backend", command, cores: LOAD_CORE, ports: { http }, path: "/" },
    signal,
  );
}

/** Makes a proxy ready to be started. */
export async function prepareProxy(
  name: string,
  setup: Setup,
  place: Pick<Site, "directory" | "certificates" | "backend">,
): Promise<PreparedProxy> {
  const defaults = {
    ...{ hosts: CERTIFICATES, paths: ["/"], workers: 1 },
    ...{ logs: false, isAnnotated: false, resumes: false },
  };
  const site = { ...defaults, ...setup, ...place, ports: freePorts() };
  const command = await PROXIES[setup.proxy](site);
  const { ports: { http, https, admin }, paths: [path = "/"] } = site;
  return {
    ...{ name, command, site, path },
    cores: site.workers === 1 ? PROXY_CORE : ALL_CORES,
    ports: { http, https, admin },
  };
}
