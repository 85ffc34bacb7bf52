import { connect } from "node:tls";
import { isIP } from "node:net";
import type { Address } from "@pingress/config";
import { StreamTransport } from "../tls/stream_transport.ts";
import { TcpTransport } from "../tcp_transport.ts";
import type { Transport } from "../transport.ts";
import type { Dial, EndpointProtocol } from "./endpoint.ts";

/** Opens a connection to a backend, over TLS where its protocol says so. */
export const dial: Dial = async (address, { protocol, signal }) => {
  if (protocol.name === "HTTPS" || protocol.name === "GRPCS") {
    return await dialTls(address, { protocol, signal });
  }
  const connection = await Deno.connect({ hostname: address.hostname, port: address.port, signal });
  connection.setNoDelay(true);
  return new TcpTransport(connection);
};

/** Deno's own client checks every certificate; backends in a cluster mostly have ones that nobody signed. */
async function dialTls(
  { hostname, port }: Address,
  { protocol, signal }: { protocol: EndpointProtocol; signal: AbortSignal },
): Promise<Transport> {
  signal.throwIfAborted();
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const { serverName = hostname, verifies = false } = protocol;
  const socket = connect({
    host: hostname,
    port,
    rejectUnauthorized: verifies,
    ALPNProtocols: [protocol.name === "GRPCS" ? "h2" : "http/1.1"],
    // an IP address is no server name (RFC 6066, section 3)
    ...isIP(serverName) === 0 && { servername: serverName },
  }, resolve);
  const abort = () => reject(signal.reason);
  socket.once("error", reject);
  signal.addEventListener("abort", abort);
  try {
    await promise;
    return new StreamTransport(socket);
  } catch (error) {
    socket.destroy();
    throw error;
  } finally {
    signal.removeEventListener("abort", abort);
    socket.removeListener("error", reject);
  }
}
