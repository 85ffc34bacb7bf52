import type { RuleOptions } from "@pingress/config";
import { ProxyError } from "../errors.ts";
import type { Policy } from "./policy.ts";

/** Lets nobody in. */
export function closedPolicy({ closed }: RuleOptions): Policy | undefined {
  if (closed === undefined) return undefined;
  return {
    request: () => {
      throw new ProxyError("closed", closed);
    },
  };
}
