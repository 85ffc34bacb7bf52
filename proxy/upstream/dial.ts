import { checkServerIdentity } from "node:tls";
import { isIP } from "node:net";
import { TcpTransport } from "../tcp_transport.ts";
import { connectTls } from "../tls/tls_transport.ts";
import type { Transport } from "../transport.ts";
import type { Dial, EndpointProtocol } from "./endpoint.ts";

/** How the alert no_application_protocol is told (RFC 7301, section 3.2). */
const NO_COMMON_PROTOCOL = /NoApplicationProtocol/;

/**
 * Opens a connection to a backend, over TLS where its protocol says so.
 *
 * @throws {Error} when the backend refuses, cannot be trusted, or does not speak what it should inside TLS.
 */
export const dial: Dial = async ({ hostname, port }, { protocol, signal }) => {
  const transport = new TcpTransport(await Deno.connect({ hostname, port, signal }));
  const isSecure = protocol.name === "HTTPS" || protocol.name === "GRPCS";
  return isSecure ? await dialTls(transport, { hostname, protocol, signal }) : transport;
};

/** Deno's own client checks every certificate; backends in a cluster mostly have ones that nobody signed. */
async function dialTls(
  tcp: Transport,
  { hostname, protocol, signal }: { hostname: string; protocol: EndpointProtocol; signal: AbortSignal },
): Promise<Transport> {
  const { name, serverName = hostname, hidesName = false, verifies = false, trust, identity } = protocol;
  const wanted = name === "GRPCS" ? "h2" : "http/1.1";
  const abort = () => tcp.close();
  signal.addEventListener("abort", abort);
  try {
    const { transport, protocol: agreed } = await connectTls(tcp, {
      host: hostname,
      rejectUnauthorized: verifies,
      ALPNProtocols: [wanted],
      // an IP address is no server name (RFC 6066, section 3)
      servername: hidesName || isIP(serverName) !== 0 ? "" : serverName,
      checkServerIdentity: (_, certificate) => checkServerIdentity(serverName, certificate),
      ...trust !== undefined && { ca: trust },
      ...identity !== undefined && { cert: identity.cert, key: identity.key },
    });
    // who says nothing speaks HTTP/1.1: HTTP/2 must be agreed on (RFC 9113, section 3.2)
    if (wanted === "h2" && agreed !== wanted) throw notAgreed(wanted);
    return transport;
  } catch (error) {
    tcp.close();
    throw error instanceof Error && NO_COMMON_PROTOCOL.test(error.message) ? notAgreed(wanted, error) : error;
  } finally {
    signal.removeEventListener("abort", abort);
  }
}

function notAgreed(wanted: string, cause?: Error): Error {
  const advice = wanted === "h2"
    ? "gRPC needs HTTP/2; for HTTP/1.1 the protocol is HTTPS"
    : "HTTP/2 alone is GRPCS";
  return new Error(`The backend does not agree on ${wanted} by ALPN in the TLS handshake: ${advice}`, {
    cause,
  });
}
