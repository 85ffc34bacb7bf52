/**
 * Makes certificates for tests and for trying Pingress out: ECDSA P-256, valid from a day ago for a year.
 *
 * @module
 */

import "npm:reflect-metadata@^0.2.2";
import type { KeyPair } from "@pingress/config";
import {
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  type Extension,
  KeyUsageFlags,
  KeyUsagesExtension,
  PemConverter,
  SubjectAlternativeNameExtension,
  type X509Certificate,
  X509CertificateGenerator,
} from "npm:@peculiar/x509@^2.2.0";

const ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
const DAY_MILLISECONDS = 24 * 60 * 60 * 1000;

/** Options of {@linkcode withChain}. */
export interface CertificateOptions {
  /** For how many days from now it is valid; a negative number makes one that has expired. */
  days?: number;
}

/** Options of {@linkcode selfSigned}. */
export interface SelfSignedOptions extends CertificateOptions {
  /** What keys it has and how it is signed; ECDSA P-256 unless told. */
  algorithm?: RsaHashedKeyGenParams & { hash: string };
}

/** A certificate with its chain, and the root that a client must trust for it. */
export interface ChainedKeyPair extends KeyPair {
  /** PEM: the root, which is not part of {@linkcode KeyPair.cert}. */
  readonly root: string;
}

interface Issuer {
  certificate: X509Certificate;
  keys: CryptoKeyPair;
}

/** Makes a certificate for DNS names that signs itself. */
export async function selfSigned(
  names: string[],
  { algorithm, ...options }: SelfSignedOptions = {},
): Promise<KeyPair> {
  const keys = await generateKeys(algorithm);
  const certificate = await X509CertificateGenerator.createSelfSigned({
    name: subject(names),
    keys,
    extensions: serverExtensions(names),
    ...validity(options),
    ...algorithm && { signingAlgorithm: algorithm },
  });
  return { cert: pem(certificate), key: await privateKeyPem(keys) };
}

/** Makes a certificate for DNS names that an intermediate authority signs, which a new root signs in turn. */
export async function withChain(names: string[], options: CertificateOptions = {}): Promise<ChainedKeyPair> {
  const rootKeys = await generateKeys();
  const root = {
    certificate: await X509CertificateGenerator.createSelfSigned({
      name: "CN=Pingress example root",
      keys: rootKeys,
      extensions: authorityExtensions(),
      ...validity({}),
    }),
    keys: rootKeys,
  };
  const intermediate = await issue(root, {
    subject: "CN=Pingress example intermediate",
    extensions: authorityExtensions(),
    options: {},
  });
  const leaf = await issue(intermediate, {
    subject: subject(names),
    extensions: serverExtensions(names),
    options,
  });
  return {
    cert: `${pem(leaf.certificate)}${pem(intermediate.certificate)}`,
    key: await privateKeyPem(leaf.keys),
    root: pem(root.certificate),
  };
}

async function issue(
  issuer: Issuer,
  { subject, extensions, options }: { subject: string; extensions: Extension[]; options: CertificateOptions },
): Promise<Issuer> {
  const keys = await generateKeys();
  const certificate = await X509CertificateGenerator.create({
    subject,
    issuer: issuer.certificate.subject,
    publicKey: keys.publicKey,
    signingKey: issuer.keys.privateKey,
    extensions,
    ...validity(options),
  });
  return { certificate, keys };
}

async function generateKeys(
  algorithm: SelfSignedOptions["algorithm"] | typeof ALGORITHM = ALGORITHM,
): Promise<CryptoKeyPair> {
  return await crypto.subtle.generateKey(algorithm, true, ["sign", "verify"]) as CryptoKeyPair;
}

async function privateKeyPem({ privateKey }: CryptoKeyPair): Promise<string> {
  return `${PemConverter.encode(await crypto.subtle.exportKey("pkcs8", privateKey), "PRIVATE KEY")}\n`;
}

function pem(certificate: X509Certificate): string {
  return `${certificate.toString("pem")}\n`;
}

function subject(names: string[]): string {
  return `CN=${names[0] ?? "unnamed"}`;
}

function validity({ days = 365 }: CertificateOptions) {
  const now = Date.now();
  const notAfter = now + days * DAY_MILLISECONDS;
  return {
    signingAlgorithm: ALGORITHM,
    notBefore: new Date(Math.min(now, notAfter) - DAY_MILLISECONDS),
    notAfter: new Date(notAfter),
  };
}

function serverExtensions(names: string[]): Extension[] {
  return [
    new BasicConstraintsExtension(false, undefined, true),
    new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
    new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth]),
    new SubjectAlternativeNameExtension(names.map((value) => ({ type: "dns" as const, value }))),
  ];
}

function authorityExtensions(): Extension[] {
  return [
    new BasicConstraintsExtension(true, undefined, true),
    new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
  ];
}
