import type { RestClient } from "@cloudydeno/kubernetes-apis/common.ts";

/** Which of several controllers writes: one at a time. */
export interface Leadership {
  /** Is it this one? To be asked before each write: it ends by time, too. */
  readonly isLeader: boolean;
  /** Calls `listener` whenever that has changed. */
  onChange(listener: () => void): void;
}

/** How a controller comes to lead and ceases to. */
export interface Election extends Leadership {
  /** Stands for election from now on. */
  start(): void;
  /** Hands over to another controller. Nothing may be under way that only the leader does. */
  stop(): Promise<void>;
}

/** For a controller that has the field for itself. */
export const NO_ELECTION: Election = {
  isLeader: true,
  onChange: () => {},
  start: () => {},
  stop: () => Promise.resolve(),
};

/** Something was to be written that only the leader writes. */
export class NotLeaderError extends Error {
  override name = "NotLeaderError";
}

/**
 * Makes a client that everybody may read with, and the leader alone may write with.
 *
 * A write that was sent just before the end may arrive after it. Whoever leads then sees it as what somebody
 * else has changed, and puts it right.
 */
export function writingAsLeader(client: RestClient, leadership: Leadership): RestClient {
  const performRequest = async (options: Parameters<RestClient["performRequest"]>[0]): Promise<unknown> => {
    if (options.method !== "GET" && !leadership.isLeader) {
      throw new NotLeaderError(
        `Not sent, because another controller may lead: ${options.method} ${options.path}`,
      );
    }
    return await client.performRequest(options);
  };
  return Object.assign(Object.create(client), { performRequest }) as RestClient;
}
