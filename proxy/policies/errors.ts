import { type RuleOptions, serviceKey } from "@pingress/config";
import { errorResponse, ProxyError } from "../errors.ts";
import type { DownstreamResponse } from "../exchange.ts";
import { FieldName, FieldNames } from "../http1/field_name.ts";
import type { Fields } from "../http1/fields.ts";
import type { Destination } from "../routing_table.ts";
import type { Policy, PolicyEnvironment, PolicyExchange } from "./policy.ts";

const ACCEPT = FieldName.of("accept");

/** What only Pingress may tell a default backend. */
const TOLD = [
  ...["x-code", "x-format", "x-ingress-name", "x-namespace", "x-original-uri", "x-service-name"],
  "x-service-port",
];
const ONLY_TOLD = new FieldNames(TOLD);

/**
 * These are about the resource that was asked for, and about content that is not sent; and a page of an error is no
 * reason to show one more program who the client is.
 */
const NOT_FOR_ERRORS = new FieldNames([
  ...TOLD,
  ...["authorization", "cookie"],
  ...["content-encoding", "content-language", "content-type"],
  ...["if-match", "if-modified-since", "if-none-match", "if-range", "if-unmodified-since", "range"],
]);

/** What our own answers say that no page can: how to say who one is (RFC 9110, section 11.6.1), and cookies. */
const KEPT = [FieldName.of("www-authenticate"), FieldName.of("set-cookie")];

/** Lets another backend answer where the rule's own has no endpoint, and make the answers of some statuses. */
export function errorsPolicy({ errors }: RuleOptions, { send }: PolicyEnvironment): Policy | undefined {
  if (errors === undefined) return undefined;
  const { backend, ingress, ownOnly = false } = errors;
  const codes = new Set(errors.codes);
  const destination: Destination = { backend, key: serviceKey(backend), protocol: { name: "HTTP" } };
  return {
    response: async (response, exchange) => {
      const { request, outgoing } = exchange;
      if (request.cancellation.isCancelled) return undefined;
      const { status, reason: own } = response;
      if (own === "no_endpoint") {
        tell(exchange, { status, ingress });
        return await send(outgoing, destination).catch(() => undefined);
      }
      if (!codes.has(status) || (own === undefined && ownOnly)) return undefined;
      closeContent(response);
      tell(exchange, { status, ingress, isError: true });
      try {
        const page = await send({
          ...outgoing,
          method: request.method === "HEAD" ? "HEAD" : "GET",
          target: `/${queryOf(request.target)}`,
          authority: request.authority,
          body: null,
          upgrade: undefined,
        }, destination);
        if (own !== undefined) keep(response.fields, page.fields);
        return page;
      } catch (error) {
        // the backend's own answer is gone by now
        return own !== undefined
          ? undefined
          : errorResponse(error instanceof ProxyError ? error.reason : "internal");
      }
    },
  };
}

function tell(
  { outgoing: { fields }, request, route: { backend } }: PolicyExchange,
  { status, ingress, isError = false }: { status: number; ingress: string; isError?: boolean },
): void {
  const format = fields.get(ACCEPT);
  fields.remove(isError ? NOT_FOR_ERRORS : ONLY_TOLD);
  fields.add("x-code", String(status));
  if (format !== undefined) fields.add("x-format", format);
  if (isError) fields.add("x-original-uri", request.target);
  fields.add("x-namespace", backend.namespace);
  fields.add("x-ingress-name", ingress);
  fields.add("x-service-name", backend.name);
  fields.add("x-service-port", String(backend.port));
}

function keep(own: Fields, fields: Fields): void {
  for (const name of KEPT) {
    for (const value of own.values(name)) fields.add(name.text, value);
  }
}

function closeContent({ body }: DownstreamResponse): void {
  if (body !== null && "close" in body) body.close();
}

function queryOf(target: string): string {
  const query = target.indexOf("?");
  return query === -1 ? "" : target.slice(query);
}
