/**
 * The backend and the proxies: their files and their command lines. Each proxy has one worker, the same hosts
 * and certificates, tells the backend who the client is, and keeps connections to it open.
 *
 * @module
 */
import { selfSigned } from "../certificates.ts";
import { freePorts, LOAD_CORE, type Ports, PROXY_CORE, run, Server } from "./programs.ts";

/** The name that is asked for; load generators take no other one for 127.0.0.1 without help. */
export const HOST = "localhost";
/** How many hosts there are, each with a certificate of its own. */
export const HOSTS = 100;
/** The path of {@linkcode LARGE_BYTES}; any other one has a few bytes. */
export const LARGE_PATH = "/large";
/** The length of the large response. */
export const LARGE_BYTES = 1024 * 1024;

/** For what a default would end in the middle of a run. */
const ENDLESS = 1_000_000_000;

interface Site {
  directory: string;
  hosts: string[];
  backend: number;
  ports: Required<Ports>;
}

/** Starts the backend and the proxies, with files in `directory`; `stack` stops them. @returns the proxies. */
export async function startAll(
  stack: AsyncDisposableStack,
  { directory, signal }: { directory: string; signal: AbortSignal },
): Promise<Server[]> {
  const hosts = [HOST, ...Array.from({ length: HOSTS - 1 }, (_, index) => `host${index + 1}.example.com`)];
  await Deno.mkdir(`${directory}/pem`);
  await Promise.all(hosts.map((host) => writeCertificate(directory, host)));
  await Deno.writeFile(`${directory}${LARGE_PATH}`, new Uint8Array(LARGE_BYTES).fill(0x61));
  const { http: backend } = freePorts();
  await Deno.writeTextFile(`${directory}/backend.conf`, backendConfig(directory, backend));
  stack.use(
    await Server.start(nginx("backend.conf", directory), {
      name: "the backend",
      core: LOAD_CORE,
      ports: { http: backend },
      signal,
    }),
  );
  const servers: Server[] = [];
  for (
    const [name, prepare] of [["Pingress", pingress], ["nginx", nginxProxy], ["HAProxy", haproxy]] as const
  ) {
    const ports = freePorts();
    const command = await prepare({ directory, hosts, backend, ports }, signal);
    servers.push(stack.use(await Server.start(command, { name, core: PROXY_CORE, ports, signal })));
  }
  return servers;
}

async function writeCertificate(directory: string, host: string): Promise<void> {
  const { cert, key } = await selfSigned([host]);
  await Deno.writeTextFile(`${directory}/${host}.cert`, cert);
  await Deno.writeTextFile(`${directory}/${host}.key`, key);
  // HAProxy wants both in one file, in a directory with nothing else
  await Deno.writeTextFile(`${directory}/pem/${host}.pem`, cert + key);
}

async function pingress({ directory, hosts, backend, ports }: Site, signal: AbortSignal): Promise<string[]> {
  const service = { type: "Service", name: "backend", namespace: "default", port: 80 };
  const rules = hosts.map((host) => ({
    host,
    path: { type: "Prefix", path: "/" },
    backend: service,
    tls: { key: `${directory}/${host}.key`, cert: `${directory}/${host}.cert` },
  }));
  await Deno.mkdir(`${directory}/pingress`);
  await Deno.writeTextFile(`${directory}/pingress/proxy.json`, JSON.stringify({ rules }));
  const endpoints = { "default/backend:80": [`127.0.0.1:${backend}`] };
  await Deno.writeTextFile(`${directory}/pingress/endpoints.json`, JSON.stringify(endpoints));
  // the task knows which packages and permissions the proxy needs
  const task = [Deno.execPath(), "task", "-q", "proxy"];
  const help = await run([...task, "--help"], signal);
  return [
    ...task,
    ...["--config", `${directory}/pingress/proxy.json`, "--watch", `${directory}/pingress`],
    ...["--listen-http", `127.0.0.1:${ports.http}`, "--listen-https", `127.0.0.1:${ports.https}`],
    ...["--listen-admin", "off", "--log-level", "warn"],
    ...help.text.includes("--workers") ? ["--workers", "1"] : [],
  ];
}

async function nginxProxy({ directory, hosts, backend, ports }: Site): Promise<string[]> {
  const servers = hosts.map((host) => `
  server {
    listen 127.0.0.1:${ports.http};
    listen 127.0.0.1:${ports.https} ssl http2;
    server_name ${host};
    ssl_certificate ${directory}/${host}.cert;
    ssl_certificate_key ${directory}/${host}.key;
    location / { proxy_pass http://backend; }
  }`);
  const config = `
  server_names_hash_bucket_size 128;
  ssl_protocols TLSv1.2 TLSv1.3;
  # every handshake is a full one
  ssl_session_tickets off;
  ssl_session_cache off;
  # large responses stay in memory, as they do elsewhere; with its default of 4 KiB nginx is half as fast
  proxy_max_temp_file_size 0;
  proxy_buffer_size 16k;
  proxy_buffers 8 32k;
  proxy_http_version 1.1;
  proxy_set_header Connection "";
  proxy_set_header Host $http_host;
  proxy_set_header X-Forwarded-For $remote_addr;
  proxy_set_header X-Forwarded-Proto $scheme;
  proxy_set_header X-Forwarded-Host $http_host;
  proxy_set_header X-Forwarded-Port $server_port;
  proxy_set_header X-Real-IP $remote_addr;
  upstream backend { server 127.0.0.1:${backend}; keepalive 256; keepalive_requests ${ENDLESS}; }
  ${servers.join("")}`;
  await Deno.writeTextFile(`${directory}/nginx.conf`, nginxConfig("nginx", config));
  return nginx("nginx.conf", directory);
}

function backendConfig(directory: string, port: number): string {
  const config = `
  sendfile on;
  open_file_cache max=10;
  server {
    listen 127.0.0.1:${port};
    location / { return 200 "Hello, World!"; }
    location = ${LARGE_PATH} { root ${directory}; }
  }`;
  return nginxConfig("backend", config);
}

/** What both nginx have in common; paths are relative to the directory. */
function nginxConfig(name: string, http: string): string {
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
  return `
# the worker of a root that started nginx must read the directory, too
user root;
daemon off;
worker_processes 1;
pid ${name}.pid;
error_log stderr error;
events { worker_connections 4096; }
http {
  access_log off;
  keepalive_requests ${ENDLESS};
  ${temporary.map((what) => `${what}_temp_path ${name}_${what};`).join(" ")}
  ${http}
}
`;
}

function nginx(config: string, directory: string): string[] {
  return ["nginx", "-p", directory, "-c", config, "-e", "stderr"];
}

async function haproxy({ directory, hosts, backend, ports }: Site): Promise<string[]> {
  const config = `
global
  nbthread 1
  maxconn 4096
  # every handshake is a full one
  tune.ssl.cachesize 0
  ssl-default-bind-options ssl-min-ver TLSv1.2 no-tls-tickets
defaults
  mode http
  http-reuse always
  timeout connect 5s
  timeout client 60s
  timeout server 60s
frontend all
  bind 127.0.0.1:${ports.http}
  bind 127.0.0.1:${ports.https} ssl crt ${directory}/pem/ alpn h2,http/1.1
  http-request set-header X-Forwarded-For %[src]
  http-request set-header X-Forwarded-Proto %[ssl_fc,iif(https,http)]
  http-request set-header X-Forwarded-Host %[req.hdr(host)]
  http-request set-header X-Forwarded-Port %[dst_port]
  http-request set-header X-Real-IP %[src]
  use_backend %[req.hdr(host),field(1,:),lower,map(${directory}/hosts.map)]
backend app
  server app 127.0.0.1:${backend}
`;
  await Deno.writeTextFile(`${directory}/haproxy.cfg`, config);
  await Deno.writeTextFile(`${directory}/hosts.map`, hosts.map((host) => `${host} app\n`).join(""));
  return ["haproxy", "-db", "-f", `${directory}/haproxy.cfg`];
}
