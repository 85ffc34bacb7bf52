import { configRevision, errorMessage, type Log, serviceKey, textDigest, VERSION } from "@pingress/config";
import type { Ingress } from "../objects.ts";
import type { Outcome } from "../reporter.ts";
import { renderConfigFiles } from "../render/config_files.ts";
import type { ChooseShards } from "../shards.ts";
import type { EventView, Explanation, IngressView, Overview, Page, ProxyView, RouteView } from "./api.ts";
import { ConfigurationView, type RowQuery } from "./configuration_view.ts";
import { type EndpointHealth, NOTHING_KNOWN } from "./endpoint_health.ts";
import { explain } from "./explain.ts";
import { ingressYaml } from "./ingress_yaml.ts";
import { eventText, LiveClients } from "./live.ts";
import type { ProxyFigures } from "./proxy_figures.ts";

/** Reads of one Ingress what the controller does not follow. */
export interface IngressDetails {
  /** The whole object; nothing when it is gone. */
  object(namespace: string, name: string): Promise<object | undefined>;
  /** The Events about it, the latest first. */
  events(ingress: Ingress): Promise<EventView[]>;
}

/** Options of {@linkcode Dashboard}. */
export interface DashboardOptions {
  /** Does this controller lead? */
  isLeader: () => boolean;
  /** How the configuration is spread over files. */
  chooseShards: ChooseShards;
  /** Asks the proxies for their figures; where there are none nothing is shown of proxies. */
  figures?: ProxyFigures;
  /** Reads more of an Ingress, where there is an API to ask. */
  details?: IngressDetails;
  /** Told of what fails. */
  log: Log;
  /** The time of day, in milliseconds since 1970. */
  now?: () => number;
}

/** What the cluster says of an Ingress, as far as it can be read. */
interface Details {
  object?: object;
  events?: EventView[];
}

/** What is remembered of a configuration when it is shown no longer. */
interface Known {
  revision: string;
  /** Since when it has been there at least, in milliseconds since 1970: before somebody looked nobody compared. */
  revisionSince: number;
  /** What tells what is wrong with it, and its certificates. */
  digest: string;
  changedAt: number;
}

/**
 * For how long what the cluster says of an Ingress is good enough, in milliseconds: a page that is open asks every few
 * seconds.
 */
const DETAILS_MILLISECONDS = 10_000;

/** How long changes are collected before they are shown: the loop that makes them comes first. In milliseconds. */
const COLLECT_MILLISECONDS = 50;

/** Under a storm of changes all but this part of the time is for the loop that makes them. */
const MOST_OF_TIME = 0.1;

/**
 * What the dashboard knows. As long as nobody looks nothing is done: an outcome of the reconcile loop is put aside,
 * and is made ready to be shown when somebody asks.
 */
export class Dashboard {
  /** The pages that are open. */
  readonly live: LiveClients;
  readonly #options: DashboardOptions;
  readonly #now: () => number;
  #seen: { outcome: Outcome; at: number } | undefined;
  /** The configuration, ready to be shown. */
  #view: ConfigurationView | undefined;
  #known: Known | undefined;
  /** What was read a moment ago: an object, and its Events, may be large. */
  readonly #details = new Map<Ingress, { at: number; details: Promise<Details> }>();
  /** How long it took to make the last one ready, in milliseconds. */
  #cost = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** Knows nothing yet. */
  constructor(options: DashboardOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
    this.live = new LiveClients({
      current: () => this.#event(),
      onCount: (count) => this.#watched(count),
    });
  }

  /** Takes note of a run of the reconcile loop. */
  see(outcome: Outcome): void {
    this.#seen = { outcome, at: this.#now() };
    if (this.live.count === 0) this.#view = undefined;
    else this.#publishSoon();
  }

  /** The configuration; nothing before there was one. */
  get view(): ConfigurationView | undefined {
    return this.#show()?.view;
  }

  /** What the proxies say of endpoints. */
  get health(): EndpointHealth {
    return this.#options.figures?.health ?? NOTHING_KNOWN;
  }

  /** The numbers of this moment; nothing before there was a configuration. */
  overview(): Overview | undefined {
    const shown = this.#show();
    if (shown === undefined) return undefined;
    const { view, known: { revision, changedAt } } = shown;
    const { figures, isLeader } = this.#options;
    const proxies = this.proxies();
    return {
      version: VERSION,
      revision,
      changedAt,
      ...figures?.scrapedAt !== undefined && { scrapedAt: figures.scrapedAt },
      isLeader: isLeader(),
      counts: {
        ...view.counts(this.#now()),
        proxies: proxies.length,
        readyProxies: proxies.filter((proxy) => proxy.isReady && proxy.revision === revision).length,
      },
      endpoints: view.endpoints(this.health),
      problems: view.worstProblems(),
      problemCount: view.problems.length,
      ...figures?.traffic !== undefined && { traffic: figures.traffic },
      history: [...figures?.history ?? []],
    };
  }

  /** The proxies, as they were when they were last asked. */
  proxies(): ProxyView[] {
    const known = this.#show()?.known;
    if (known === undefined) return [];
    const { revision, revisionSince } = known;
    const behind = Math.max(0, this.#now() - revisionSince);
    return (this.#options.figures?.proxies ?? []).map((proxy) => ({
      ...proxy,
      ...proxy.revision !== undefined && { lag: proxy.revision === revision ? 0 : behind },
    }));
  }

  /** Asks the proxies, unless they were asked a moment ago. */
  async refreshProxies(): Promise<void> {
    await this.#options.figures?.refresh();
  }

  /** A page of the routes, each with what the proxies say of its backend; nothing before there was a configuration. */
  routes(query: RowQuery): Page<RouteView> | undefined {
    const page = this.view?.routes(query, this.health);
    return page && { ...page, rows: this.#withTraffic(page.rows) };
  }

  /** One Ingress; nothing where Pingress serves none of that name. */
  async ingress(namespace: string, name: string): Promise<IngressView | undefined> {
    const view = this.view;
    const ingress = view?.ingressObject(namespace, name);
    if (view === undefined || ingress === undefined) return undefined;
    const { object = ingress, events = [] } = await this.#detailsOf(ingress);
    const shown = view.ingress(ingress, this.health);
    return { ...shown, routes: this.#withTraffic(shown.routes), events, yaml: ingressYaml(object) };
  }

  /** Where a URL would go; nothing before there was a configuration. @throws {UrlError} for what is no URL. */
  explain(url: string): Explanation | undefined {
    const { view, health } = this;
    if (view === undefined) return undefined;
    const explanation = explain(url, {
      translation: view.outcome.translation,
      routeView: (rule) => view.routeView(rule, health),
    });
    const { route } = explanation;
    const backend = route && view.backend(serviceKey(route.backend), health);
    return { ...explanation, ...backend !== undefined && { backend } };
  }

  /** Ends all streams, and asks nobody any more. */
  async close(): Promise<void> {
    clearTimeout(this.#timer);
    this.live.close();
    await this.#options.figures?.stop();
  }

  #withTraffic(routes: readonly RouteView[]): RouteView[] {
    const { figures } = this.#options;
    return routes.map((route) => {
      const traffic = figures?.backends.get(serviceKey(route.backend));
      return { ...route, ...traffic !== undefined && { traffic } };
    });
  }

  /** What was read a moment ago, as long as the Ingress is the same one. */
  #detailsOf(ingress: Ingress): Promise<Details> {
    const now = this.#now();
    for (const [other, { at }] of this.#details) {
      // a clock that was set back says nothing of when that was
      if (now < at || now - at >= DETAILS_MILLISECONDS) this.#details.delete(other);
    }
    const known = this.#details.get(ingress);
    if (known !== undefined) return known.details;
    const details = this.#readDetails(ingress);
    this.#details.set(ingress, { at: now, details });
    return details;
  }

  /** What cannot be read is left out: the rest is worth showing. */
  async #readDetails(ingress: Ingress): Promise<Details> {
    const { details } = this.#options;
    const { namespace = "", name } = ingress.metadata;
    const [object, events] = await Promise.all([
      details?.object(namespace, name).catch(() => undefined),
      details?.events(ingress).catch(() => undefined),
    ]);
    return { ...object !== undefined && { object }, ...events !== undefined && { events } };
  }

  /** What is wrong with the dashboard must not end the controller. */
  #event(): string | undefined {
    try {
      const overview = this.overview();
      return overview && eventText("overview", overview);
    } catch (error) {
      this.#options.log.error("The dashboard cannot show the configuration", { error: errorMessage(error) });
      return undefined;
    }
  }

  #watched(count: number): void {
    const { figures } = this.#options;
    if (count === 0) {
      // it takes much memory, and is soon made again
      this.#view = undefined;
      this.#details.clear();
      void figures?.stop();
    } else figures?.start(() => this.live.send());
  }

  #publishSoon(): void {
    if (this.#timer !== undefined) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.live.send();
    }, Math.max(COLLECT_MILLISECONDS, this.#cost / MOST_OF_TIME));
  }

  /** Makes the last outcome ready, once. */
  #show(): { view: ConfigurationView; known: Known } | undefined {
    if (this.#seen === undefined) return undefined;
    const { outcome, at } = this.#seen;
    const last = this.#view;
    if (last?.outcome === outcome && this.#known !== undefined) return { view: last, known: this.#known };
    const startedAt = performance.now();
    const before = this.#known;
    const view = new ConfigurationView(outcome);
    const revision = this.#revisionOf(outcome);
    const digest = textDigest(JSON.stringify([view.problems, view.certificates]));
    const isSame = revision === before?.revision;
    const isAlike = isSame && digest === before.digest &&
      (last === undefined || haveSameObjects(outcome, last.outcome));
    this.#known = {
      revision,
      revisionSince: isSame ? before.revisionSince : at,
      digest,
      changedAt: isAlike ? before.changedAt : at,
    };
    this.#view = view;
    this.#cost = performance.now() - startedAt;
    return { view, known: this.#known };
  }

  #revisionOf({ translation }: Outcome): string {
    const shards = renderConfigFiles(translation, this.#options.chooseShards);
    return configRevision(shards.flatMap((files) => Object.values(files).map(textDigest)));
  }
}

/** Objects are replaced when they change. */
function haveSameObjects({ translation: one }: Outcome, { translation: other }: Outcome): boolean {
  return one.ingresses.length === other.ingresses.length &&
    one.ingresses.every((ingress, index) => ingress === other.ingresses[index]);
}
