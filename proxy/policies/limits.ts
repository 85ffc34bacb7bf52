import { IpRanges } from "../ip_ranges.ts";
import type { Rate } from "./limit_table.ts";
import { refuse } from "./answers.ts";
import type { PolicyFactory } from "./policy.ts";

const SECOND = 1000;
const MINUTE = 60 * SECOND;

/** Refuses what one client asks too much: too often, or too much at a time. */
export const limitPolicy: PolicyFactory = ({ limit }, { limits, now }) => {
  if (limit === undefined) return undefined;
  const { key, perSecond = 0, perMinute = 0, burst, connections = 0 } = limit;
  const except = new IpRanges(limit.except ?? []);
  const rates: Rate[] = [
    { bucket: 0 as const, interval: SECOND / perSecond, burst: perSecond * burst },
    { bucket: 1 as const, interval: MINUTE / perMinute, burst: perMinute * burst },
  ].filter(({ interval }) => Number.isFinite(interval));
  return {
    request: (exchange) => {
      const { address } = exchange.origin;
      if (except.has(address)) return undefined;
      const client = `${key} ${address}`;
      if (rates.length > 0 && !limits.take(client, rates, now())) return refuse("limited");
      if (connections === 0) return undefined;
      exchange.ending = limits.begin(client, connections);
      return exchange.ending === undefined ? refuse("limited") : undefined;
    },
  };
};
