import type { RestClient } from "@cloudydeno/kubernetes-apis/common.ts";
import { type Decoder, integer, list, object, optional, string } from "@pingress/config";
import type { EventView } from "./api.ts";
import type { IngressDetails } from "./dashboard.ts";

/** The most Events of one Ingress that are read. */
const MOST_READ = 500;

/** The most that are shown. */
const MOST_SHOWN = 50;

/** How long an answer may take: somebody waits for it. In milliseconds. */
const ANSWER_MILLISECONDS = 5000;

const time: Decoder<number> = (value) => {
  const parsed = typeof value === "string" ? Date.parse(value) : NaN;
  return Number.isNaN(parsed) ? 0 : parsed;
};

/** Whoever writes it in the older or the newer way: the times are in different places. */
const event = object({
  metadata: object({ creationTimestamp: optional(time) }),
  involvedObject: object({ uid: optional(string()) }),
  type: optional(string()),
  reason: optional(string()),
  message: optional(string()),
  count: optional(integer(0, Number.MAX_SAFE_INTEGER)),
  series: optional(
    object({
      count: optional(integer(0, Number.MAX_SAFE_INTEGER)),
      lastObservedTime: optional(time),
    }),
  ),
  lastTimestamp: optional(time),
  eventTime: optional(time),
});

const eventList = object({ items: list(event) });
const objectList = object({ items: list(object({})) });

/** Asks the API server about one Ingress. */
export function ingressDetails(client: RestClient): IngressDetails {
  const read = async (path: string, parameters: Record<string, string>): Promise<unknown> => {
    const deadline = new AbortController();
    const timer = setTimeout(() => deadline.abort(), ANSWER_MILLISECONDS);
    try {
      return await client.performRequest({
        method: "GET",
        path,
        expectJson: true,
        querystring: new URLSearchParams(parameters),
        abortSignal: deadline.signal,
      });
    } finally {
      clearTimeout(timer);
    }
  };
  return {
    // a list of one needs no more permissions than the controller has
    object: async (namespace, name) => {
      const answer = await read(`/apis/networking.k8s.io/v1/namespaces/${namespace}/ingresses`, {
        fieldSelector: `metadata.name=${name}`,
      });
      objectList(answer, "");
      return (answer as { items: object[] }).items[0];
    },
    events: async ({ metadata: { namespace = "", name, uid } }) => {
      const answer = await read(`/api/v1/namespaces/${namespace}/events`, {
        fieldSelector: `involvedObject.kind=Ingress,involvedObject.name=${name}`,
        limit: `${MOST_READ}`,
      });
      const { items } = eventList(answer, "");
      // an earlier Ingress of that name had Events, too
      return items.filter(({ involvedObject }) => uid === undefined || (involvedObject.uid ?? uid) === uid)
        .map(eventView).sort((one, other) => other.at - one.at).slice(0, MOST_SHOWN);
    },
  };
}

function eventView(
  { metadata, type, reason = "", message = "", count, series, lastTimestamp, eventTime }: ReturnType<
    typeof event
  >,
): EventView {
  return {
    at: series?.lastObservedTime ?? lastTimestamp ?? eventTime ?? metadata.creationTimestamp ?? 0,
    type: type === "Warning" ? "Warning" : "Normal",
    reason,
    message,
    count: series?.count ?? count ?? 1,
  };
}
