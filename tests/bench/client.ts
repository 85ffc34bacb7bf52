/**
 * The benchmark's own client of HTTP/1.1, for what no load generator does.
 *
 * @module
 */

/** A connection that stays open, for one request after the other. */
export class Client implements Disposable {
  readonly #connection: Deno.TcpConn;

  private constructor(connection: Deno.TcpConn) {
    this.#connection = connection;
  }

  /** Connects to 127.0.0.1. */
  static async connect(port: number): Promise<Client> {
    return new Client(await Deno.connect({ hostname: "127.0.0.1", port }));
  }

  /** Asks for a path and reads the answer, which must tell its length. @returns its status. @throws {Error} */
  async get(path: string, host = "localhost"): Promise<number> {
    const request = new TextEncoder().encode(`GET ${path} HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
    for (let sent = 0; sent < request.length;) sent += await this.#connection.write(request.subarray(sent));
    const buffer = new Uint8Array(4096);
    let answer = "";
    do {
      const length = await this.#connection.read(buffer);
      if (length === null) throw new Error("The connection was closed within an answer");
      for (const byte of buffer.subarray(0, length)) answer += String.fromCharCode(byte);
    } while (!isWhole(answer));
    return Number(answer.split(" ")[1]);
  }

  /** Closes the connection. */
  [Symbol.dispose](): void {
    this.#connection.close();
  }
}

function isWhole(answer: string): boolean {
  const [head = "", content] = answer.split(/\r\n\r\n(.*)/s);
  if (content === undefined) return false;
  const [, length] = /^content-length: (\d+)$/im.exec(head) ?? [];
  if (length === undefined) throw new Error(`An answer does not tell its length:\n${head}`);
  return content.length >= Number(length);
}
