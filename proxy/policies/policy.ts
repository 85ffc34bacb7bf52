import type { Address, Authority, RequestTarget, RuleOptions } from "@pingress/config";
import type { DownstreamRequest, DownstreamResponse } from "../exchange.ts";
import type { Origin } from "../filters/origin.ts";
import type { Destination, Route } from "../routing_table.ts";
import type { Ask } from "../upstream/ask.ts";
import type { Balancer } from "../upstream/balancer.ts";
import type { UpstreamRequest } from "../upstream/round_trip.ts";
import type { LimitTable } from "./limit_table.ts";
import type { PasswordChecker } from "./password_checker.ts";

/** A request between its route and its backend, as policies see and change it. */
export interface PolicyExchange {
  /** What the client asked. Its fields are those of {@linkcode outgoing} by now. */
  readonly request: DownstreamRequest;
  /** Where it comes from. */
  readonly origin: Origin;
  /** The host that was asked for. */
  readonly authority: Authority;
  /** The path that routes were matched with, and the target as it is forwarded unless it is changed. */
  readonly target: RequestTarget;
  /** Its id in all logs. */
  readonly requestId: string;
  /** The rule that matches. */
  readonly route: Route;
  /** What the groups of its path took, from `$1` on, where it is a regular expression. */
  readonly groups: readonly string[];
  /** What the backend will get: to be changed. */
  readonly outgoing: UpstreamRequest;
  /** Where it goes; another route's is taken by replacing it. */
  destination: Route;
  /** Chooses among the endpoints there, instead of the proxy's own way. */
  balancer: Balancer | undefined;
  /** To be called once when the exchange has ended, if anybody wants to know. */
  ending: (() => void) | undefined;
}

type Answer = DownstreamResponse | undefined;

/** What is done with the requests of a route beyond passing them on. */
export interface Policy {
  /** Looks at a request: answers it itself, or lets it pass, perhaps changed. */
  request?(exchange: PolicyExchange): Answer | Promise<Answer>;
  /** Looks at the answer, whoever made it: changes it, or returns another one. */
  response?(response: DownstreamResponse, exchange: PolicyExchange): Answer | Promise<Answer> | void;
}

/** What policies need of the proxy. */
export interface PolicyEnvironment {
  /** The time, in milliseconds since 1970. */
  now: () => number;
  /** A number from 0 to less than 1. */
  random: () => number;
  /** How much clients have asked lately. */
  limits: LimitTable;
  /** The text of a file that options name; nothing when it could never be read. */
  fileText: (path: string) => string | undefined;
  /** Compares passwords with their hashes. */
  passwords: PasswordChecker;
  /** The addresses of a route's backend. @throws {ProxyError} when none of its names is found, or rejects with it. */
  addressesOf: (route: Route) => readonly Address[] | Promise<readonly Address[]>;
  /** Asks a server that options name by a URL. */
  ask: Ask;
  /** Sends a request to a backend and makes of its answer what clients get. Rejects when none comes. */
  send: (request: UpstreamRequest, destination: Destination) => Promise<DownstreamResponse>;
}

/** Makes the policy for some options; nothing when they ask for none. @throws {Error} for options that make no sense. */
export type PolicyFactory = (options: RuleOptions, environment: PolicyEnvironment) => Policy | undefined;
