/**
 * The two servers, and how they are asked.
 *
 * @module
 */
import { type Address, formatAddress, type KeyPair } from "@pingress/config";
import { PREFIXES } from "../../controller/annotations/known.ts";
import type { Problem } from "../../controller/translate/problem.ts";
import { ingress, requestOf, secret, service, Site } from "../annotations/harness.ts";
import { freeAddress, startNginx } from "../nginx.ts";
import { Backend, Peer, valuesOf } from "../peers.ts";
import type { Case, CaseQuestion, Exchange } from "./comparison.ts";

/** The Services, of which both servers have the same ones. */
export type Backends = Record<"web" | "other" | "auth", Backend>;

/** Where a server listens, and the certificate that it shows. */
export interface Server extends AsyncDisposable {
  /** Its ports. */
  addresses: Record<"http" | "https", Address>;
  /** What a client must trust. */
  cert: string;
}

/** Options of {@linkcode startPingress} and {@linkcode startNginxFor}. */
export interface ServerOptions {
  /** All cases at once. */
  cases: readonly Case[];
  /** The certificate of all their hosts. */
  keyPair: KeyPair;
  /** The Services. */
  backends: Backends;
}

/** Users by the kinds of their hashes; each one's password is the name and `-pw`. */
const HTPASSWD = `sha:{SHA}O/MvdjOwOQpt8I9HBSVZugThPMw=
bcrypt:$2y$05$abcdefghijklmnopqrstuufhXdHJtkiUiNQ6n8/s9Kw6bfnPI6Ytq
apr1:$apr1$abcdefgh$fAEDk.kDz9WOUjOq5ksce1
`;

const PLAIN_HTPASSWD = "plain:{PLAIN}plain-pw\n";

/** A Service answers with its name, and with the status and the header lines that fields of the request ask for. */
function backend(service: string, { status = "x-status", lines = "x-answer" } = {}): Backend {
  return new Backend((request) => {
    const [code = "200"] = valuesOf(request, status);
    const more = valuesOf(request, lines).map((line) => `${line}\r\n`).join("");
    return `HTTP/1.1 ${code} Status\r\nContent-Type: text/plain\r\n${more}` +
      `Content-Length: ${service.length}\r\n\r\n${service}`;
  });
}

/** Starts the Services; `auth` is asked by auth-url. */
export function startBackends(): Backends {
  return {
    web: backend("web"),
    other: backend("other", { status: "x-other-status" }),
    auth: backend("auth", { status: "x-auth-status", lines: "x-auth-answer" }),
  };
}

/** Starts Pingress: a controller that reads Ingresses, and the proxy that it tells. */
export async function startPingress(
  { cases, keyPair, backends }: ServerOptions,
): Promise<Server & { problems: readonly Problem[] }> {
  const site = await Site.start(PREFIXES[0], {
    host: "unused.test",
    objects: [
      ...service("web", backends.web),
      ...service("other", backends.other),
      // nobody listens there
      ...service("down", { address: freeAddress() }),
      ...service("none"),
      secret("users", { auth: HTPASSWD }),
      secret("plain", { auth: PLAIN_HTPASSWD }),
      secret("tls", { "tls.crt": keyPair.cert, "tls.key": keyPair.key }, { type: "kubernetes.io/tls" }),
      ...cases.flatMap(({ host, ingresses, hasCertificate = false }) =>
        ingresses.map(({ annotations = {}, paths, host: own = host }, index) =>
          ingress(`${host}-${index}`, {
            host: own,
            annotations: Object.fromEntries(
              Object.entries(annotations).map((
                [name, value],
              ) => [PREFIXES[1] + name, value.replace("AUTH", backends.auth.endpoint)]),
            ),
            ...paths !== undefined && { paths },
            ...hasCertificate && { tls: [{ hosts: [own], secretName: "tls" }] },
          })
        )
      ),
    ],
    server: { proxyProtocolFrom: ["127.0.0.1"], allowsLocalUpstreams: true },
  });
  return {
    addresses: site.addresses,
    cert: keyPair.cert,
    problems: site.problems,
    [Symbol.asyncDispose]: () => site[Symbol.asyncDispose](),
  };
}

/** Starts nginx with what is written by hand. */
export async function startNginxFor({ cases, keyPair, backends }: ServerOptions): Promise<Server> {
  const addresses = { http: freeAddress(), https: freeAddress() };
  const server = ({ host, serverName = host, nginx, hasCertificate = false }: Case) => `
  server {
    server_name ${serverName};
    listen ${formatAddress(addresses.http)} proxy_protocol;
    ${hasCertificate ? `listen ${formatAddress(addresses.https)} ssl proxy_protocol;` : ""}
    ssl_certificate cert.pem;
    ssl_certificate_key key.pem;
${nginx}
  }`;
  const upstreams = Object.entries(backends).map(([name, { endpoint }]) =>
    `upstream ${name} { server ${endpoint}; }`
  );
  const http = `
  ${upstreams.join("\n  ")}
  upstream down { server ${formatAddress(freeAddress())}; }
  set_real_ip_from 127.0.0.1;
  real_ip_header proxy_protocol;
  port_in_redirect off;
  server_name_in_redirect off;
  client_max_body_size 1m;
  limit_req_status 503;
  limit_conn_status 503;
  server_tokens off;
  # these are the ports of ingress-nginx
  map $scheme $pass_port { http 80; https 443; }
  # what ingress-nginx does in Lua
  map $http_host $name_without_port { default $http_host; "~^(?<name>[^:]*):" $name; }
  map $request_uri $uri_without_slash { default $request_uri; "~^(?<shorter>.*)/$" $shorter; }
  map $http_x_request_id $req_id { default $http_x_request_id; "" $request_id; }
${cases.map(({ http = "" }) => http).join("\n")}
  server { listen ${formatAddress(addresses.http)} proxy_protocol default_server; return 404; }
${cases.map(server).join("\n")}`;
  const process = await startNginx({
    address: addresses.http,
    http,
    files: {
      proxied: PROXIED,
      "cert.pem": keyPair.cert,
      "key.pem": keyPair.key,
      users: HTPASSWD,
      plain: PLAIN_HTPASSWD,
    },
  });
  return { addresses, cert: keyPair.cert, [Symbol.asyncDispose]: () => process[Symbol.asyncDispose]() };
}

/** What ingress-nginx writes into every location, but for Host. */
const PROXIED = `
proxy_http_version 1.1;
proxy_set_header Connection "";
proxy_set_header X-Request-ID $req_id;
proxy_set_header X-Real-IP $remote_addr;
proxy_set_header X-Forwarded-For $remote_addr;
proxy_set_header X-Forwarded-Host $http_host;
proxy_set_header X-Forwarded-Port $pass_port;
proxy_set_header X-Forwarded-Proto $scheme;
proxy_set_header X-Forwarded-Scheme $scheme;
proxy_set_header X-Scheme $scheme;
proxy_set_header X-Original-Forwarded-For $http_x_forwarded_for;
proxy_set_header X-Original-Forwarded-Host $http_x_forwarded_host;
proxy_set_header Proxy "";
proxy_redirect off;
`;

/** Asks a server, on a connection of its own. */
export async function ask(
  question: CaseQuestion,
  { host, server, backends }: { host: string; server: Server; backends: Backends },
): Promise<Exchange> {
  const { isSecond = false, chunks = [] } = question;
  const counts = Object.values(backends).map(({ requests }) => requests.length);
  using first = isSecond ? await connect(server, { host, question }) : undefined;
  if (first !== undefined) {
    // whoever says that it may go on has begun to answer it
    const fields = { Expect: "100-continue" };
    await first.write(requestOf({ host, method: "POST", fields, body: "x" }).slice(0, -1));
    await first.readUntil("\r\n\r\n");
  }
  using client = await connect(server, { host, question });
  const content = chunks.map((chunk) => `${chunk.length.toString(16)}\r\n${chunk}\r\n`).join("");
  await client.write(requestOf({ host, ...question }) + (content && `${content}0\r\n\r\n`));
  const answer = await client.readMessage({ isHead: question.method === "HEAD" });
  const seen = Object.entries(backends).flatMap(([service, { requests }], index) =>
    requests.slice(counts[index]).map((request) => ({ service, request }))
  );
  return { answer, seen };
}

/** A client with an address of its own: a PROXY protocol header says it. */
async function connect(
  { addresses, cert }: Server,
  { host, question: { scheme = "http", from = "10.0.0.1" } }: { host: string; question: CaseQuestion },
): Promise<Peer> {
  const connection = await Deno.connect(addresses[scheme]);
  const peer = new Peer(connection);
  await peer.write(`PROXY TCP4 ${from} 10.255.255.255 1 ${scheme === "http" ? 80 : 443}\r\n`);
  if (scheme === "http") return peer;
  return new Peer(await Deno.startTls(connection, { hostname: host, caCerts: [cert] }));
}
