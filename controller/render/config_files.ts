import { ENDPOINTS_FILE, PROXY_CONFIG_FILE, shardFile } from "@pingress/config";
import { type ChooseShards, lineBytes, type ShardPart, spread } from "../shards.ts";
import type { Translation } from "../translate/translate.ts";

/** A piece of JSON in one of the lists of a file. */
interface Line extends ShardPart {
  list: "rules" | "certificates" | "endpoints";
  text: string;
}

/**
 * The text of `proxy.json` and `endpoints.json` of each shard, by file name. One rule a line keeps both small and readable.
 */
export function renderConfigFiles(
  { config, endpoints }: Translation,
  choose: ChooseShards,
): Record<string, string>[] {
  const { rules, certificates = [], ...others } = config;
  const lines = [
    ...rules.map((rule) => line("rules", rule.host, JSON.stringify(rule))),
    ...certificates.map((certificate) => line("certificates", certificate.host, JSON.stringify(certificate))),
    ...Object.entries(endpoints).map(([key, list]) =>
      line("endpoints", key, `${JSON.stringify(key)}: ${JSON.stringify(list)}`)
    ),
  ];
  return spread(lines, choose).map((part, shard, { length: shards }) => {
    const textsOf = (list: Line["list"]) => part.filter((line) => line.list === list).map(({ text }) => text);
    const named = textsOf("certificates");
    const members = [
      `"rules": [${block(textsOf("rules"), "    ")}  ]`,
      // what has no host is in the first shard
      ...shard === 0
        ? Object.entries(others).map(([name, value]) => `${JSON.stringify(name)}: ${JSON.stringify(value)}`)
        : [],
      ...named.length > 0 ? [`"certificates": [${named.join(",")}]`] : [],
      ...shards > 1 ? [`"shards": ${shards}`] : [],
    ];
    return {
      [shardFile(PROXY_CONFIG_FILE, shard)]: `{\n  ${members.join(",\n  ")}\n}\n`,
      [shardFile(ENDPOINTS_FILE, shard)]: `{${block(textsOf("endpoints"), "  ")}}\n`,
    };
  });
}

function line(list: Line["list"], name: string | undefined, text: string): Line {
  return { list, name, text, bytes: lineBytes(text) };
}

function block(texts: string[], indent: string): string {
  return texts.length === 0 ? "" : `\n${texts.map((text) => `${indent}${text}`).join(",\n")}\n`;
}
