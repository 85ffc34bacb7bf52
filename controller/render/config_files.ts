import { ENDPOINTS_FILE, PROXY_CONFIG_FILE } from "@pingress/config";
import type { Translation } from "../translate/translate.ts";

/** The text of `proxy.json` and `endpoints.json`, by file name. One rule a line keeps both small and readable. */
export function renderConfigFiles({ config, endpoints }: Translation): Record<string, string> {
  const { rules, ...others } = config;
  const members = Object.entries(others).map(([name, value]) =>
    `,\n  ${JSON.stringify(name)}: ${JSON.stringify(value)}`
  );
  const backends = Object.entries(endpoints).map(([key, list]) =>
    `  ${JSON.stringify(key)}: ${JSON.stringify(list)}`
  );
  return {
    [PROXY_CONFIG_FILE]: `{\n  "rules": [${lines(rules.map((rule) => `    ${JSON.stringify(rule)}`))}  ]${
      members.join("")
    }\n}\n`,
    [ENDPOINTS_FILE]: `{${lines(backends)}}\n`,
  };
}

function lines(items: string[]): string {
  return items.length === 0 ? "" : `\n${items.join(",\n")}\n`;
}
