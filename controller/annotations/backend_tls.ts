import {
  backendFile,
  type BackendFileKind,
  checkAuthorities,
  checkKeyPair,
  errorMessage,
  isDnsName,
  type KeyPair,
  type RuleOptions,
} from "@pingress/config";
import { oncePerSecret, textsOf } from "../secrets.ts";
import { AnnotationError, feature, type Need, type Parse, type RuleContext } from "./feature.ts";
import { plainText, word } from "./values.ts";

type Protocol = NonNullable<RuleOptions["backendProtocol"]>;

const PROTOCOLS: readonly Protocol[] = ["HTTP", "HTTPS", "GRPC", "GRPCS"];

const protocol: Parse<Protocol> = (text) => {
  const found = PROTOCOLS.find((name) => name === text.toUpperCase());
  if (found !== undefined) return found;
  throw new AnnotationError(
    `none of ${PROTOCOLS.join(", ")}: Pingress speaks no FastCGI, and takes no protocol from the client`,
  );
};

/** `on` or `off`, as nginx spells it; who means one of the two in another way is understood. */
const onOff: Parse<boolean> = (text) => ["on", "true"].includes(word("on", "off", "true", "false")(text));

const serverName: Parse<string> = (text) => {
  const name = text.toLowerCase();
  if (isDnsName(name)) return name;
  throw new AnnotationError("no DNS name");
};

const NEEDS_TLS: Need = {
  anyOf: ["backend-protocol"],
  isMetBy: (value) => value === "HTTPS" || value === "GRPCS",
  says: "backend-protocol: HTTPS, or GRPCS",
};

/** How a backend is spoken to, and whom it must be. */
export const backendTls = feature({
  "backend-protocol": {
    parse: protocol,
    help:
      "How backends are spoken to: HTTP, HTTPS, GRPC (HTTP/2 in clear) or GRPCS (over TLS); HTTP unless told.",
    differs: "FCGI and AUTO_HTTP are told and do nothing.",
  },
  "proxy-ssl-secret": {
    needs: NEEDS_TLS,
    parse: plainText(/^[a-z0-9][-a-z0-9]*\/[a-z0-9][-.a-z0-9]*$/, "not namespace/name of a Secret"),
    isGuard: true,
    help:
      "The Secret, as namespace/name, with what backends are shown over TLS (`tls.crt` and `tls.key`), and whom they are checked by (`ca.crt`). It must be of the Ingress's namespace.",
    differs: "A Secret that is broken counts as one that is missing: the answer is 503.",
  },
  "proxy-ssl-verify": {
    needs: NEEDS_TLS,
    parse: onOff,
    isGuard: true,
    help:
      "With `on` a backend's certificate must be one that `ca.crt` of proxy-ssl-secret signs, for its name; off unless told.",
    differs:
      "Without `ca.crt` the system's authorities count, instead of none at all. Without proxy-ssl-name the name is the backend's address or spec.externalName.",
  },
  "proxy-ssl-name": {
    needs: NEEDS_TLS,
    parse: serverName,
    help: "The name that a backend's certificate is checked for.",
    differs: "It counts without proxy-ssl-secret too, and has no variables.",
  },
  "proxy-ssl-server-name": {
    needs: NEEDS_TLS,
    parse: onOff,
    help: "With `on` backends are asked for proxy-ssl-name (SNI, RFC 6066); off unless told.",
    differs:
      "It counts without proxy-ssl-secret too. A backend that spec.externalName names is asked for that name unless proxy-ssl-name is said.",
  },
}, (values, context) => {
  const { "backend-protocol": name = "HTTP" } = values;
  if (name !== "HTTPS" && name !== "GRPCS") return name === "HTTP" ? {} : { backendProtocol: name };
  const { "proxy-ssl-name": serverName, "proxy-ssl-secret": secret } = values;
  return {
    backendProtocol: name,
    ...serverName !== undefined && {
      backendServerName: serverName,
      ...!values["proxy-ssl-server-name"] && { backendNameHidden: true },
    },
    ...values["proxy-ssl-verify"] && { backendVerify: true },
    ...secret !== undefined && secretOptions(secret, context),
  };
});

class MissingSecret extends Error {}

/** Whom a backend must be known to, and who the proxy is to it. */
interface Content {
  authorities: string | undefined;
  identity: KeyPair | undefined;
}

/** What the Secret is for; nobody may come in while it is not what it should be. */
function secretOptions(named: string, context: RuleContext): RuleOptions {
  try {
    const { authorities, identity } = contentOf(named, context);
    const keep = (kind: BackendFileKind, text: string): string => {
      const path = context.keep(backendFile(named, kind), text);
      if (path === undefined) throw new Error("the proxies' Secrets have no room for it");
      return path;
    };
    return {
      ...authorities !== undefined && { backendTrust: keep("ca", authorities) },
      ...identity !== undefined && {
        backendIdentity: { cert: keep("cert", identity.cert), key: keep("key", identity.key) },
      },
    };
  } catch (error) {
    const message = `Secret ${named} cannot be used: ${errorMessage(error)}`;
    const reason = error instanceof MissingSecret ? "SecretNotFound" : "InvalidAnnotation";
    context.tell("proxy-ssl-secret", reason, `${message}. The Ingress answers 503`, { closes: true });
    return { closed: `proxy-ssl-secret: ${message}` };
  }
}

function contentOf(named: string, { ingress, secret }: RuleContext): Content {
  const [namespace, name = ""] = named.split("/");
  if (namespace !== ingress.metadata.namespace) {
    throw new Error("it is of another namespace than the Ingress");
  }
  const found = secret(name);
  if (found === undefined) throw new MissingSecret("there is none");
  const content = read(found);
  if (content instanceof Error) throw content;
  return content;
}

/** What a Secret holds, which every rule of an Ingress names. */
const read = oncePerSecret((secret): Content | Error => {
  const { "ca.crt": authorities, "tls.crt": cert, "tls.key": key } = textsOf(secret);
  try {
    if (authorities !== undefined) checkAuthorities(authorities);
    const identity = cert !== undefined && key !== undefined ? checkKeyPair({ cert, key }) : undefined;
    if (authorities !== undefined || identity !== undefined) return { authorities, identity };
  } catch (error) {
    return new Error(errorMessage(error));
  }
  return new Error("it has neither ca.crt nor tls.crt and tls.key");
});
