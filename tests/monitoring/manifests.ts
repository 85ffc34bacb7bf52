/**
 * What `manifests/monitoring/` says, as its tests look at it.
 *
 * @module
 */
import type { MetricFamily } from "@pingress/config";
import { load } from "js-yaml";
import { FAMILIES as CONTROLLER_FAMILIES } from "../../controller/metrics.ts";
import { FAMILIES as PROXY_FAMILIES } from "../../proxy/observe/families.ts";

/** Where the manifests are. */
export const MANIFESTS = new URL("../../manifests/monitoring/", import.meta.url);

/** Everything that Pingress measures. */
export const FAMILIES: Readonly<Record<string, MetricFamily>> = { ...PROXY_FAMILIES, ...CONTROLLER_FAMILIES };

/** An alert, as Prometheus has it (https://prometheus.io/docs/prometheus/latest/configuration/alerting_rules/). */
export interface Alert {
  /** Its name. */
  alert: string;
  /** Its query. */
  expr: string;
  /** Its labels. */
  labels: Record<string, string>;
  /** Its texts. */
  annotations: Record<string, string>;
}

/** A panel of a dashboard, as far as the tests look. */
export interface Panel {
  /** What kind it is. */
  type: string;
  /** What is written over it. */
  title: string;
  /** What it says of itself. */
  description?: string;
  /** Where it is; the dashboard is 24 wide. */
  gridPos: { h: number; w: number; x: number; y: number };
  /** Its queries. */
  targets?: { expr: string; refId: string; datasource: { uid: string } }[];
}

/** A dashboard, as far as the tests look. */
export interface Dashboard {
  /** The version of its format. */
  schemaVersion: number;
  /** Its panels, in their order. */
  panels: Panel[];
  /** Its variables. */
  templating: { list: { name: string; type: string; query: string | { query: string } }[] };
}

/** Reads a manifest as it is written. */
export async function readText(name: string): Promise<string> {
  return await Deno.readTextFile(new URL(name, MANIFESTS));
}

/** What a text of YAML says, as JSON would. */
export function parseYaml(text: string) {
  return JSON.parse(JSON.stringify(load(text)));
}

/** Reads the alerts. */
export async function readAlerts(): Promise<Alert[]> {
  const { groups } = parseYaml(await readText("alerts.yaml")) as { groups: { rules: Alert[] }[] };
  return groups.flatMap(({ rules }) => rules);
}

/** Reads the dashboard. */
export async function readDashboard(): Promise<Dashboard> {
  return JSON.parse(await readText("dashboard.json"));
}

/** A query of a panel, by the panel's title. */
export interface PanelQuery {
  /** The panel's title. */
  title: string;
  /** The query, with Grafana's variables. */
  expr: string;
}

/** All queries of a dashboard. */
export function queriesOf({ panels }: Dashboard): PanelQuery[] {
  return panels.flatMap(({ title, targets = [] }) => targets.map(({ expr }) => ({ title, expr })));
}

/** The families that a query names. */
export function familiesIn(query: string): string[] {
  const names = query.replaceAll(/"[^"]*"/g, '""').match(/\bpingress_\w+/g) ?? [];
  return [
    ...new Set(names.map((name) => name in FAMILIES ? name : name.replace(/_(?:bucket|sum|count)$/, ""))),
  ];
}
