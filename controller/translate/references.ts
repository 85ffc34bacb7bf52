import { fieldOf } from "../annotations/read_annotations.ts";
import type { RuleContext } from "../annotations/feature.ts";
import { type Ingress, objectKey, type Secret } from "../objects.ts";
import { fileBytes, type ShardSpace } from "../shards.ts";
import { type Problem, ProblemList } from "./problem.ts";

/** Options of {@linkcode References}. */
export interface ReferencesOptions {
  /** Where proxies find their keys. */
  keysDirectory: string;
  /** What the Secrets of the proxies have room for; everything unless told. */
  space: ShardSpace | undefined;
  /** Takes what is wrong. */
  problems: Problem[];
}

/** What annotations name beyond their Ingress, and what becomes of it. */
export class References {
  /** All Secrets that were asked for, as `namespace/name`. */
  readonly secrets = new Set<string>();
  /** The texts that proxies get, by the names of their files. */
  readonly files = new Map<string, string>();
  readonly #secrets: Map<string, Secret>;
  readonly #options: ReferencesOptions;
  readonly #told = new Set<string>();

  /** References to some Secrets. */
  constructor(secrets: readonly Secret[], options: ReferencesOptions) {
    this.#secrets = new Map(secrets.map((secret) => [objectKey(secret), secret]));
    this.#options = options;
  }

  /** Those of an Ingress. */
  of(ingress: Ingress): Pick<RuleContext, "secret" | "keep" | "tell"> {
    const list = new ProblemList(ingress, this.#options.problems);
    return {
      secret: (name) => {
        const key = `${ingress.metadata.namespace ?? ""}/${name}`;
        this.secrets.add(key);
        return this.#secrets.get(key);
      },
      keep: (file, text) => this.#keep(file, text),
      tell: (annotation, reason, message, effect) => {
        const key = JSON.stringify([objectKey(ingress), annotation, message]);
        if (this.#told.has(key)) return;
        this.#told.add(key);
        list.add(reason, fieldOf(ingress, annotation), message, effect);
      },
    };
  }

  #keep(file: string, text: string): string | undefined {
    const { keysDirectory, space } = this.#options;
    if (!this.files.has(file)) {
      if (space?.take([{ name: file, bytes: fileBytes(file, text) }]) === false) return undefined;
      this.files.set(file, text);
    }
    return `${keysDirectory}/${file}`;
  }
}
