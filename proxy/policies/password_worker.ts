/**
 * The program of the thread that passwords are compared in: bcrypt takes a tenth of a second, for which requests
 * must not wait.
 *
 * @module
 */
import { matchesHash } from "./password_hash.ts";

/** A password and the hash that it is compared with. */
export interface Comparison {
  /** What a client says. */
  password: string;
  /** Of the one who it says it is. */
  hash: string;
}

/** The part of a worker's global scope that is used here. */
interface WorkerScope {
  postMessage(isRight: boolean): void;
  addEventListener(type: "message", listener: (event: MessageEvent<Comparison>) => void): void;
}

// the types are those of the main thread, where it is a window
const scope = self as unknown as WorkerScope;

scope.addEventListener("message", ({ data: { password, hash } }) => {
  scope.postMessage(matchesHash(password, hash));
});
