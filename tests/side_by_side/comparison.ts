/**
 * What is compared: the same requests are sent to Pingress, which gets Ingresses with annotations, and to nginx,
 * configured by hand as ingress-nginx configures it for them.
 *
 * @module
 */
import { type IngressPath, type Question, statusOf } from "../annotations/harness.ts";
import type { WireMessage } from "../peers.ts";
import { type DifferenceName, EVERYWHERE } from "./differences.ts";

/** Ingresses for one host, and what ingress-nginx makes of them. */
export interface Case {
  /** What it is about. */
  name: string;
  /** Its host, which no other case has. */
  host: string;
  /** How nginx' `server_name` spells it: as it is, unless told. */
  serverName?: string;
  /** Is there a certificate for the host? */
  hasCertificate?: boolean;
  /** Does the controller tell that something of them cannot be used? */
  isTold?: boolean;
  /** Its Ingresses, the oldest first. */
  ingresses: {
    /** By their names without prefix. `AUTH` is the address of the Service `auth`. */
    annotations?: Record<string, string>;
    /** `/` to the Service `web` unless told. */
    paths?: IngressPath[];
    /** That of the case unless told. */
    host?: string;
  }[];
  /**
   * What stands in its block `server`. `include proxied;` is what every location of ingress-nginx has;
   * `http://web` and `http://other` are the Services.
   */
  nginx: string;
  /** What stands outside of that block. */
  http?: string;
  /** What is not the same with any of the questions. */
  differs?: Differs;
  /** What is asked, one after the other. */
  questions: CaseQuestion[];
}

/** What is not the same, and which row of the table says why. */
export type Differs = [why: DifferenceName, sides: Partial<Sides>];

/** What both servers are asked. */
export interface CaseQuestion extends Question {
  /** Over which port: `http` unless told. */
  scheme?: "http" | "https";
  /** The address that it comes from: 10.0.0.1 unless told. */
  from?: string;
  /** The content in pieces, by the chunked coding. */
  chunks?: string[];
  /** Is it asked while another request of the same client is not over? */
  isSecond?: boolean;
  /** The status of nginx's answer. */
  status: number;
  /** What is not the same with this one. */
  differs?: Differs;
}

/** What became of a question. */
export interface Exchange {
  /** The answer. */
  answer: WireMessage;
  /** Which Services got which requests. */
  seen: { service: string; request: WireMessage }[];
}

/** What is so with one server alone. */
export type Sides = Record<"nginx" | "pingress", string[]>;

/** What is only so with one server, but for what is so {@linkcode EVERYWHERE}. */
export function compare({ nginx, pingress }: Record<keyof Sides, Exchange>): Sides {
  const services = ({ seen }: Exchange) => seen.map(({ service }) => service).join();
  // where a Service was asked by one of them alone there is no more to say
  const isBrief = services(nginx) !== services(pingress);
  const facts = {
    nginx: factsOf(nginx, { isBrief }).filter((fact) => !isEverywhere("nginx", fact)),
    pingress: factsOf(pingress, { isBrief }).filter((fact) => !isEverywhere("pingress", fact)),
  };
  return {
    nginx: without(facts.nginx, facts.pingress),
    pingress: without(facts.pingress, facts.nginx),
  };
}

function isEverywhere(side: keyof Sides, fact: string): boolean {
  return EVERYWHERE.some(({ where, facts }) => where.includes(side) && facts.test(fact));
}

/** An exchange as a list of facts, in the order of their texts. */
function factsOf({ answer, seen }: Exchange, { isBrief }: { isBrief: boolean }): string[] {
  const isOwn = seen.every(({ service }) => service === "auth");
  return [
    `status ${statusOf(answer)}`,
    ...isOwn || isBrief ? [] : [`content: ${answer.body}`],
    ...answer.headers.filter(([name]) => !isBrief || name === "location")
      .flatMap((field) => answerFacts(field, isOwn ? "own " : "")),
    ...seen.flatMap(({ service, request: { start, headers, body } }) => [
      `${service} gets ${start.split(" ").slice(0, 2).join(" ")}`,
      ...isBrief ? [] : headers.map(([name, value]) => `${service} gets ${name}: ${value}`),
      ...isBrief || body === "" ? [] : [`${service} gets content: ${body}`],
    ]),
  ].sort();
}

/** Facts about a field; those about the page of an answer of the server's own are marked. */
function answerFacts([name, value]: [string, string], own: string): string[] {
  if (name.startsWith("content-") || name === "x-content-type-options") return [`${own}${name}: ${value}`];
  if (name !== "set-cookie") return [`${name}: ${value}`];
  return value.split("; ").map((part, index) => {
    // the order of attributes means nothing; endpoints are others in each test, and time passes
    const said = index === 0 ? part.replace(/=[^|]*\|/, "=…|") : part.replace(/^(Expires)=.*/, "$1=…");
    return `set-cookie: ${said}`;
  });
}

function without(facts: readonly string[], others: readonly string[]): string[] {
  const left = [...others];
  return facts.filter((fact) => {
    const at = left.indexOf(fact);
    if (at !== -1) left.splice(at, 1);
    return at === -1;
  });
}

/** The same question some times. */
export function times(count: number, question: CaseQuestion): CaseQuestion[] {
  return Array.from({ length: count }, () => question);
}
