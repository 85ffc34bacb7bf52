import type { ConfigMap } from "@cloudydeno/kubernetes-apis/core/v1";
import type { Translation } from "../translate/translate.ts";
import { renderConfigFiles } from "./config_files.ts";
import { COMMON_LABELS, CONFIG_MAP_NAME } from "./names.ts";

/** The ConfigMap that proxies mount. */
export function renderConfigMap(translation: Translation, namespace: string): ConfigMap {
  return {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: CONFIG_MAP_NAME, namespace, labels: COMMON_LABELS },
    data: renderConfigFiles(translation),
  };
}
