import type { KeyPair, ServiceBackend } from "@pingress/config";
import { type Ingress, type Kind, objectKey } from "../objects.ts";
import type { ManifestFault } from "../sources/manifests.ts";
import { fieldKeys } from "../sources/yaml.ts";
import type { Snapshot } from "../store.ts";
import type { Problem, ProblemReason } from "../translate/problem.ts";
import { classNameOf, selectIngresses } from "../translate/select_ingresses.ts";
import { translate, type Translation } from "../translate/translate.ts";
import { type LaidFile, layOver, type Places } from "./lay_over.ts";
import { markChanges, type RouteRow, routeTable } from "./route_table.ts";

/** A file that was read. */
export interface CheckedFile extends LaidFile {
  /** What cannot be read; without a line where that is the whole file. */
  faults: readonly (Omit<ManifestFault, "line"> & { line?: number })[];
}

/** What is checked. */
export interface CheckInput {
  /** In the order in which they are told; of two objects with one name the last one counts. */
  files: readonly CheckedFile[];
  /** What the files are laid over, where there is a cluster; and the kinds that may not be listed. */
  cluster?: { snapshot: Snapshot; refused: readonly Kind[] };
  /** The TLS Secret (`namespace/name`) with the certificate of all names that have none. */
  defaultCertificate?: string | undefined;
  /** The time, in milliseconds since 1970; no certificate is too old unless told. */
  now?: number;
}

/** Something that somebody should look at. */
export interface CheckProblem {
  /** Warnings are no failure unless one wants them to be. */
  severity: "error" | "warning";
  /** The file; left out for what is in the cluster alone. */
  file?: string;
  /** The line of the field, or of what should hold it, from 1 on. */
  line?: number;
  /** The object, such as `Ingress default/web`. */
  object?: string;
  /** The field of the object. */
  field?: string;
  /** A word for programs. */
  reason: ProblemReason | "DefaultCertificate" | "DuplicateObject" | "NoClass" | "NoIngress" | "Unreadable";
  /** What is wrong, what follows from it, and what to do. */
  message: string;
}

/** What there is to say. */
export interface CheckReport {
  /** Counts. */
  summary: {
    /** The Ingresses that Pingress serves. */
    ingresses: number;
    /** Those that it does not. */
    otherIngresses: number;
    /** The classes that those name. */
    otherClasses: string[];
    /** The routes that there are in the end. */
    routes: number;
    /** The problems that are errors. */
    errors: number;
    /** And those that are warnings. */
    warnings: number;
    /** Problems that the cluster has without the files, which are left out. */
    earlierProblems: number;
  };
  /** In the order of files and lines; what is in the cluster alone comes last. */
  problems: CheckProblem[];
  /** Sorted by host and path; what takes the rest comes last. */
  routes: RouteRow[];
}

/**
 * Says what is wrong with objects of files, as the controller would see it. Without a cluster it is not known
 * which Services and Secrets there are besides those in the files: where one is missing that is a warning.
 */
export function buildReport(
  { files, cluster, defaultCertificate, now = -Infinity }: CheckInput,
): CheckReport {
  const { snapshot, places, duplicates } = layOver(files, cluster?.snapshot);
  const unknown: Unknown = new Map(
    cluster?.refused.map((kind) => [kind, "may not be looked for"]) ??
      (["Secret", "Service"] as const).map((kind) => [kind, "is not among the files"]),
  );
  const options = { unknown, defaultCertificate, now };
  const translation = translateAll(snapshot, options);
  const before = cluster !== undefined && files.length > 0
    ? translateAll(cluster.snapshot, options)
    : undefined;

  const ingresses = new Map(snapshot.Ingress.map((ingress) => [objectKey(ingress), ingress]));
  const earlier = new Set(before?.problems.map((problem) => JSON.stringify(problem)));
  const isNew = (problem: Problem) =>
    places.has(`Ingress ${problem.ingress}`) || !earlier.has(JSON.stringify(problem));
  const told = translation.problems.filter(isNew);
  const ours = new Set(selectIngresses(snapshot));
  const others = snapshot.Ingress.filter((ingress) => !ours.has(ingress));
  const { defaultFault } = translation;
  // what the cluster has without the files, too, is left out
  const isFaultTold = places.has(`Secret ${defaultCertificate}`) ||
    (cluster !== undefined && !unknown.has("Secret") && defaultFault !== before?.defaultFault);

  const problems = inOrder([
    ...files.flatMap(({ name, faults }) =>
      faults.map(({ message, ...where }): CheckProblem => ({
        severity: "error",
        file: name,
        ...where,
        reason: "Unreadable",
        message,
      }))
    ),
    ...duplicates.map(({ name, place: { file, lineOf }, earlier }): CheckProblem => ({
      severity: "warning",
      file,
      line: lineOf("metadata.name"),
      object: name,
      field: "metadata.name",
      reason: "DuplicateObject",
      message: `${name} is in ${earlier.file}:${earlier.lineOf("metadata.name")}, too: the last one counts`,
    })),
    ...cluster === undefined ? classProblems(others) : [],
    ...defaultFault !== undefined && isFaultTold
      ? [defaultCertificateProblem(`Secret ${defaultCertificate}`, defaultFault)]
      : [],
    ...told.map((problem) => readProblem(problem, ingresses.get(problem.ingress), unknown)),
  ], { files, places });
  if (ours.size === 0 && cluster === undefined && problems.length === 0) problems.push(NO_INGRESS);

  const isKnown = knownEndpoints(snapshot, { places, cluster });
  const routes = routeTable(translation, isKnown);
  const errors = problems.filter(({ severity }) => severity === "error").length;
  return {
    summary: {
      ingresses: ours.size,
      otherIngresses: others.length,
      otherClasses: [...new Set(others.flatMap((ingress) => classNameOf(ingress) ?? []))].sort(),
      routes: routes.length,
      errors,
      warnings: problems.length - errors,
      earlierProblems: translation.problems.length - told.length,
    },
    problems,
    routes: before === undefined ? routes : markChanges(routes, routeTable(before, isKnown)),
  };
}

/** The kinds of which not all objects are known, and what is to be said of one that is missing. */
type Unknown = ReadonlyMap<Kind, string>;

/** Where it is not known which Secrets there are, those that are named count as good: their hosts have them. */
function translateAll(
  snapshot: Snapshot,
  { unknown, defaultCertificate, now }: {
    unknown: Unknown;
    defaultCertificate: string | undefined;
    now: number;
  },
): Translation {
  const lastGood = new Map<string, KeyPair>();
  if (unknown.has("Secret")) {
    const known = new Set(snapshot.Secret.map(objectKey));
    const named = snapshot.Ingress.flatMap(({ metadata: { namespace = "" }, spec }) =>
      (spec?.tls ?? []).map(({ secretName }) => `${namespace}/${secretName}`)
    );
    for (const key of [...named, ...defaultCertificate === undefined ? [] : [defaultCertificate]]) {
      if (!known.has(key)) lastGood.set(key, { cert: "", key: "" });
    }
  }
  return translate(snapshot, { keysDirectory: "", defaultCertificate, lastGood, now });
}

/** The reasons that say that an object is not there. */
const MISSING: Partial<Record<ProblemReason, Kind>> = {
  SecretNotFound: "Secret",
  ServiceNotFound: "Service",
};

function readProblem(
  { ingress: key, field, reason, message }: Problem,
  ingress: Ingress | undefined,
  unknown: Unknown,
): CheckProblem {
  const object = `Ingress ${key}`;
  const kind = MISSING[reason];
  if (kind === undefined || !unknown.has(kind)) {
    return { severity: "error", object, field, reason, message };
  }
  const name = fieldKeys(field).reduce<unknown>(
    (value, key) => (value as Record<string, unknown>)?.[key],
    ingress,
  );
  return {
    severity: "warning",
    object,
    field,
    reason,
    // an annotation may name the namespace, too
    message: `${kind} ${ingress?.metadata.namespace}/${String(name).replace(/^.*\//, "")} ${
      unknown.get(kind)
    }: it is taken for granted`,
  };
}

function classProblems(others: readonly Ingress[]): CheckProblem[] {
  return others.filter((ingress) => classNameOf(ingress) === undefined).map((ingress) => ({
    severity: "warning",
    object: `Ingress ${objectKey(ingress)}`,
    field: "spec.ingressClassName",
    reason: "NoClass",
    message: "No class is named: it is served only where that of Pingress is the default one",
  }));
}

function defaultCertificateProblem(object: string, fault: string): CheckProblem {
  const message = `The default certificate cannot be used: ${fault}`;
  return { severity: "error", object, reason: "DefaultCertificate", message };
}

const NO_INGRESS: CheckProblem = {
  severity: "warning",
  reason: "NoIngress",
  message: "There is no Ingress for Pingress among the files",
};

/** Adds files and lines, sorts by them, and says once what was said of one missing object several times. */
function inOrder(
  problems: CheckProblem[],
  { files, places }: { files: readonly CheckedFile[]; places: Places },
): CheckProblem[] {
  const order = new Map(files.map(({ name }, index) => [name, index]));
  const placed = problems.map((problem): CheckProblem => {
    const place = places.get(problem.object ?? "");
    if (problem.file !== undefined || place === undefined) return problem;
    const { severity, ...others } = problem;
    return { severity, file: place.file, line: place.lineOf(problem.field ?? ""), ...others };
  });
  const fileOf = ({ file }: CheckProblem) => file === undefined ? files.length : order.get(file) ?? 0;
  const missing = new Set<string>();
  return placed.sort((one, other) => fileOf(one) - fileOf(other) || (one.line ?? 0) - (other.line ?? 0))
    .filter(({ severity, reason, message }) => {
      const isRepeated = severity === "warning" && reason in MISSING && missing.has(message);
      missing.add(message);
      return !isRepeated;
    });
}

/** Does anybody know the endpoints of a backend? Those of a Service that is new are not there yet. */
function knownEndpoints(
  { Service, Endpoints, EndpointSlice }: Snapshot,
  { places, cluster }: { places: Places; cluster: CheckInput["cluster"] },
): (backend: ServiceBackend) => boolean {
  const listed = new Set([
    ...[...Endpoints, ...EndpointSlice].map(({ metadata, service }) => `${metadata.namespace}/${service}`),
    ...Service.filter(({ spec }) => spec?.type === "ExternalName").map(objectKey),
  ]);
  const isRefused = cluster === undefined ||
    (["Service", "Endpoints", "EndpointSlice"] as const).some((kind) => cluster.refused.includes(kind));
  return ({ namespace, name }) => {
    const key = `${namespace}/${name}`;
    return listed.has(key) || (!isRefused && !places.has(`Service ${key}`));
  };
}
