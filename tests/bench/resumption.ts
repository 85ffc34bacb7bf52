/**
 * Whether sessions of TLS are resumed.
 *
 * @module
 */
import { run, type Server } from "./programs.ts";
import type { Context, Run } from "./scenario.ts";
import { HOST } from "./site.ts";

/** How many sessions are opened: with several workers, the one that takes a session up may be another one. */
const SESSIONS = 4;

/** Opens sessions with each version of TLS, and takes each of them up again. */
export async function resumption(server: Server, context: Context): Promise<Run> {
  return {
    resumedTls12: await resumedPart("-tls1_2", server, context),
    resumedTls13: await resumedPart("-tls1_3", server, context),
  };
}

async function resumedPart(version: string, server: Server, { directory, signal }: Context): Promise<number> {
  const session = `${directory}/session`;
  const client =
    `openssl s_client -connect 127.0.0.1:${server.ports.https} -servername ${HOST} ${version} -ign_eof`;
  // a server of TLS 1.3 hands its tickets out after the handshake: until the response they have come
  const ask = `printf 'GET / HTTP/1.1\\r\\nHost: ${HOST}\\r\\nConnection: close\\r\\n\\r\\n' | ${client}`;
  let resumed = 0;
  for (let count = 0; count < SESSIONS; count++) {
    await run(["sh", "-c", `${ask} -sess_out ${session}`], signal);
    const { text } = await run(["sh", "-c", `${ask} -sess_in ${session}`], signal);
    if (text.includes("\nReused, ")) resumed++;
  }
  return resumed / SESSIONS;
}
