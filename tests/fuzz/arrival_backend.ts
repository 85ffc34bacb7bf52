import { Buffer } from "node:buffer";
import { type Address, errorMessage, formatAddress } from "@pingress/config";
import { checkRequest } from "../conformance/recording_backend.ts";
import {
  takeBody,
  takeHead,
  type WireField,
  wireFraming,
  type WireHead,
  wireValues,
} from "../conformance/wire.ts";
import { answerTo, type Arrival } from "./observation.ts";

/** What arrived from one client. */
interface ClientRecord {
  arrivals: Arrival[];
  violations: string[];
}

/**
 * A backend for clients that are served at the same time: it tells them apart by their addresses, which the
 * proxy says in X-Forwarded-For.
 */
export class ArrivalBackend implements Disposable {
  /** Where it listens. */
  readonly address: Address;
  /** The same as `endpoints.json` spells it. */
  readonly endpoint: string;
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #connections = new Set<Deno.Conn>();
  readonly #records = new Map<string, ClientRecord>();
  readonly #isStrict: boolean;

  /** Listens. A strict one takes only what Pingress may write. */
  constructor({ isStrict }: { isStrict: boolean }) {
    this.#isStrict = isStrict;
    this.address = this.#listener.addr;
    this.endpoint = formatAddress(this.address);
    this.#accept();
  }

  /** Takes what has arrived from a client. */
  take(client: string): ClientRecord {
    const record = this.#of(client);
    this.#records.delete(client);
    return record;
  }

  /** Closes it with all its connections. */
  [Symbol.dispose](): void {
    this.#listener.close();
    for (const connection of this.#connections) connection.close();
    this.#connections.clear();
  }

  #of(client: string): ClientRecord {
    let record = this.#records.get(client);
    if (record === undefined) this.#records.set(client, record = { arrivals: [], violations: [] });
    return record;
  }

  async #accept(): Promise<void> {
    for await (const connection of this.#listener) {
      connection.setNoDelay(true);
      this.#connections.add(connection);
      this.#serve(connection).catch(() => {}).finally(() => {
        if (this.#connections.delete(connection)) connection.close();
      });
    }
  }

  /** Answers request by request; what is cut off is none. */
  async #serve(connection: Deno.Conn): Promise<void> {
    const bytes = new Uint8Array(64 * 1024);
    let text = "";
    let client = "";
    for (let count; (count = await connection.read(bytes)) !== null;) {
      text += Buffer.from(bytes.buffer, 0, count).toString("latin1");
      try {
        for (let taken; (taken = takeArrival(text, this.#isStrict)) !== undefined;) {
          client = taken.client;
          const { arrivals } = this.#of(client);
          text = text.slice(taken.length);
          await connection.write(Buffer.from(answerTo(arrivals.push(taken.arrival) - 1)));
        }
      } catch (error) {
        client ||= /^x-forwarded-for: *(\S+)/mi.exec(text)?.[1] ?? "";
        this.#of(client).violations.push(`${errorMessage(error)} in ${JSON.stringify(text)}`);
        return;
      }
    }
  }
}

function takeArrival(
  text: string,
  isStrict: boolean,
): { arrival: Arrival; client: string; length: number } | undefined {
  const head = isStrict ? takeHead(text) : takeAnyHead(text);
  if (head === undefined) return undefined;
  const { start: line, fields } = head;
  if (isStrict) checkRequest({ line, fields });
  const body = takeBody(text.slice(head.length), wireFraming(fields) ?? 0);
  if (!body.isWhole) return undefined;
  const [, method = "", target = ""] = /^(\S*) (.*) HTTP\/1\.[01]$/.exec(line) ?? [];
  return {
    arrival: { method, target, host: wireValues(fields, "host").join(), fields, body: body.content },
    client: wireValues(fields, "x-forwarded-for").join(),
    length: head.length + body.length,
  };
}

/** Reads a head as one that may have anything in it. */
function takeAnyHead(text: string): WireHead | undefined {
  const end = text.indexOf("\r\n\r\n");
  if (end === -1) return undefined;
  const [start = "", ...lines] = text.slice(0, end).split("\r\n");
  const fields = lines.map((line): WireField => {
    const [name = ""] = line.split(":");
    return [name, line.slice(name.length + 1).replace(/^[ \t]+|[ \t]+$/g, "")];
  });
  return { start, fields, length: end + 4 };
}
