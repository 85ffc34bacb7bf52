/**
 * All that is compared.
 *
 * @module
 */
import { ACCESS_CASES } from "./access_cases.ts";
import { ANSWER_CASES } from "./answer_cases.ts";
import type { Case } from "./comparison.ts";
import { PATH_CASES } from "./path_cases.ts";
import { REDIRECT_CASES } from "./redirect_cases.ts";

/** All cases. */
export const CASES: readonly Case[] = [...PATH_CASES, ...REDIRECT_CASES, ...ACCESS_CASES, ...ANSWER_CASES];
