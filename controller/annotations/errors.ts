import { isDnsName } from "@pingress/config";
import { AnnotationError, feature, need, type Parse } from "./feature.ts";
import { bool } from "./values.ts";

const codes: Parse<number[]> = (text) => {
  const found = text.replaceAll(" ", "").split(",").filter((code) => code !== "");
  if (found.length > 0 && found.every((code) => /^[45][0-9]{2}$/.test(code))) {
    return [...new Set(found.map(Number))];
  }
  throw new AnnotationError("no list of statuses from 400 to 599");
};

const serviceName: Parse<string> = (text) => {
  if (isDnsName(text)) return text;
  throw new AnnotationError("not the name of a Service");
};

/** Error pages that another backend makes. */
export const errors = feature({
  "default-backend": {
    parse: serviceName,
    help:
      "A Service of the same namespace, at its first port: it makes the answers of custom-http-errors, and gets all requests as long as the path's own Service has no endpoint.",
    differs:
      "A Service that is missing is told. It is always spoken to by HTTP/1.1 in clear. As long as it takes the place of the path's own Service it gets all that this one would get, Authorization and Cookie too.",
  },
  "custom-http-errors": {
    needs: need("default-backend"),
    parse: codes,
    help:
      "The statuses, such as `404,503`, whose answers default-backend makes instead, whether they are the backend's or Pingress' own. It is asked for `/` with the query, X-Code, X-Format, X-Original-URI, X-Namespace, X-Ingress-Name, X-Service-Name, X-Service-Port and X-Request-ID; its status counts.",
    differs:
      "Without default-backend it does nothing. It is asked by GET, or HEAD, and without the body, which is gone by then; conditions, ranges, Authorization and Cookie are left out: a page of an error needs neither passwords nor sessions. X-Service-Port is always the number, where there is such a port. Its answers have the fields of CORS, HSTS and custom-headers, too. Where it cannot be reached, an error of Pingress' own stays as it is.",
  },
  "disable-proxy-intercept-errors": {
    needs: need("custom-http-errors"),
    parse: bool,
    help: "Leaves the backend's own answers as they are: only Pingress' own count for custom-http-errors.",
  },
}, (values, { ingress, findService, tell }) => {
  const { "default-backend": name, "custom-http-errors": codes = [] } = values;
  if (name === undefined) return {};
  const backend = findService(name);
  if (backend === undefined) {
    const { namespace = "" } = ingress.metadata;
    tell(
      "default-backend",
      "ServiceNotFound",
      `There is no Service ${namespace}/${name} with a port: it does nothing until there is`,
    );
    return {};
  }
  const ownOnly = values["disable-proxy-intercept-errors"] ?? false;
  return { errors: { codes, backend, ingress: ingress.metadata.name, ...ownOnly && { ownOnly } } };
});
