import "reflect-metadata";
import { PemConverter, X509CertificateGenerator } from "@peculiar/x509";
import { assert, assertEquals, assertThrows } from "@std/assert";
import { selfSigned, withChain } from "../tests/certificates.ts";
import { certificateFacts, checkKeyPair, type KeyPair } from "./key_pair.ts";

const GARBAGE = "-----BEGIN CERTIFICATE-----\nbm90IGEgY2VydGlmaWNhdGU=\n-----END CERTIFICATE-----\n";

Deno.test("checkKeyPair() takes a certificate with its key", async () => {
  checkKeyPair(await selfSigned(["example.com"]));
  const { cert, key } = await selfSigned(["example.com"]);
  checkKeyPair({ cert: `Some words before it\n${cert.replaceAll("\n", "\r\n")}`, key });
});

Deno.test("checkKeyPair() takes a whole chain", async () => {
  const { cert, key } = await withChain(["example.com"]);
  assertEquals(cert.match(/BEGIN CERTIFICATE/g)?.length, 2);
  checkKeyPair({ cert, key });
});

Deno.test("checkKeyPair() says what is wrong, with nothing of the key", async () => {
  const good = await withChain(["example.com"]);
  const { key: otherKey } = await selfSigned(["example.com"]);
  const [leaf = "", issuer = ""] = good.cert.split(/(?<=-----END CERTIFICATE-----\n)/);
  const cases: [KeyPair, string][] = [
    [{ ...good, key: otherKey }, "The private key does not belong to the certificate"],
    [{ ...good, cert: issuer + leaf }, "The private key does not belong to the certificate"],
    [{ ...good, cert: "" }, "The certificate is not PEM"],
    [{ ...good, cert: good.key }, "The certificate is not PEM"],
    [{ ...good, cert: GARBAGE }, "Certificate 1 of 1 cannot be read"],
    [{ ...good, cert: leaf + GARBAGE }, "Certificate 2 of 2 cannot be read"],
    [{ ...good, key: "" }, "The private key cannot be read"],
    [{ ...good, key: "not PEM" }, "The private key cannot be read"],
    [{ ...good, key: good.cert }, "The private key cannot be read"],
    [{ ...good, key: good.key.slice(0, 100) }, "The private key cannot be read"],
    [{ ...good, key: good.key.replace(/\n.{20}/, "\n") }, "The private key cannot be read"],
  ];
  for (const [pair, message] of cases) {
    const error = assertThrows(() => checkKeyPair(pair), Error, message);
    const told = Deno.inspect(error);
    for (const line of pair.key.split("\n").filter((line) => line.length > 10 && !line.startsWith("-----"))) {
      assert(!told.includes(line), message);
    }
  }
});

Deno.test("checkKeyPair() refuses a certificate of version 1", async () => {
  const { cert, key } = await selfSigned(["example.com"]);
  const der = Uint8Array.fromBase64(cert.replaceAll(/-----[A-Z ]+-----|\s/g, ""));
  // the version stands behind the heads of the certificate and of what is signed of it, each of 4 bytes
  assertEquals([...der.subarray(8, 13)], [0xa0, 3, 2, 1, 2]);
  const content = [...der.subarray(8 + 5)];
  const [signed, whole] = [content.length - (der.length - 8 - lengthAt(der, 6)), content.length + 4];
  const head = (length: number) => [0x30, 0x82, length >> 8, length & 0xff];
  const version1 = Uint8Array.from([...head(whole), ...head(signed), ...content]);
  const pem = `-----BEGIN CERTIFICATE-----\n${version1.toBase64()}\n-----END CERTIFICATE-----\n`;
  assertThrows(() => checkKeyPair({ cert: pem, key }), Error, "version 1");
});

Deno.test("checkKeyPair() leaves out what is no certificate, and reads the names", async () => {
  const { cert, key } = await selfSigned(["Example.com", "*.example.com"], { days: 30 });
  const { notAfter, ...checked } = checkKeyPair({ cert: `${key}${cert}`, key });
  assertEquals(checked, { cert: cert.trimEnd() + "\n", key, names: ["example.com", "*.example.com"] });
  const days = (notAfter - Date.now()) / (24 * 3600 * 1000);
  assert(days > 29 && days <= 30, `${days}`);
});

function lengthAt(der: Uint8Array, at: number): number {
  return ((der[at] ?? 0) << 8) | (der[at + 1] ?? 0);
}

Deno.test("checkKeyPair() refuses a chain that is cut off", async () => {
  const { cert, key } = await withChain(["example.com"]);
  assertThrows(() => checkKeyPair({ cert: cert.slice(0, -60), key }), Error, "Certificate 2 of 2");
});

Deno.test("checkKeyPair() refuses a key that TLS servers here do not take", async () => {
  const signingAlgorithm = { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" };
  const size = { modulusLength: 1024, publicExponent: new Uint8Array([1, 0, 1]) };
  const keys = await crypto.subtle.generateKey({ ...signingAlgorithm, ...size }, true, ["sign", "verify"]);
  const certificate = await X509CertificateGenerator.createSelfSigned({
    name: "CN=a.test",
    keys,
    signingAlgorithm,
  });
  const cert = certificate.toString("pem");
  const key = PemConverter.encode(await crypto.subtle.exportKey("pkcs8", keys.privateKey), "PRIVATE KEY");
  assertThrows(() => Deno.listenTls({ port: 0, cert, key }), Error);
  assertThrows(() => checkKeyPair({ cert, key }), Error);
});

Deno.test("certificateFacts() tells what is in the first certificate of a chain", async () => {
  const { cert } = await withChain(["A.example.com", "*.b.example.com"], { days: 10 });
  const { names, issuer, notBefore, notAfter } = certificateFacts(cert);
  assertEquals(names, ["a.example.com", "*.b.example.com"]);
  assert(issuer.startsWith("CN="), issuer);
  assertEquals(Math.round((notAfter - Date.now()) / 86_400_000), 10);
  assert(notBefore < Date.now());
  assertThrows(() => certificateFacts("nothing"), Error, "The certificate is not PEM");
});
