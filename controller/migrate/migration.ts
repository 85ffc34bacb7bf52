import { layOver, type Place } from "../check/lay_over.ts";
import { type Kind, objectKey } from "../objects.ts";
import { readManifests } from "../sources/manifests.ts";
import type { ReadCluster, ReadFile } from "../sources/read_once.ts";
import type { Snapshot } from "../store.ts";
import type { ProblemReason } from "../translate/problem.ts";
import { namedHosts } from "../translate/build_rules.ts";
import { classNameOf, selectGuests, selectIngresses } from "../translate/select_ingresses.ts";
import { translate } from "../translate/translate.ts";
import { changesOf, describe } from "./changes.ts";
import { annotationFindings, type Finding, type Verdict } from "./findings.ts";
import { hostFindings, sharedHosts, tlsHosts } from "./host_findings.ts";
import { canRewrite, type Change, changedValue, rewrite } from "./rewrite.ts";

/** What is said about an Ingress. */
export interface MigratedIngress {
  /** `namespace/name` */
  ingress: string;
  /** The file; left out for one of a cluster. */
  file?: string;
  /** Its line there. */
  line?: number;
  /** The class that it names, if it names one. */
  class?: string;
  /** The hosts of its rules. */
  hosts: string[];
  /** The worst of its findings'. */
  verdict: Verdict;
  /** One for each annotation at least; what is worst comes first. */
  findings: Finding[];
  /** What has to be changed; nothing in one that cannot move, or not alone. */
  changes: Change[];
}

/** What is said about Ingresses that are to move. */
export interface MigrationReport {
  /** Does all of it move as it is? */
  passed: boolean;
  /** Counts. */
  summary: {
    /** The classes that are looked at. */
    classes: string[];
    /** The Ingresses of these, by what is said of them. */
    moves: number;
    /** Those with something to look at. */
    look: number;
    /** Those of which some would not be served. */
    cannot: number;
    /** The Ingresses that Pingress serves already. */
    ours: number;
    /** The classes of all others. */
    otherClasses: string[];
  };
  /** In the order of files and lines, or by namespace and name. */
  ingresses: MigratedIngress[];
  /** What cannot be read, or is there twice. */
  faults: { file: string; line?: number; object?: string; field?: string; message: string }[];
  /** The files that were written. */
  written?: string[];
}

/** What is looked at. */
export interface MigrationInput {
  /** Manifests; where there are none the cluster is looked at. */
  files: readonly ReadFile[];
  /** The cluster. */
  cluster?: ReadCluster;
  /** The classes; `nginx` and what else is the class of ingress-nginx unless told. */
  classes: readonly string[];
  /** The time, in milliseconds since 1970; no certificate is too old unless told. */
  now?: number;
}

/** What `spec.controller` of the IngressClasses of ingress-nginx says. */
const INGRESS_NGINX = "k8s.io/ingress-nginx";

/**
 * Says of each Ingress of other classes whether Pingress would serve it the same way.
 *
 * @returns the report, and the files in which something is to be changed, with their texts then.
 */
export function buildMigration(
  { files, cluster, classes: wanted, now = -Infinity }: MigrationInput,
): { report: MigrationReport; changed: Map<ReadFile, string> } {
  const { snapshot, places, duplicates } = layOver(files, cluster?.snapshot);
  const classes = classesOf(snapshot, wanted);
  const guests = selectGuests(snapshot, classes);
  const { problems } = translate(snapshot, { keysDirectory: "", now, guestClasses: classes });
  const unknown = new Set<Kind | undefined>(cluster?.refused ?? ["Secret", "Service"]);
  const byIngress = Map.groupBy(
    problems.filter(({ reason }) => !unknown.has(MISSING[reason])),
    ({ ingress }) => ingress,
  );
  const hasTls = tlsHosts(guests);
  const ofHosts = hostFindings(guests);
  const ingresses = guests.map((ingress): MigratedIngress => {
    const key = objectKey(ingress);
    const className = classNameOf(ingress);
    const hosts = [...namedHosts(ingress)];
    return {
      ingress: key,
      ...className !== undefined && { class: className },
      hosts,
      verdict: "moves",
      findings: [
        ...annotationFindings(ingress, { problems: byIngress.get(key) ?? [], classes }),
        ...ofHosts.get(ingress) ?? [],
      ],
      changes: changesOf(ingress, { isSentToHttps: hosts.some(hasTls) }),
    };
  });
  for (const migrated of ingresses) judge(migrated);
  for (const [migrated, finding] of sharedHosts(ingresses)) {
    migrated.findings.push(finding);
    migrated.changes = [];
  }
  const changed = new Map<ReadFile, string>();
  for (const file of files) {
    const inFile = ingresses.flatMap((migrated) => {
      const place = places.get(`Ingress ${migrated.ingress}`);
      return place?.file === file.name ? [{ migrated, place }] : [];
    });
    const text = changedText(file, inFile);
    if (text !== undefined) changed.set(file, text);
    for (const { migrated, place: { lineOf } } of inFile) {
      Object.assign(migrated, { file: file.name, line: lineOf("") });
      for (const finding of migrated.findings) finding.line = lineOf(finding.field ?? "");
    }
  }
  for (const migrated of ingresses) judge(migrated);
  const faults = [
    ...files.flatMap(({ name, faults }) => faults.map((fault) => ({ file: name, ...fault }))),
    ...duplicates.map(({ name, place: { file, lineOf }, earlier }) => ({
      file,
      line: lineOf("metadata.name"),
      object: name,
      message: `It is in ${earlier.file}:${
        earlier.lineOf("metadata.name")
      }, too: only the last one is looked at`,
    })),
  ];
  const count = (verdict: Verdict) => ingresses.filter((migrated) => migrated.verdict === verdict).length;
  const ours = selectIngresses(snapshot);
  const others = new Set(snapshot.Ingress).difference(new Set([...ours, ...guests]));
  const report: MigrationReport = {
    passed: faults.length === 0 && count("moves") === ingresses.length,
    summary: {
      classes,
      moves: count("moves"),
      look: count("look"),
      cannot: count("cannot"),
      ours: ours.length,
      otherClasses: [...new Set([...others].map((ingress) => classNameOf(ingress) ?? "none"))].sort(),
    },
    ingresses: inOrder(ingresses, files),
    faults,
  };
  return { report, changed };
}

/** The Secrets (`namespace/name`) that annotations of Ingresses of the classes name. */
export function secretsOf(snapshot: Snapshot, wanted: readonly string[]): ReadonlySet<string> {
  return translate(snapshot, { keysDirectory: "", guestClasses: classesOf(snapshot, wanted) }).namedSecrets;
}

function classesOf({ IngressClass }: Snapshot, wanted: readonly string[]): string[] {
  if (wanted.length > 0) return [...wanted];
  const named = IngressClass.filter(({ spec }) => spec?.controller === INGRESS_NGINX);
  return [...new Set(["nginx", ...named.map(({ metadata }) => metadata.name)])];
}

/** The reasons that say that an object is not there. */
const MISSING: Partial<Record<ProblemReason, Kind>> = {
  SecretNotFound: "Secret",
  ServiceNotFound: "Service",
};

const WORST: readonly Verdict[] = ["cannot", "look", "moves"];

/** Finds the verdict, and puts what it is from before all else. */
function judge(migrated: MigratedIngress): void {
  const rank = ({ verdict }: Finding) => WORST.indexOf(verdict);
  migrated.findings.sort((one, other) => rank(one) - rank(other));
  migrated.verdict = migrated.findings[0]?.verdict ?? "moves";
  // it stays where it is, as it is
  if (migrated.verdict === "cannot") migrated.changes = [];
}

/**
 * The text of a file with its Ingresses changed, when any of them is. What cannot be changed there is told in
 * their findings: an Ingress of which that is more than the name of an annotation, which may stay, is left alone.
 */
function changedText(
  { text, objects }: ReadFile,
  ingresses: readonly { migrated: MigratedIngress; place: Place }[],
): string | undefined {
  for (const { migrated, place: { placeOf } } of ingresses) {
    const [possible = [], others = []] = [true, false].map((wanted) =>
      migrated.changes.filter((change) => canRewrite(text, { placeOf, changes: [change] }) === wanted)
    );
    if (others.some(({ op }) => op !== "rename")) {
      leaveAlone(migrated);
      continue;
    }
    migrated.changes = possible;
    for (const { field } of others as (Change & { op: "rename" })[]) {
      const message = "It keeps its name, which Pingress reads, too: other fields have their text from there";
      migrated.findings.push({ verdict: "moves", kind: "manual", field, message });
    }
  }
  const changed = ingresses.filter(({ migrated }) => migrated.changes.length > 0);
  if (changed.length === 0) return undefined;
  const wanted = new Map(changed.map(({ migrated: { changes }, place: { placeOf } }) => [placeOf, changes]));
  const rewritten = rewrite(text, [...wanted].map(([placeOf, changes]) => ({ placeOf, changes })));
  const planned = objects.map(({ written, placeOf }) => changedValue(written, wanted.get(placeOf) ?? []));
  const actual = readManifests(rewritten).objects.map(({ written }) => written);
  if (inOneOrder(planned) === inOneOrder(actual)) return rewritten;
  for (const { migrated } of changed) leaveAlone(migrated);
  return undefined;
}

function leaveAlone(migrated: MigratedIngress): void {
  const all = migrated.changes.map(describe).join("; ");
  migrated.changes = [];
  migrated.findings.push({
    verdict: "look",
    kind: "manual",
    message:
      `It must be changed by hand, for its text has an unusual form or is shared by other fields: ${all}`,
  });
}

/** A value as text, in which the order of members makes no difference. */
function inOneOrder(value: unknown): string {
  return JSON.stringify(
    value,
    (_, member) =>
      typeof member === "object" && member !== null && !Array.isArray(member)
        ? Object.fromEntries(Object.entries(member).sort(([one], [other]) => one < other ? -1 : 1))
        : member,
  );
}

/** In the order of files and lines. */
function inOrder(ingresses: readonly MigratedIngress[], files: readonly ReadFile[]): MigratedIngress[] {
  const order = new Map(files.map(({ name }, index) => [name, index]));
  const fileOf = ({ file }: MigratedIngress) => order.get(file ?? "") ?? files.length;
  return ingresses.toSorted((one, other) =>
    fileOf(one) - fileOf(other) || (one.line ?? 0) - (other.line ?? 0) ||
    (one.ingress < other.ingress ? -1 : 1)
  );
}
