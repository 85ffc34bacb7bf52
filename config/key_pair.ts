import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";

/** A certificate with its chain and key, both PEM. */
export interface KeyPair {
  /** PEM: the certificate, then its chain. */
  readonly cert: string;
  /** PEM. */
  readonly key: string;
}

/** A key pair that was checked, and what its certificate says. */
export interface CheckedKeyPair extends KeyPair {
  /** The DNS names of the certificate, in lower case. */
  readonly names: string[];
  /** Until when it is valid, in milliseconds since 1970. */
  readonly notAfter: number;
}

/**
 * Checks that a key belongs to the first certificate of a chain, and that every certificate of it can be read.
 * What is not a certificate is left out of the chain: files often hold more, even a key.
 *
 * @throws {Error} saying what is wrong with which of the two; nothing of a key is repeated.
 */
export function checkKeyPair({ cert, key }: KeyPair): CheckedKeyPair {
  const { first: leaf, blocks } = readCertificates(cert);
  if (!isVersion3(leaf.raw)) {
    throw new Error("The certificate is of X.509 version 1, which is not served: make one of version 3");
  }
  const privateKey = readKey(key);
  if (!isServed(privateKey)) {
    throw new Error(
      "The private key is of a kind or size that is not served: " +
        "take RSA with 2048 to 8192 bits, ECDSA P-256, P-384 or P-521, or Ed25519",
    );
  }
  if (!leaf.checkPrivateKey(privateKey)) {
    throw new Error("The private key does not belong to the certificate");
  }
  const names = [...leaf.subjectAltName?.matchAll(/DNS:([^,\s]+)/g) ?? []];
  return {
    cert: `${blocks.join("\n")}\n`,
    key,
    names: names.map(([, name = ""]) => name.toLowerCase()),
    notAfter: Date.parse(leaf.validTo),
  };
}

/** What the certificate of a key pair says, for people. */
export interface CertificateFacts {
  /** The DNS names and IP addresses that it is for. */
  names: string[];
  /** Who signed it, such as `CN=R11, O=Let's Encrypt, C=US`. */
  issuer: string;
  /** From when it is valid, in milliseconds since 1970. */
  notBefore: number;
  /** Until when it is valid, in milliseconds since 1970. */
  notAfter: number;
}

/** Reads the first certificate of a chain. @throws {Error} when it cannot be read. */
export function certificateFacts(cert: string): CertificateFacts {
  const { first } = readCertificates(cert);
  const names = [...first.subjectAltName?.matchAll(/(?:DNS|IP Address):([^,\s]+)/g) ?? []];
  return {
    names: names.map(([, name = ""]) => name.toLowerCase()),
    issuer: first.issuer.split("\n").reverse().join(", "),
    notBefore: Date.parse(first.validFrom),
    notAfter: Date.parse(first.validTo),
  };
}

/**
 * Checks certificates of authorities: PEM, one after the other.
 *
 * @throws {Error} when one cannot be read, or when there is none.
 */
export function checkAuthorities(text: string): void {
  readCertificates(text);
}

/** The first of some certificates, and all of them as PEM. @throws {Error} when one cannot be read, or for none. */
function readCertificates(text: string): { first: X509Certificate; blocks: string[] } {
  const blocks = text.match(/-----BEGIN CERTIFICATE-----[^-]*(?:-----END CERTIFICATE-----)?/g) ?? [];
  const [first] = blocks.map((block, index) => {
    try {
      return new X509Certificate(block);
    } catch (cause) {
      throw new Error(`Certificate ${index + 1} of ${blocks.length} cannot be read`, { cause });
    }
  });
  if (first === undefined) throw new Error("The certificate is not PEM: no BEGIN CERTIFICATE in it");
  return { first, blocks };
}

function readKey(key: string): KeyObject {
  try {
    return createPrivateKey(key);
  } catch (cause) {
    throw new Error("The private key cannot be read: it must be unencrypted PEM", { cause });
  }
}

/** Only a certificate that is not of version 1 says its version: its first field has the tag 0 (RFC 5280, section 4.1). */
function isVersion3(certificate: Uint8Array): boolean {
  const contentOf = (at: number) => {
    const length = certificate[at + 1] ?? 0;
    return at + 2 + (length > 127 ? length - 128 : 0);
  };
  return certificate[contentOf(contentOf(0))] === 0xa0;
}

/** Deno's TLS servers take no other keys: a handshake with one would fail. */
function isServed({ asymmetricKeyType, asymmetricKeyDetails: details }: KeyObject): boolean {
  switch (asymmetricKeyType) {
    case "rsa":
      return (details?.modulusLength ?? 0) >= 2048 && (details?.modulusLength ?? 0) <= 8192;
    case "ec":
      return ["prime256v1", "secp384r1", "secp521r1"].includes(details?.namedCurve ?? "");
    default:
      return asymmetricKeyType === "ed25519";
  }
}
