import { parseAddress } from "./address.ts";
import { type Decoder, dictionary, list, string } from "./shape.ts";

/**
 * What `endpoints.json` says: the addresses (`10.1.2.3:8080`) of each backend (`default/my-service:80`).
 * A backend with an empty list has no endpoint; one that is not listed is looked up in DNS.
 */
export type EndpointsFile = Record<string, string[]>;

const endpointsFile: Decoder<EndpointsFile> = dictionary(list(string(
  'an address and port such as "10.1.2.3:8080"',
  (text) => (parseAddress(text)?.port ?? 0) > 0,
)));

/**
 * Checks a parsed `endpoints.json`.
 *
 * @throws {ShapeError} naming the JSON path, what was found and what was expected.
 */
export function parseEndpointsFile(value: unknown): EndpointsFile {
  return endpointsFile(value, "");
}
