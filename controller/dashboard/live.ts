/** The most pages that are told of changes at a time. */
const MOST_CLIENTS = 32;

/** A connection that is silent for long is taken for dead, by pages and by what is between. In milliseconds. */
const HEARTBEAT_MILLISECONDS = 15_000;

/** How long a client may take nothing before it is given up, in milliseconds. */
const PATIENCE_MILLISECONDS = 60_000;

/** A comment: something to send where there is nothing to say. */
const COMMENT = ":\n\n";

/** Options of {@linkcode LiveClients}. */
export interface LiveClientsOptions {
  /** The event of this moment; nothing while there is none. */
  current: () => string | undefined;
  /** Told how many clients there are whenever that changes. */
  onCount: (count: number) => void;
  /** How often something is sent at least, in milliseconds. */
  heartbeat?: number;
  /** How long a client may take nothing before it is given up, in milliseconds. */
  patience?: number;
}

/**
 * The clients of an event stream (https://html.spec.whatwg.org/multipage/server-sent-events.html). Each event says
 * everything anew, so who is slow gets the newest one and no others: nothing piles up.
 */
export class LiveClients {
  readonly #clients = new Set<LiveClient>();
  readonly #options: Required<LiveClientsOptions>;
  #timer: ReturnType<typeof setInterval> | undefined;
  #isClosed = false;

  /** There are none at first. */
  constructor(options: LiveClientsOptions) {
    this.#options = { heartbeat: HEARTBEAT_MILLISECONDS, patience: PATIENCE_MILLISECONDS, ...options };
  }

  /** How many there are. */
  get count(): number {
    return this.#clients.size;
  }

  /** The stream for one more client, which gets the current event at once; nothing when there are too many. */
  open(): ReadableStream<Uint8Array> | undefined {
    if (this.#isClosed || this.#clients.size >= MOST_CLIENTS) return undefined;
    const client = new LiveClient(() => this.#remove(client));
    this.#clients.add(client);
    this.#timer ??= setInterval(() => this.#beat(), this.#options.heartbeat);
    client.send(this.#options.current() ?? COMMENT);
    this.#options.onCount(this.#clients.size);
    return client.stream;
  }

  /** Sends the current event to all. */
  send(): void {
    if (this.#clients.size === 0) return;
    const event = this.#options.current() ?? COMMENT;
    for (const client of this.#clients) client.send(event);
  }

  /** Ends all streams, and opens no others. */
  close(): void {
    this.#isClosed = true;
    for (const client of [...this.#clients]) client.end();
  }

  #remove(client: LiveClient): void {
    if (!this.#clients.delete(client)) return;
    if (this.#clients.size === 0) {
      clearInterval(this.#timer);
      this.#timer = undefined;
    }
    this.#options.onCount(this.#clients.size);
  }

  #beat(): void {
    for (const client of [...this.#clients]) if (client.waiting > this.#options.patience) client.end();
    this.send();
  }
}

/** One client: holds what it has not taken yet, which is one event at most. */
class LiveClient {
  readonly stream: ReadableStream<Uint8Array>;
  readonly #onEnd: () => void;
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  #pending: { text: string; since: number } | undefined;
  #wanted: (() => void) | undefined;

  constructor(onEnd: () => void) {
    this.#onEnd = onEnd;
    this.stream = new ReadableStream({
      start: (controller) => {
        this.#controller = controller;
      },
      pull: () => this.#pull(),
      cancel: () => this.#ended(),
    }, { highWaterMark: 0 });
  }

  /** How long it has taken nothing of what there is for it, in milliseconds. */
  get waiting(): number {
    return this.#pending === undefined ? 0 : performance.now() - this.#pending.since;
  }

  send(text: string): void {
    this.#pending = { text, since: this.#pending?.since ?? performance.now() };
    this.#wanted?.();
  }

  end(): void {
    try {
      this.#controller?.close();
    } catch {
      // it has ended already
    }
    this.#ended();
  }

  async #pull(): Promise<void> {
    if (this.#pending === undefined) {
      await new Promise<void>((resolve) => {
        this.#wanted = resolve;
      });
      this.#wanted = undefined;
    }
    const text = this.#pending?.text;
    this.#pending = undefined;
    if (text !== undefined) this.#controller?.enqueue(ENCODER.encode(text));
  }

  #ended(): void {
    this.#controller = undefined;
    this.#wanted?.();
    this.#onEnd();
  }
}

const ENCODER = new TextEncoder();

/** An event with JSON as its data. */
export function eventText(name: string, data: unknown): string {
  return `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
}
