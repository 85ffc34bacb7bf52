type Content = ReadableStream<Uint8Array<ArrayBuffer>>;

/** The content of a request that is being read. */
export interface Upload {
  /** The content, to be read in its place. */
  readonly content: Content;
  /** To be called when the request has its answer: content that nobody has begun to read will not be read. */
  answered(): void;
}

/**
 * Counts the requests whose content is being read. `Deno.serve` lets running requests finish when it is shut
 * down, but no longer reads their content: so it is shut down when there is none.
 */
export class Uploads {
  #running = 0;
  #waiting: (() => void)[] = [];

  /** Counts a request until its content has been read, fails, is given up, or will not be read. */
  track(content: Content): Upload {
    this.#running++;
    let hasEnded = false;
    const end = () => {
      if (!hasEnded) this.#end();
      hasEnded = true;
    };
    let reader: ReadableStreamDefaultReader<Uint8Array<ArrayBuffer>> | undefined;
    const tracked = new ReadableStream<Uint8Array<ArrayBuffer>>({
      pull: async (controller) => {
        reader ??= content.getReader();
        try {
          const { done, value } = await reader.read();
          if (!done) return controller.enqueue(value);
          end();
          controller.close();
        } catch (error) {
          end();
          controller.error(error);
        }
      },
      cancel: async (reason) => {
        end();
        await (reader ?? content).cancel(reason);
      },
    }, { highWaterMark: 0 });
    return {
      content: tracked,
      answered: () => {
        if (reader === undefined) end();
      },
    };
  }

  /** Waits until no content is being read. */
  async none(): Promise<void> {
    while (this.#running > 0) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  #end(): void {
    if (--this.#running === 0) { for (const resolve of this.#waiting.splice(0)) resolve(); }
  }
}

/** The same content, when it turns out to have a first piece; null when it has none. */
export async function unlessEmpty(content: Content): Promise<Content | null> {
  const reader = content.getReader();
  let first;
  do first = await reader.read(); while (!first.done && first.value.length === 0);
  if (first.done) return null;
  let next: ReadableStreamReadResult<Uint8Array<ArrayBuffer>> | undefined = first;
  return new ReadableStream<Uint8Array<ArrayBuffer>>({
    pull: async (controller) => {
      const { done, value } = next ?? await reader.read();
      next = undefined;
      if (done) controller.close();
      else controller.enqueue(value);
    },
    cancel: (reason) => reader.cancel(reason),
  }, { highWaterMark: 0 });
}
