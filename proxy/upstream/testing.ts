/**
 * What the tests of upstream connections share.
 *
 * @module
 */
import { Fields } from "../http1/fields.ts";
import type { UpstreamRequest } from "./round_trip.ts";

/** A request for `/` of a.test, but for what is changed of it. */
export function upstreamRequest(
  changes: Pick<UpstreamRequest, "cancellation"> & Partial<UpstreamRequest>,
): UpstreamRequest {
  return {
    method: "GET",
    target: "/",
    authority: "a.test",
    fields: Fields.of([]),
    body: null,
    upgrade: undefined,
    inform: undefined,
    ...changes,
  };
}
