import { parseTemplate, type RuleOptions } from "@pingress/config";
import { AnnotationError, feature, type Parse } from "./feature.ts";
import { bool, line } from "./values.ts";

const BALANCES = new Map<string, RuleOptions["balance"]>([
  ["round_robin", "round-robin"],
  ["ewma", "least-requests"],
]);

const balance: Parse<RuleOptions["balance"]> = (text) => {
  const found = BALANCES.get(text);
  if (found !== undefined) return found;
  throw new AnnotationError(
    "neither round_robin nor ewma (for more see upstream-hash-by and affinity)",
  );
};

const hashKey: Parse<string> = (text) => {
  const key = line(text).replaceAll(" ", "");
  try {
    if (parseTemplate(key).some((part) => typeof part !== "string")) return key;
  } catch (error) {
    if (error instanceof Error) throw new AnnotationError(`not usable: it ${error.message}`);
  }
  throw new AnnotationError("no text with variables such as $request_uri: all requests would be alike");
};

/** How endpoints are chosen. */
export const balancing = feature({
  "load-balance": {
    parse: balance,
    help: "How endpoints are chosen: round_robin takes one after the other, ewma those that are less busy.",
    differs:
      "ewma compares how many requests two endpoints are busy with, not how long they took. Without it the proxy's own way counts. It is for the paths of its own Ingress, not for all of the Service. Other values are for upstream-hash-by and affinity to say.",
  },
  "upstream-hash-by": {
    parse: hashKey,
    help:
      "Requests for which this text with variables, such as $request_uri, is the same go to the same endpoint.",
    differs:
      "Where that cannot be reached the next one is taken, always the same. $uri and $arg_… are as sent, without decoding. A variable that there is not makes the annotation void instead of being empty. It counts for the paths of its own Ingress, not for all of the Service.",
  },
  "service-upstream": {
    parse: bool,
    help:
      "The Service's own address is the one endpoint, so that the cluster chooses; a Service without one has its usual endpoints.",
  },
}, (values) => ({
  ...values["load-balance"] !== undefined && { balance: values["load-balance"] },
  ...values["upstream-hash-by"] !== undefined && { hashBy: values["upstream-hash-by"] },
}));
