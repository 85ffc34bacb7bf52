import { configRevision, textDigest, VERSION } from "@pingress/config";
import type { Ingress } from "../objects.ts";
import type { Outcome } from "../reporter.ts";
import { renderConfigFiles } from "../render/config_files.ts";
import type { ChooseShards } from "../shards.ts";
import type { EventView, Explanation, IngressView, Overview, ProxyView } from "./api.ts";
import { ConfigurationView } from "./configuration_view.ts";
import { explain } from "./explain.ts";
import { ingressYaml, knownObject } from "./ingress_yaml.ts";
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
}

/** A configuration, ready to be shown. */
interface Shown {
  view: ConfigurationView;
  outcome: Outcome;
  revision: string;
}

/** How long changes are collected before they are shown: the loop that makes them comes first. In milliseconds. */
const COLLECT_MILLISECONDS = 50;

/**
 * What the dashboard knows. As long as nobody looks nothing is done: an outcome of the reconcile loop is put aside,
 * and is made ready to be shown when somebody asks.
 */
export class Dashboard {
  /** The pages that are open. */
  readonly live: LiveClients;
  readonly #options: DashboardOptions;
  #seen: { outcome: Outcome; at: number } | undefined;
  #shown: Shown | undefined;
  #changedAt = 0;
  #revisionSince = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** Knows nothing yet. */
  constructor(options: DashboardOptions) {
    this.#options = options;
    this.live = new LiveClients({
      current: () => {
        const overview = this.overview();
        return overview && eventText("overview", overview);
      },
      onCount: (count) => this.#watched(count),
    });
  }

  /** Takes note of a run of the reconcile loop. */
  see(outcome: Outcome): void {
    this.#seen = { outcome, at: Date.now() };
    this.#publishSoon();
  }

  /** The configuration; nothing before there was one. */
  get view(): ConfigurationView | undefined {
    return this.#show()?.view;
  }

  /** The numbers of this moment; nothing before there was a configuration. */
  overview(): Overview | undefined {
    const shown = this.#show();
    if (shown === undefined) return undefined;
    const { view, revision } = shown;
    const { figures, isLeader } = this.#options;
    const proxies = this.proxies();
    return {
      version: VERSION,
      revision,
      changedAt: this.#changedAt,
      ...figures?.scrapedAt !== undefined && { scrapedAt: figures.scrapedAt },
      isLeader: isLeader(),
      counts: {
        ...view.counts(Date.now()),
        proxies: proxies.length,
        readyProxies: proxies.filter((proxy) => proxy.isReady && proxy.revision === revision).length,
      },
      problems: view.worstProblems(),
      problemCount: view.problems.length,
      ...figures?.traffic !== undefined && { traffic: figures.traffic },
      history: [...figures?.history ?? []],
    };
  }

  /** The proxies, as they were when they were last asked. */
  proxies(): ProxyView[] {
    const revision = this.#show()?.revision;
    if (revision === undefined) return [];
    const behind = Math.max(0, Date.now() - this.#revisionSince);
    return (this.#options.figures?.proxies ?? []).map((proxy) => ({
      ...proxy,
      ...proxy.revision !== undefined && { lag: proxy.revision === revision ? 0 : behind },
    }));
  }

  /** Asks the proxies, unless they were asked a moment ago. */
  async refreshProxies(): Promise<void> {
    await this.#options.figures?.refresh();
  }

  /** One Ingress; nothing where Pingress serves none of that name. */
  async ingress(namespace: string, name: string): Promise<IngressView | undefined> {
    const { details } = this.#options;
    const view = this.view;
    const ingress = view?.ingressObject(namespace, name);
    if (view === undefined || ingress === undefined) return undefined;
    // what cannot be read is left out: the rest is worth showing
    const [object, events] = await Promise.all([
      details?.object(namespace, name).catch(() => undefined),
      details?.events(ingress).catch(() => []),
    ]);
    return {
      ...view.ingress(ingress),
      events: events ?? [],
      yaml: ingressYaml(object ?? knownObject(ingress)),
    };
  }

  /** Where a URL would go; nothing before there was a configuration. @throws {UrlError} for what is no URL. */
  explain(url: string): Explanation | undefined {
    const shown = this.#show();
    if (shown === undefined) return undefined;
    const { view, outcome: { translation } } = shown;
    return explain(url, {
      translation,
      routeView: (rule) => rule === undefined ? view.defaultRoute : view.routeOf.get(rule),
    });
  }

  /** Ends all streams, and asks nobody any more. */
  async close(): Promise<void> {
    clearTimeout(this.#timer);
    this.live.close();
    await this.#options.figures?.stop();
  }

  #watched(count: number): void {
    const { figures } = this.#options;
    if (count === 0) void figures?.stop();
    else figures?.start(() => this.live.send());
  }

  #publishSoon(): void {
    if (this.live.count === 0 || this.#timer !== undefined) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.live.send();
    }, COLLECT_MILLISECONDS);
  }

  /** Makes the last outcome ready, once. */
  #show(): Shown | undefined {
    if (this.#seen === undefined) return undefined;
    const { outcome, at } = this.#seen;
    const last = this.#shown;
    if (last?.outcome === outcome) return last;
    const revision = this.#revisionOf(outcome);
    const view = new ConfigurationView(outcome);
    if (revision !== last?.revision) this.#revisionSince = at;
    if (revision !== last?.revision || !isShownAlike(view, last.view)) this.#changedAt = at;
    return this.#shown = { view, outcome, revision };
  }

  #revisionOf({ translation }: Outcome): string {
    const shards = renderConfigFiles(translation, this.#options.chooseShards);
    return configRevision(shards.flatMap((files) => Object.values(files).map(textDigest)));
  }
}

/** Objects are replaced when they change, so it is enough to see whether they are the same ones. */
function isShownAlike(one: ConfigurationView, other: ConfigurationView): boolean {
  const texts = [one, other].map(({ problems, certificates }) => JSON.stringify([problems, certificates]));
  return texts[0] === texts[1] && one.objects.length === other.objects.length &&
    one.objects.every((object, index) => object === other.objects[index]);
}
