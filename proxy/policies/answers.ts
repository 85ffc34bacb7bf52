import { type ErrorReason, errorResponse } from "../errors.ts";
import type { DownstreamResponse, HeaderList } from "../exchange.ts";
import { httpDate } from "../http_date.ts";
import { Fields } from "../http1/fields.ts";

/** A URL in which what a variable brought is percent-encoded, where no URL may have it (RFC 3986, section 2). */
export function withoutSpaces(url: string): string {
  return url.replaceAll(/[^\x21-\x7e]/g, (character) => encodeURIComponent(character));
}

/** Sends the client to another URL. */
export function redirectTo(location: string, status: number, more: HeaderList = []): DownstreamResponse {
  return {
    status,
    fields: Fields.of([["location", withoutSpaces(location)], ...more, ["date", httpDate()], [
      "server",
      "pingress",
    ]]),
    body: null,
  };
}

/** Refuses what a client asks: that is no failure, so that no log tells of it. */
export function refuse(reason: ErrorReason, more: HeaderList = []): DownstreamResponse {
  const response = errorResponse(reason);
  for (const [name, value] of more) response.fields.add(name, value);
  return response;
}
