/**
 * nginx: as the backend, and as one of the proxies.
 *
 * @module
 */
import { annotatedLocation, NGINX_LIMIT_ZONE } from "./annotations.ts";
import { certificateOf, hostName, type Site } from "./site.ts";

/** For what a default would end in the middle of a run. */
const ENDLESS = 1_000_000_000;

/** Writes the files of the backend. @returns its command line. */
export async function backend(
  directory: string,
  { port, largePath }: { port: number; largePath: string },
): Promise<string[]> {
  return await write(
    directory,
    1,
    `
  access_log off;
  sendfile on;
  open_file_cache max=10;
  server {
    listen 127.0.0.1:${port};
    location / { return 200 "Hello, World!"; }
    location = ${largePath} { root ${directory}; }
  }`,
  );
}

/** Writes the files of a proxy. @returns its command line. */
export async function nginx(site: Site): Promise<string[]> {
  const { directory, hosts, paths, ports, isAnnotated, resumes, logs } = site;
  const locations = paths.map((path) => {
    const { head, directives } = isAnnotated ? annotatedLocation(path) : { head: path, directives: "" };
    return `location ${head} {${directives} proxy_pass http://backend; }`;
  }).join(" ");
  const servers = Array.from({ length: hosts }, (_, index) => {
    const pair = certificateOf(site, index);
    const tls = pair === undefined ? "" : `
    listen 127.0.0.1:${ports.https} ssl http2;
    ssl_certificate ${pair.cert};
    ssl_certificate_key ${pair.key};`;
    return `
  server {
    listen 127.0.0.1:${ports.http};${tls}
    server_name ${hostName(index)};
    ${locations}
  }`;
  });
  return await write(
    directory,
    site.workers,
    `
  access_log ${logs ? `${directory}/access.log` : "off"};
  ${isAnnotated ? NGINX_LIMIT_ZONE : ""}
  server_names_hash_bucket_size 128;
  server_names_hash_max_size ${Math.max(512, 4 * hosts)};
  ssl_protocols TLSv1.2 TLSv1.3;
  ssl_session_tickets ${resumes ? "on" : "off"};
  ssl_session_cache ${resumes ? "shared:sessions:10m" : "off"};
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
  upstream backend { server 127.0.0.1:${site.backend}; keepalive 256; keepalive_requests ${ENDLESS}; }
  ${servers.join("")}`,
  );
}

/** Writes what both have in common; relative paths are in the directory. */
async function write(directory: string, workers: number, http: string): Promise<string[]> {
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
  const config = `
# the worker of a root that started nginx must read the directory, too
user root;
daemon off;
worker_processes ${workers};
pid nginx.pid;
error_log stderr error;
events { worker_connections 16384; }
http {
  keepalive_requests ${ENDLESS};
  ${temporary.map((what) => `${what}_temp_path ${what};`).join(" ")}
  ${http}
}
`;
  await Deno.writeTextFile(`${directory}/nginx.conf`, config);
  return ["nginx", "-p", directory, "-c", "nginx.conf", "-e", "stderr"];
}
