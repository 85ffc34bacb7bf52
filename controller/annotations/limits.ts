import { objectKey } from "../objects.ts";
import { feature, MOST_LIST_CHARACTERS, type Need } from "./feature.ts";
import { addressRanges, wholeNumber } from "./values.ts";

const DEFAULT_BURST = 5;

const isLimit = (value: unknown) => typeof value === "number" && value > 0;

const NEEDS_RATE: Need = {
  anyOf: ["limit-rps", "limit-rpm"],
  isMetBy: isLimit,
  says: "limit-rps or limit-rpm, above 0",
};

const NEEDS_LIMIT: Need = {
  anyOf: [...NEEDS_RATE.anyOf, "limit-connections"],
  isMetBy: isLimit,
  says: "limit-rps, limit-rpm or limit-connections, above 0",
};

/** How much one client may ask. */
export const limits = feature({
  "limit-rps": {
    parse: wholeNumber(),
    help:
      "How many requests a second one client address may make of the Ingress; more of them get 503. 0: any.",
    isGuard: true,
  },
  "limit-rpm": {
    parse: wholeNumber(),
    help:
      "How many requests a minute one client address may make of the Ingress; more of them get 503. 0: any.",
    isGuard: true,
  },
  "limit-burst-multiplier": {
    needs: NEEDS_RATE,
    parse: wholeNumber(1, 1_000_000),
    help: "How many times limit-rps, and limit-rpm, may come at once: 5 unless told.",
  },
  "limit-connections": {
    parse: wholeNumber(),
    help: "How many requests of one client address may be answered at a time; more of them get 503. 0: any.",
    isGuard: true,
  },
  "limit-allowlist": {
    needs: NEEDS_LIMIT,
    parse: addressRanges,
    longest: MOST_LIST_CHARACTERS,
    help: "Client addresses (CIDR, separated by commas) that are not limited.",
    isGuard: true,
  },
  "limit-whitelist": {
    needs: NEEDS_LIMIT,
    yieldsTo: "limit-allowlist",
    parse: addressRanges,
    longest: MOST_LIST_CHARACTERS,
    help: "The older name of limit-allowlist.",
    isGuard: true,
  },
}, (values, { ingress }) => {
  const { "limit-rps": perSecond = 0, "limit-rpm": perMinute = 0, "limit-connections": connections = 0 } =
    values;
  if (perSecond + perMinute + connections === 0) return {};
  const except = values["limit-allowlist"] ?? values["limit-whitelist"];
  return {
    limit: {
      key: objectKey(ingress),
      burst: values["limit-burst-multiplier"] ?? DEFAULT_BURST,
      ...perSecond > 0 && { perSecond },
      ...perMinute > 0 && { perMinute },
      ...connections > 0 && { connections },
      ...except !== undefined && { except },
    },
  };
});
