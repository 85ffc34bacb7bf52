/**
 * HAProxy as one of the proxies.
 *
 * @module
 */
import { hostNames, type Site } from "./site.ts";

/** Writes its files. @returns its command line. */
export async function haproxy(site: Site): Promise<string[]> {
  const { directory, certificates, hosts, ports, resumes, workers } = site;
  const config = `
global
  nbthread ${workers}
  maxconn 4096
  ${resumes ? "" : "tune.ssl.cachesize 0"}
  ssl-default-bind-options ssl-min-ver TLSv1.2 ${resumes ? "" : "no-tls-tickets"}
defaults
  mode http
  http-reuse always
  timeout connect 5s
  timeout client 60s
  timeout server 60s
frontend all
  bind 127.0.0.1:${ports.http}
  bind 127.0.0.1:${ports.https} ssl crt ${certificates}/pem/ alpn h2,http/1.1
  http-request set-header X-Forwarded-For %[src]
  http-request set-header X-Forwarded-Proto %[ssl_fc,iif(https,http)]
  http-request set-header X-Forwarded-Host %[req.hdr(host)]
  http-request set-header X-Forwarded-Port %[dst_port]
  http-request set-header X-Real-IP %[src]
  use_backend %[req.hdr(host),field(1,:),lower,map(${directory}/hosts.map)]
backend app
  server app 127.0.0.1:${site.backend}
`;
  await Deno.writeTextFile(`${directory}/haproxy.cfg`, config);
  await Deno.writeTextFile(
    `${directory}/hosts.map`,
    hostNames(hosts).map((host) => `${host} app\n`).join(""),
  );
  return ["haproxy", "-db", "-f", `${directory}/haproxy.cfg`];
}
