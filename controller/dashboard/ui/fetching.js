/**
 * Asking the controller.
 *
 * @module
 */
import { useEffect, useState } from "preact/hooks";
import { useVersion } from "./live.js";

/** An answer that is no answer: what to tell, and the status if there was one. */
export class AnswerError extends Error {
  /**
   * @param {string} message
   * @param {number} [status]
   */
  constructor(message, status) {
    super(message);
    this.status = status;
  }
}

/**
 * The JSON at a path of the server.
 *
 * @template T
 * @param {string} path such as `api/routes?limit=200`
 * @param {AbortSignal} signal
 * @returns {Promise<T>}
 * @throws {AnswerError} if there is no answer, or one that is no success
 */
export async function ask(path, signal) {
  const response = await fetch(path, { signal }).catch((error) => {
    if (signal.aborted) throw error;
    throw new AnswerError("The controller does not answer. The page goes on trying.");
  });
  if (response.ok) return await response.json();
  const { error } = await response.json().catch(() => ({}));
  throw new AnswerError(error ?? `The controller answers ${response.status} for ${path}.`, response.status);
}

/**
 * @template T
 * @typedef {object} Answer
 * @property {T} [data] The last answer; it stays while the next one is on its way.
 * @property {AnswerError} [failure] Why there is no newer one.
 */

/**
 * What a path answers, asked again whenever it may have changed.
 *
 * @template T
 * @param {string | undefined} path nothing is asked without one
 * @param {import("./live.js").Follows} follows what the answer may change with
 * @returns {Answer<T>}
 */
export function useAnswer(path, follows) {
  const version = useVersion(follows);
  const [answer, setAnswer] = useState(/** @type {Answer<T> & { path?: string }} */ ({}));
  useEffect(() => {
    if (path === undefined) return;
    const controller = new AbortController();
    const { signal } = controller;
    ask(path, signal).then(
      (data) => !signal.aborted && setAnswer({ data: /** @type {T} */ (data), path }),
      (failure) => {
        if (!signal.aborted) setAnswer((old) => ({ ...old.path === path ? old : {}, failure, path }));
      },
    );
    return () => controller.abort();
  }, [path, version]);
  return answer.path === path ? answer : {};
}
