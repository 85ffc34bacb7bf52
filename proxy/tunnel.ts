import type { Connection } from "./accept/connection.ts";
import type { Outcome, Tunnel } from "./exchange.ts";
import { writeAll } from "./transport.ts";

const BUFFER_BYTES = 16 * 1024;
const MOST_BYTES = 64 * 1024;

/** Options of {@linkcode runTunnel}. */
export interface TunnelOptions {
  /** How long both sides may be silent, in milliseconds. */
  timeout: number;
  /** Counts what the client sent and was sent. */
  outcome: Pick<Outcome, "received" | "sent">;
}

/**
 * Copies bytes both ways until both sides have ended, one fails, or nothing has come for too long. The end of
 * one direction is passed on; the other one goes on.
 *
 * @throws {Error} when either side fails.
 */
export async function runTunnel(
  connection: Connection,
  tunnel: Tunnel,
  options: TunnelOptions,
): Promise<void> {
  const { timeout, outcome } = options;
  let isClosed = false;
  const close = () => {
    if (!isClosed) tunnel.close();
    isClosed = true;
    connection.close();
  };
  connection.onExpire = close;
  connection.expireIn(timeout);

  async function upward(): Promise<void> {
    const { reader } = connection;
    while (reader.buffered > 0 || await reader.fill()) {
      const piece = reader.take(MOST_BYTES);
      connection.expireIn(timeout);
      await writeAll(tunnel, piece);
      outcome.received += piece.length;
    }
    await tunnel.closeWrite();
  }

  async function downward(): Promise<void> {
    if (tunnel.first.length > 0) await connection.tell(tunnel.first);
    outcome.sent += tunnel.first.length;
    const buffer = new Uint8Array(BUFFER_BYTES);
    for (let count; (count = await tunnel.read(buffer)) !== null;) {
      connection.expireIn(timeout);
      await connection.tell(buffer.subarray(0, count));
      outcome.sent += count;
    }
    await connection.closeWrite();
  }

  try {
    await Promise.all([upward(), downward()]);
  } finally {
    close();
  }
}
