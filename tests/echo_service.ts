/**
 * A service of gRPC's and a client of it, by another implementation than ours. Its messages are bytes, so that
 * it needs no schema.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import {
  type ChannelOptions,
  Client,
  type ClientDuplexStream,
  credentials,
  Metadata,
  Server,
  ServerCredentials,
  type ServerDuplexStream,
  type ServerReadableStream,
  type ServerUnaryCall,
  type ServerWritableStream,
  type ServiceError,
  type StatusObject,
} from "npm:@grpc/grpc-js@^1.14.7";
import { within } from "./testing.ts";

export { status } from "npm:@grpc/grpc-js@^1.14.7";

/** A message. */
export type Message = Uint8Array<ArrayBuffer>;

const METHODS = {
  unary: { path: "/test.Echo/Unary", requestStream: false, responseStream: false },
  /** As many messages as the request says, of 16 KiB each. */
  download: { path: "/test.Echo/Download", requestStream: false, responseStream: true },
  /** Answers with how many bytes there were. */
  upload: { path: "/test.Echo/Upload", requestStream: true, responseStream: false },
  bidi: { path: "/test.Echo/Bidi", requestStream: true, responseStream: true },
} as const;

const serialize = (message: Message) => Buffer.from(message);
const deserialize = (bytes: Uint8Array) => new Uint8Array(bytes);

const SERVICE = Object.fromEntries(
  Object.entries(METHODS).map(([name, method]) => [name, {
    ...method,
    requestSerialize: serialize,
    requestDeserialize: deserialize,
    responseSerialize: serialize,
    responseDeserialize: deserialize,
  }]),
);

/** A message with a text. */
export function message(text: string): Message {
  return new TextEncoder().encode(text);
}

/** The text of a message. */
export function textOf(message: Message | undefined): string {
  return new TextDecoder().decode(message);
}

/** The service. Metadata tell it what to do beside its work: `x-fail`, `x-hang`, `x-echo`. */
export class EchoBackend implements AsyncDisposable {
  /** Where it listens, as `endpoints.json` spells it. */
  readonly endpoint: string;
  /** The metadata of each call. */
  readonly calls: Metadata[] = [];
  /** How much time each call had, in milliseconds. */
  readonly timeouts: number[] = [];
  /** How many messages it has written to downloads. */
  written = 0;
  readonly #server: Server;
  #begun = Promise.withResolvers<void>();
  readonly #cancelled = Promise.withResolvers<void>();

  private constructor(server: Server, port: number) {
    this.#server = server;
    this.endpoint = `127.0.0.1:${port}`;
  }

  /** Starts one, in clear: on Deno 2.9.6 this implementation speaks no TLS as a server. */
  static async start(): Promise<EchoBackend> {
    const server = new Server({ "grpc.max_receive_message_length": -1 });
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    server.bindAsync(
      "127.0.0.1:0",
      ServerCredentials.createInsecure(),
      (error, port) => error ? reject(error) : resolve(port),
    );
    const backend = new EchoBackend(server, await promise);
    server.addService(SERVICE, {
      unary: (call: ServerUnaryCall<Message, Message>, done: Done) => {
        if (!backend.#begins(call)) return;
        done(failureOf(call.metadata) ?? null, call.request, trailersOf(call.metadata));
      },
      download: async (call: ServerWritableStream<Message, Message>) => {
        if (!backend.#begins(call)) return;
        const piece = new Uint8Array(16 * 1024);
        for (let count = Number(textOf(call.request)); count > 0 && !call.cancelled; count--) {
          backend.written++;
          if (!call.write(piece)) await new Promise((resolve) => call.once("drain", resolve));
        }
        if (failureOf(call.metadata)) call.emit("error", failureOf(call.metadata));
        else call.end(trailersOf(call.metadata));
      },
      upload: (call: ServerReadableStream<Message, Message>, done: Done) => {
        backend.#begins(call);
        let count = 0;
        call.on("data", (piece: Message) => count += piece.length);
        call.on("end", () => done(failureOf(call.metadata) ?? null, message(String(count))));
      },
      bidi: (call: ServerDuplexStream<Message, Message>) => {
        if (!backend.#begins(call)) return;
        const endsEarly = call.metadata.get("x-end").length > 0;
        call.on("data", (piece: Message) => {
          call.write(piece);
          if (endsEarly) call.end(trailersOf(call.metadata));
        });
        if (!endsEarly) call.on("end", () => call.end(trailersOf(call.metadata)));
      },
    });
    return backend;
  }

  /** Waits until a call has begun. */
  async begun(): Promise<void> {
    await within(this.#begun.promise, "a call");
  }

  /** Waits until a call was cancelled. */
  async cancelled(): Promise<void> {
    await within(this.#cancelled.promise, "a cancellation");
  }

  /** Ends all connections at once. */
  die(): void {
    this.#server.forceShutdown();
  }

  /** Takes no more calls, and lets those finish that have begun. */
  async leave(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#server.tryShutdown(() => resolve());
    await within(promise, "the end of the backend");
  }

  /** Ends it. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.forceShutdown();
    await this.leave();
  }

  #begins(call: ServerUnaryCall<Message, Message> | ServerDuplexStream<Message, Message>): boolean;
  #begins(call: ServerReadableStream<Message, Message> | ServerWritableStream<Message, Message>): boolean;
  #begins(call: Call): boolean {
    this.calls.push(call.metadata);
    const deadline = call.getDeadline();
    this.timeouts.push(Number(deadline) - Date.now());
    call.on("cancelled", () => this.#cancelled.resolve());
    const sent = new Metadata();
    for (const value of call.metadata.get("x-echo")) sent.add("x-head", value);
    call.sendMetadata(sent);
    this.#begun.resolve();
    return call.metadata.get("x-hang").length === 0;
  }
}

type Done = (error: Partial<ServiceError> | null, value?: Message, trailers?: Metadata) => void;
type Call =
  & Pick<
    ServerUnaryCall<Message, Message>,
    "metadata" | "getDeadline" | "sendMetadata"
  >
  & { on(event: "cancelled", listener: () => void): unknown };

function trailersOf(metadata: Metadata): Metadata {
  const trailers = new Metadata();
  for (const value of metadata.get("x-echo")) trailers.add("x-tail", value);
  for (const value of metadata.get("x-echo-bin")) trailers.add("x-tail-bin", value);
  return trailers;
}

function failureOf(metadata: Metadata): Partial<ServiceError> | undefined {
  const [code] = metadata.get("x-fail");
  if (code === undefined) return undefined;
  return { code: Number(code), details: `failed: 100 % ü`, metadata: trailersOf(metadata) };
}

/** What came of a call. */
export interface CallResult {
  /** Its messages. */
  messages: Message[];
  /** Its metadata at the start. */
  head: Metadata | undefined;
  /** Its status and metadata at the end. */
  status: StatusObject;
}

/** A client of the service. */
export class EchoClient implements Disposable {
  readonly #client: Client;

  /** Connects to a port of this machine, over TLS for a name. */
  constructor(
    port: number,
    { host, ca, options = {} }: { host: string; ca?: string; options?: ChannelOptions },
  ) {
    this.#client = new Client(
      `127.0.0.1:${port}`,
      ca === undefined ? credentials.createInsecure() : credentials.createSsl(Buffer.from(ca)),
      {
        "grpc.default_authority": host,
        ...ca !== undefined && { "grpc.ssl_target_name_override": host },
        "grpc.max_receive_message_length": -1,
        "grpc.enable_retries": 0,
        // channels of the same target would share their connection
        "grpc.use_local_subchannel_pool": 1,
        ...options,
      },
    );
  }

  /** Calls and waits for what comes of it. */
  async call(
    method: "unary" | "download",
    request: Message,
    { metadata = {}, timeout }: { metadata?: Record<string, string>; timeout?: number } = {},
  ): Promise<CallResult> {
    const call = this.#client.makeServerStreamRequest(
      METHODS[method].path,
      serialize,
      deserialize,
      request,
      metadataOf(metadata),
      timeout === undefined ? {} : { deadline: Date.now() + timeout },
    );
    return await resultOf(call);
  }

  /** Begins a call whose messages go both ways. */
  bidi(metadata: Record<string, string> = {}): ClientDuplexStream<Message, Message> {
    return this.#client.makeBidiStreamRequest(
      METHODS.bidi.path,
      serialize,
      deserialize,
      metadataOf(metadata),
    );
  }

  /** Begins a call with one answer. */
  upload(metadata: Record<string, string> = {}): ClientDuplexStream<Message, Message> {
    return this.#client.makeBidiStreamRequest(
      METHODS.upload.path,
      serialize,
      deserialize,
      metadataOf(metadata),
    );
  }

  /** Begins a call with many answers. */
  download(request: Message) {
    return this.#client.makeServerStreamRequest(METHODS.download.path, serialize, deserialize, request);
  }

  /** Ends its connection when its calls have ended. */
  [Symbol.dispose](): void {
    this.#client.close();
  }
}

/** Waits for the end of a call. */
export async function resultOf(call: ReturnType<EchoClient["download"]>): Promise<CallResult> {
  const messages: Message[] = [];
  let head: Metadata | undefined;
  const { promise, resolve } = Promise.withResolvers<StatusObject>();
  call.on("metadata", (metadata: Metadata) => head = metadata);
  call.on("data", (message: Message) => messages.push(message));
  call.on("error", () => {}); // its status says it too
  call.on("status", resolve);
  const status = await within(promise, "the end of a call", 20_000);
  return { messages, head, status };
}

function metadataOf(values: Record<string, string>): Metadata {
  const metadata = new Metadata();
  for (const [name, value] of Object.entries(values)) {
    metadata.set(name, name.endsWith("-bin") ? Buffer.from(value, "latin1") : value);
  }
  return metadata;
}
