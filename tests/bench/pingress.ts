/**
 * Pingress as one of the proxies.
 *
 * @module
 */
import { annotatedRule } from "./annotations.ts";
import { certificateOf, hostName, type Site } from "./site.ts";

const MAIN = new URL("../../proxy/main.ts", import.meta.url).pathname;
const IMPORT_MAP = new URL("../../npm/import_map.json", import.meta.url).pathname;

/** Writes its files. @returns its command line: that of the image, where nothing can keep compiled code either. */
export async function pingress(site: Site): Promise<string[]> {
  const { directory, ports, workers, logs } = site;
  await Deno.mkdir(`${directory}/config`);
  await writeRules(site);
  const endpoints = { "default/backend:80": [`127.0.0.1:${site.backend}`] };
  await Deno.writeTextFile(`${directory}/config/endpoints.json`, JSON.stringify(endpoints));
  const usesNpm = import.meta.resolve("@std/assert").includes("/npm/");
  const command = [
    ...[Deno.execPath(), "run", ...usesNpm ? [`--import-map=${IMPORT_MAP}`] : []],
    ...["--cached-only", "--no-code-cache", "--no-prompt"],
    ...["--allow-net", "--allow-read", "--allow-env=PINGRESS_*", MAIN],
    ...["--config", `${directory}/config/proxy.json`, "--watch", `${directory}/config`],
    ...["--listen-http", `127.0.0.1:${ports.http}`, "--listen-https", `127.0.0.1:${ports.https}`],
    ...["--listen-admin", `127.0.0.1:${ports.admin}`, "--log-level", "warn", "--workers", String(workers)],
  ];
  return logs
    ? ["sh", "-c", `exec "$@" >${directory}/access.log`, "sh", ...command, "--access-log", "all"]
    : command;
}

/** Writes its rules, at once. */
export async function writeRules(site: Site): Promise<void> {
  const { directory, hosts, paths, isAnnotated } = site;
  const backend = { type: "Service", name: "backend", namespace: "default", port: 80 };
  const rules = Array.from({ length: hosts }, (_, index) => {
    const tls = certificateOf(site, index);
    return paths.map((path) => ({
      host: hostName(index),
      ...isAnnotated ? annotatedRule(path) : { path: { type: "Prefix", path } },
      ...{ backend, tls },
    }));
  });
  // not in the directory that is watched, so that there is one change
  await Deno.writeTextFile(`${directory}/proxy.json`, JSON.stringify({ rules: rules.flat() }));
  await Deno.rename(`${directory}/proxy.json`, `${directory}/config/proxy.json`);
}
