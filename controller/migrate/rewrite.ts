import { fieldKeys, type PlaceOf } from "../sources/yaml.ts";

/** Something that is to be another way in an object. */
export type Change =
  /** A field gets another value. */
  | { op: "set"; field: string; value: string }
  /** A field gets another name. */
  | { op: "rename"; field: string; to: string }
  /** A mapping gets one more member. */
  | { op: "add"; into: string; key: string; value: string | Record<string, string> };

/** An object of a text, and what is to be another way in it. */
export interface ChangedObject {
  /** Where its fields are in the text. */
  placeOf: PlaceOf;
  /** What is to be another way, in places that differ. */
  changes: readonly Change[];
}

/** A part of a text, and what takes its place. */
interface Edit {
  start: number;
  end: number;
  text: string;
}

/** Can a change be made in the text, without changing more than this object? */
export function canRewrite(text: string, { placeOf, changes }: ChangedObject): boolean {
  return changes.every((change) => editOf(change, { text, placeOf }) !== undefined);
}

/**
 * Makes changes in a text, and leaves every other character of it: comments, order, quotes, and objects that are
 * none of Pingress's business. Changes for which {@linkcode canRewrite} is false are left out.
 */
export function rewrite(text: string, objects: readonly ChangedObject[]): string {
  const edits = objects.flatMap(({ placeOf, changes }) =>
    changes.flatMap((change) => editOf(change, { text, placeOf }) ?? [])
  ).sort((one, other) => one.start - other.start || one.end - other.end);
  let [rewritten, done] = ["", 0];
  for (const { start, end, text: replacement } of edits) {
    rewritten += text.slice(done, start) + replacement;
    done = end;
  }
  return rewritten + text.slice(done);
}

/** The value of an object with its changes: what is read from a text that was rewritten. */
export function changedValue(value: unknown, changes: readonly Change[]): unknown {
  const copy = structuredClone(value);
  for (const change of changes) {
    const keys = fieldKeys(change.op === "add" ? change.into : change.field);
    const last = change.op === "add" ? change.key : keys.pop() ?? "";
    const parent = keys.reduce((node: Members, key) => node?.[key] as Members, copy as Members);
    if (change.op === "rename") {
      parent[change.to] = parent[last];
      delete parent[last];
    } else parent[last] = change.value;
  }
  return copy;
}

type Members = Record<string, unknown>;

function editOf(change: Change, { text, placeOf }: { text: string; placeOf: PlaceOf }): Edit | undefined {
  if (change.op === "add") {
    const place = placeOf(change.into);
    return place && insertion(change, { text, ...place });
  }
  const place = placeOf(change.field);
  const span = change.op === "set" ? place?.value : place?.key;
  return span && { start: span[0], end: span[1], text: change.op === "set" ? change.value : change.to };
}

function insertion(
  { key, value }: Change & { op: "add" },
  { text, key: parent, inside }: { text: string } & NonNullable<ReturnType<PlaceOf>>,
): Edit | undefined {
  if (inside === undefined) return undefined;
  const { position, isFlow, isEmpty } = inside;
  if (isFlow) {
    const member = `${JSON.stringify(key)}: ${JSON.stringify(value)}${isEmpty ? "" : ", "}`;
    return { start: position, end: position, text: member };
  }
  if (parent === undefined) return undefined;
  // right below its parent: a comment above the first member is about that member
  const start = text.indexOf("\n", parent[1]) + 1;
  const eol = text[start - 2] === "\r" ? "\r\n" : "\n";
  const indent = " ".repeat(position - text.lastIndexOf("\n", position - 1) - 1);
  const lines = typeof value === "string" ? [`${key}: ${JSON.stringify(value)}`] : [
    `${key}:`,
    ...Object.entries(value).map(([name, text]) => `  ${name}: ${JSON.stringify(text)}`),
  ];
  return { start, end: start, text: lines.map((line) => `${indent}${line}${eol}`).join("") };
}
