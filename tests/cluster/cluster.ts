/**
 * What the cluster tests do with a cluster: kubectl, requests to a node, waiting.
 *
 * @module
 */
import { assert } from "@std/assert";
import type { Buffer } from "node:buffer";
import { X509Certificate } from "node:crypto";
import {
  type IncomingHttpHeaders,
  type IncomingMessage,
  request as httpRequest,
  type RequestOptions,
} from "node:http";
import { request as httpsRequest } from "node:https";
import type { TLSSocket } from "node:tls";

/** Runs kubectl on the cluster of `KUBECONFIG`. @throws {Error} with what it says when it fails. */
export async function kubectl(args: string[], input?: unknown): Promise<string> {
  const child = new Deno.Command("kubectl", { args, stdin: "piped", stdout: "piped", stderr: "piped" })
    .spawn();
  const writer = child.stdin.getWriter();
  if (input !== undefined) await writer.write(new TextEncoder().encode(JSON.stringify(input)));
  await writer.close();
  const { success, stdout, stderr } = await child.output();
  if (!success) throw new Error(`kubectl ${args.join(" ")}: ${new TextDecoder().decode(stderr).trim()}`);
  return new TextDecoder().decode(stdout);
}

/** A Kubernetes object, as far as the tests look. */
// deno-lint-ignore no-explicit-any -- a test fails well enough where a field is not there
export type KubernetesObject = any;

/** Reads objects as JSON. */
export async function read(...args: string[]): Promise<KubernetesObject> {
  return JSON.parse(await kubectl(["get", "-o", "json", ...args]));
}

/**
 * How long Pods that end may stand in the way of those that come, in milliseconds: kubelet takes a minute, at times,
 * to be done with one whose program has ended, and host ports are its own until then.
 */
export const POD_PATIENCE = 120_000;

/** Is there such an object? */
export async function exists(namespace: string, kind: string, name: string): Promise<boolean> {
  return await kubectl(["-n", namespace, "get", kind, name, "--ignore-not-found", "-o", "name"]) !== "";
}

/** Where the node is reached from here. */
export async function nodeAddress(): Promise<string> {
  const { items: [node] } = await read("nodes");
  const addresses: { type: string; address: string }[] = node.status.addresses;
  const found = addresses.find(({ type }) => type === "ExternalIP") ??
    addresses.find(({ type }) => type === "InternalIP");
  assert(found, "The node has no address");
  return found.address;
}

/** Makes objects, in the namespace that each of them names. */
export async function create(...items: object[]): Promise<void> {
  await kubectl(["create", "-f", "-"], { apiVersion: "v1", kind: "List", items });
}

/** Removes a namespace; its Ingresses are gone when it returns, its Pods take their time. */
export async function removeNamespace(namespace: string): Promise<void> {
  await kubectl(["-n", namespace, "delete", "ingresses", "--all"]);
  await kubectl(["delete", "namespace", namespace, "--ignore-not-found", "--wait=false"]);
}

/** Writes the status of an Ingress as another controller would. */
export async function writeStatus(namespace: string, name: string, addresses: object[]): Promise<void> {
  const path = `/apis/networking.k8s.io/v1/namespaces/${namespace}/ingresses/${name}`;
  const object = JSON.parse(await kubectl(["get", "--raw", path]));
  object.status.loadBalancer.ingress = addresses;
  await kubectl(["replace", "--raw", `${path}/status`, "-f", "-"], object);
}

/** What a node answered. */
export interface Answer {
  /** The status code. */
  status: number;
  /** The header fields. */
  headers: IncomingHttpHeaders;
  /** What the sample's backend says; nothing when the answer is not JSON. */
  echo: { pod?: string; host?: string; path?: string };
  /** Of the server's certificate, over HTTPS. */
  fingerprint: string | undefined;
}

/** How a node is asked. */
export interface Question {
  /** GET when absent. */
  method?: string;
  /** Header fields beside Host. */
  headers?: Record<string, string>;
}

/** Asks a node: HTTPS by SNI when the URL says so. Each request has a connection of its own. */
export async function ask(node: string, url: string, question: Question = {}): Promise<Answer> {
  const { protocol, hostname, pathname } = new URL(url);
  const { method = "GET", headers } = question;
  const options: RequestOptions = {
    host: node,
    method,
    path: pathname,
    headers: { ...headers, host: hostname },
    agent: false,
  };
  const request = protocol === "https:"
    ? httpsRequest({ ...options, port: 443, servername: hostname, rejectUnauthorized: false })
    : httpRequest({ ...options, port: 80 });
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  request.setTimeout(5000, () => request.destroy(new Error("No answer within 5 seconds")));
  request.on("error", reject);
  request.on("response", (response: IncomingMessage) => {
    const certificate = protocol === "https:"
      ? (response.socket as TLSSocket).getPeerCertificate()
      : undefined;
    let text = "";
    response.on("data", (chunk: Buffer) => text += chunk.toString());
    response.on("error", reject);
    response.on("end", () => {
      const isJson = response.headers["content-type"]?.startsWith("application/json");
      resolve({
        status: response.statusCode ?? 0,
        headers: response.headers,
        echo: isJson ? JSON.parse(text) : {},
        fingerprint: certificate?.fingerprint256,
      });
    });
  });
  request.end();
  return await promise;
}

/** The fingerprint of the first certificate of a chain, as {@linkcode Answer.fingerprint} has it. */
export function fingerprintOf(cert: string): string {
  return new X509Certificate(cert).fingerprint256;
}

/** How long things took: what tests of a cluster find out, besides whether they happen. */
export class Figures {
  readonly #lines: string[] = [];

  /** Adds a line. */
  add(what: string, figure: string): void {
    this.#lines.push(`${what}: ${figure}`);
  }

  /** Waits until something is so, and notes how long that took. */
  async measure(what: string, isSo: () => Promise<boolean>, deadline?: number): Promise<void> {
    this.add(what, `${(await eventually(what, isSo, deadline) / 1000).toFixed(2)} s`);
  }

  /** Prints them. */
  print(): void {
    // deno-lint-ignore no-console -- the figures are a result of the test
    console.log(["", ...this.#lines].join("\n  "));
  }
}

/**
 * Waits until something is so; an error means not yet.
 *
 * @returns how long it took, in milliseconds.
 */
export async function eventually(
  what: string,
  isSo: () => Promise<boolean>,
  deadline = 10_000,
): Promise<number> {
  const start = performance.now();
  for (let last: unknown;;) {
    try {
      if (await isSo()) return performance.now() - start;
      last = "it is not so";
    } catch (error) {
      last = error;
    }
    if (performance.now() - start > deadline) {
      throw new Error(`Waited ${deadline / 1000} seconds in vain: ${what}`, { cause: last });
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
