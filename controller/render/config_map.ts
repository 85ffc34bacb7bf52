import type { ConfigMap } from "@cloudydeno/kubernetes-apis/core/v1";
import { type ChooseShards, shardName } from "../shards.ts";
import type { Translation } from "../translate/translate.ts";
import { renderConfigFiles } from "./config_files.ts";
import { COMMON_LABELS, CONFIG_MAP_NAME } from "./names.ts";

/** Options of {@linkcode renderConfigMaps}. */
export interface ConfigMapsOptions {
  /** Where they are. */
  namespace: string;
  /** How many there are. */
  choose: ChooseShards;
}

/** The ConfigMaps that proxies mount, one for each shard. */
export function renderConfigMaps(
  translation: Translation,
  { namespace, choose }: ConfigMapsOptions,
): ConfigMap[] {
  return renderConfigFiles(translation, choose).map((data, shard) => ({
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: shardName(CONFIG_MAP_NAME, shard), namespace, labels: COMMON_LABELS },
    data,
  }));
}
