import { checkServerIdentity } from "node:tls";
import { isIP } from "node:net";
import { TcpTransport } from "../tcp_transport.ts";
import { connectTls } from "../tls/tls_transport.ts";
import type { Transport } from "../transport.ts";
import type { Dial, EndpointProtocol } from "./endpoint.ts";

/** Opens a connection to a backend, over TLS where its protocol says so. */
export const dial: Dial = async ({ hostname, port }, { protocol, signal }) => {
  const connection = await Deno.connect({ hostname, port, signal });
  connection.setNoDelay(true);
  const transport = new TcpTransport(connection);
  const isSecure = protocol.name === "HTTPS" || protocol.name === "GRPCS";
  return isSecure ? await dialTls(transport, { hostname, protocol, signal }) : transport;
};

/** Deno's own client checks every certificate; backends in a cluster mostly have ones that nobody signed. */
async function dialTls(
  tcp: Transport,
  { hostname, protocol, signal }: { hostname: string; protocol: EndpointProtocol; signal: AbortSignal },
): Promise<Transport> {
  const { name, serverName = hostname, hidesName = false, verifies = false, trust, identity } = protocol;
  const abort = () => tcp.close();
  signal.addEventListener("abort", abort);
  try {
    const { transport } = await connectTls(tcp, {
      host: hostname,
      rejectUnauthorized: verifies,
      ALPNProtocols: [name === "GRPCS" ? "h2" : "http/1.1"],
      // an IP address is no server name (RFC 6066, section 3)
      servername: hidesName || isIP(serverName) !== 0 ? "" : serverName,
      checkServerIdentity: (_, certificate) => checkServerIdentity(serverName, certificate),
      ...trust !== undefined && { ca: trust },
      ...identity !== undefined && { cert: identity.cert, key: identity.key },
    });
    return transport;
  } catch (error) {
    tcp.close();
    throw error;
  } finally {
    signal.removeEventListener("abort", abort);
  }
}
