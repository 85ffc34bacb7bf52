import {
  certificateFacts,
  type CheckedKeyPair,
  checkKeyPair,
  errorMessage,
  type KeyPair,
  wildcardOf,
} from "@pingress/config";
import type { Secret } from "../objects.ts";
import { oncePerSecret, textsOf } from "../secrets.ts";
import type { ProblemList } from "./problem.ts";

/** A certificate with its key; what was last good is not checked again. */
export type TlsPair = KeyPair | CheckedKeyPair;

/** Where something is told of a Secret (`namespace/name`). */
interface Place {
  key: string;
  /** The entry of `spec.tls`. */
  field: string;
  list: ProblemList;
}

/** Reads a Secret that an entry of `spec.tls` names; what is wrong with it is told. */
export function readNamedSecret(
  secret: Secret | undefined,
  { key, field, list }: Place,
): CheckedKeyPair | undefined {
  if (secret === undefined) {
    list.add(
      "SecretNotFound",
      `${field}.secretName`,
      `There is no Secret ${key} of type kubernetes.io/tls: ` +
        "its hosts keep their last certificate, if there was one, until it is created",
    );
    return undefined;
  }
  const known = check(secret);
  if (typeof known !== "string") return known;
  list.add(
    "InvalidCertificate",
    `${field}.secretName`,
    `Secret ${key} is not usable: ${known}. Its hosts keep their last certificate, if there was one`,
  );
  return undefined;
}

/** Reads the Secret with the certificate of all names that have none. @returns the pair, or what is wrong. */
export function readDefaultSecret(
  secret: Secret | undefined,
  key: string,
): { pair?: CheckedKeyPair; fault?: string } {
  if (secret === undefined) return { fault: `There is no Secret ${key} of type kubernetes.io/tls` };
  const known = check(secret);
  return typeof known === "string" ? { fault: `Secret ${key} is not usable: ${known}` } : { pair: known };
}

const check = oncePerSecret((secret): CheckedKeyPair | string => {
  const { type } = secret;
  if (type !== undefined && type !== "kubernetes.io/tls") return `its type is ${type}, not kubernetes.io/tls`;
  const { "tls.crt": cert, "tls.key": key } = textsOf(secret);
  if (!cert) return "it has no tls.crt";
  if (!key) return "it has no tls.key";
  try {
    return checkKeyPair({ cert, key });
  } catch (error) {
    return errorMessage(error);
  }
});

/** Is a certificate for a name? */
export function isFor(name: string, pair: TlsPair): boolean {
  const names = namesOf(pair);
  return names.includes(name) || names.includes(wildcardOf(name) ?? "");
}

/** Tells of a certificate that is not for a host. */
export function checkName(
  pair: TlsPair,
  { host, key, field, list }: Place & { host: string },
): void {
  if (!("names" in pair) || isFor(host, pair)) return;
  list.add(
    "CertificateNameMismatch",
    field,
    `The certificate in Secret ${key} is for ${pair.names.join(", ") || "no DNS name"}, not for ${host}: ` +
      "clients will not trust it",
  );
}

/** Tells of a certificate that is too old. */
export function checkTime(
  { notAfter = Infinity }: Partial<CheckedKeyPair>,
  { now = -Infinity, key, field, list }: Place & { now: number | undefined },
): void {
  if (notAfter >= now) return;
  list.add(
    "CertificateExpired",
    `${field}.secretName`,
    `The certificate in Secret ${key} is valid until ${new Date(notAfter).toISOString()} and no longer: ` +
      "clients will not trust it. Renew it",
  );
}

/** Of what was last good they are not at hand. */
function namesOf(pair: TlsPair): readonly string[] {
  if ("names" in pair) return pair.names;
  try {
    return certificateFacts(pair.cert).names;
  } catch {
    return [];
  }
}
