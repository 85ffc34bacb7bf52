import type { Sample } from "@pingress/config";

/** The metric that names the endpoints that are passed over. */
export const PASSED_OVER = "pingress_upstream_endpoint_passed_over";

/** The most endpoints that are named: when much is down at once there may be thousands. */
const MOST_NAMED = 100;

/**
 * Says how many endpoints are passed over, and names only so many of them: those that come first in the order of their
 * names, so that the same ones are named as long as they are down.
 */
export function boundPassedOver(samples: readonly Sample[]): Sample[] {
  const { named = [], others = [] } = Object.groupBy(
    samples,
    ([name]) => name === PASSED_OVER ? "named" : "others",
  );
  named.sort(([, one], [, other]) => one < other ? -1 : 1);
  return [
    ...others,
    ...named.slice(0, MOST_NAMED),
    ["pingress_upstream_passed_over_endpoints", "", named.length],
  ];
}
