/**
 * Asking the controller.
 *
 * @module
 */
import { useEffect, useRef, useState } from "preact/hooks";
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
 * @typedef {object} Latest
 * @property {T | undefined} [data] The last answer; it stays while the next one is on its way.
 * @property {string | undefined} [key] What that was an answer to.
 * @property {AnswerError | undefined} [failure] Why there is no newer one.
 * @property {boolean} isBusy
 */

/**
 * Loads something, and again whenever it may have changed. Of one thing there is one question at a time, so that
 * a server that is slow is not asked all the more; a question about another thing ends the one before.
 *
 * @template T
 * @param {string | undefined} key what is loaded; nothing without one
 * @param {string} version what the answer may change with
 * @param {(signal: AbortSignal) => Promise<T>} load
 * @returns {Latest<T>}
 */
export function useLatest(key, version, load) {
  const [answer, setAnswer] = useState(/** @type {Omit<Latest<T>, "isBusy">} */ ({}));
  const [asked, setAsked] = useState({ key: "", version: "" });
  const question = useRef(
    /** @type {{ key: string, controller: AbortController } | undefined} */ (undefined),
  );
  const isBusy = key !== undefined && (asked.key !== key || asked.version !== version);

  useEffect(() => {
    if (!isBusy || question.current?.key === key) return;
    question.current?.controller.abort();
    const controller = new AbortController();
    question.current = { key, controller };
    load(controller.signal)
      .then((data) => ({ data, key }), (failure) => ({ failure }))
      .then((news) => {
        if (controller.signal.aborted) return;
        question.current = undefined;
        setAnswer((old) => "failure" in news ? { ...old, ...news } : news);
        // and asks again if it has changed meanwhile
        setAsked({ key, version });
      });
  });
  useEffect(() => () => question.current?.controller.abort(), []);
  return { ...answer, isBusy };
}

/**
 * What a path answers, asked again whenever it may have changed.
 *
 * @template T
 * @param {string | undefined} path nothing is asked without one
 * @param {import("./live.js").Follows} follows what the answer may change with
 * @returns {Pick<Latest<T>, "data" | "failure">}
 */
export function useAnswer(path, follows) {
  const version = useVersion(follows);
  const { data, key, failure, isBusy } = useLatest(path, version, (signal) => ask(path ?? "", signal));
  if (key === path) return { data: /** @type {T} */ (data), failure };
  return isBusy ? {} : { failure };
}
