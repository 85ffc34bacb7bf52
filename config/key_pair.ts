import { createPrivateKey, X509Certificate } from "node:crypto";

/** A certificate with its chain and key, both PEM. */
export interface KeyPair {
  /** PEM: the certificate, then its chain. */
  readonly cert: string;
  /** PEM. */
  readonly key: string;
}

/**
 * Checks that a key belongs to the first certificate of a chain, and that every certificate of it can be read.
 *
 * @throws {Error} saying what is wrong with which of the two; nothing of a key is repeated.
 */
export function checkKeyPair({ cert, key }: KeyPair): void {
  const blocks = cert.match(/-----BEGIN CERTIFICATE-----[^-]*(?:-----END CERTIFICATE-----)?/g) ?? [];
  if (blocks.length === 0) throw new Error("The certificate is not PEM: no BEGIN CERTIFICATE in it");
  const [leaf] = blocks.map((block, index) => {
    try {
      return new X509Certificate(block);
    } catch (cause) {
      throw new Error(`Certificate ${index + 1} of ${blocks.length} cannot be read`, { cause });
    }
  });
  let privateKey;
  try {
    privateKey = createPrivateKey(key);
  } catch (cause) {
    throw new Error("The private key cannot be read: it must be unencrypted PEM", { cause });
  }
  if (!leaf?.checkPrivateKey(privateKey)) {
    throw new Error("The private key does not belong to the certificate");
  }
}
