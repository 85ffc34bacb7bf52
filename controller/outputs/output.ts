import type { KeyPair } from "@pingress/config";
import type { ChooseShards } from "../shards.ts";
import type { Translation } from "../translate/translate.ts";

/** Where the configuration of the proxies goes, and what runs them. */
export interface Output {
  /** Where proxies find certificates and keys. */
  readonly keysDirectory: string;
  /** Does it go into objects of a cluster, which hold only so much? */
  readonly isSharded: boolean;
  /** How the routes and endpoints are spread over files. */
  readonly chooseShards: ChooseShards;
  /** Gets ready; `tick` is called when somebody else has changed what the output wrote. */
  start(tick: () => void): Promise<void>;
  /** What each TLS Secret (`namespace/name`) held when it was last good, as an earlier run of the controller left it. */
  lastGood(): ReadonlyMap<string, KeyPair>;
  /** Makes the world as a translation says. What has not changed is not written. */
  apply(translation: Translation): Promise<void>;
  /** Ends what {@linkcode start} began; nothing that was written goes away. */
  close(): Promise<void>;
}
