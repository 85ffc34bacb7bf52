import { errorMessage } from "@pingress/config";
import {
  boolYaml11Tag,
  COLLECTION_STYLE,
  constructFromEvents,
  CORE_SCHEMA,
  type Event,
  EVENT_ID,
  getScalarValue,
  mergeTag,
  parseEvents,
  SCALAR_STYLE,
  YAMLException,
} from "js-yaml";

/** The line of a field, such as `spec.rules[0].host`, or of what should hold it; the first line is 1. */
export type LineOf = (field: string) => number;

/** A part of a text, from its first character to the one after its last. */
export type Span = readonly [start: number, end: number];

/** How a field is written. What is quoted is so without its quotes. */
export interface FieldPlace {
  /** Its key; an element of a sequence has none. */
  key?: Span;
  /** Its value, where that is a scalar of one line. */
  value?: Span;
  /** Where a member can be put before all others, where it is a mapping; and is it one in braces? */
  inside?: { position: number; isFlow: boolean; isEmpty: boolean };
}

/**
 * Where a field is written. Nothing for one that is not there, or that more than one field has its text from, by
 * an anchor or a merge key: whoever changes that text changes them all.
 */
export type PlaceOf = (field: string) => FieldPlace | undefined;

/** A document of a text, or why it cannot be read. */
export type YamlDocument =
  | { value: unknown; lineOf: LineOf; placeOf: PlaceOf }
  | { line: number; fault: string };

/** kubectl reads YAML 1.1, in which `yes` and `on` are true, with merge keys. */
const SCHEMA = CORE_SCHEMA.withTags(boolYaml11Tag, mergeTag);

/** The most aliases of a document: whoever copies what it holds makes a copy for each of them. */
const MAX_ALIASES = 1000;

/**
 * A marker at the start of a line begins a document whatever is around it: no scalar can have it there
 * (https://yaml.org/spec/1.2.2/#912-document-markers).
 */
const BEFORE_MARKER = /(?<=^|\n)(?=---(?:[ \t\r\n]|$))/;

/** Reads the documents of a text of YAML or JSON, each by itself: a broken one does not hide the others. */
export function* readYaml(text: string): Generator<YamlDocument> {
  let [lines, length] = [0, 0];
  // a directive stands before the marker of its document
  for (const source of /^%/m.test(text) ? [text] : text.split(BEFORE_MARKER)) {
    const [before, offset] = [lines, length];
    length += source.length;
    lines += source.split("\n").length - 1;
    let values: unknown[];
    try {
      const options = { source, schema: SCHEMA, maxAliases: MAX_ALIASES };
      values = constructFromEvents(parseEvents(source, {}), options);
    } catch (error) {
      const isYaml = error instanceof YAMLException;
      // what is missing is missed after the last line
      const position = Math.min(isYaml ? error.mark?.position ?? 0 : 0, source.trimEnd().length);
      const line = before + lineAt(lineStarts(source), position);
      yield { line, fault: isYaml ? error.reason : errorMessage(error) };
      continue;
    }
    // fields are looked for when something is wrong with one of them, which is seldom
    let places: { roots: YamlNode[]; starts: number[] } | undefined;
    const outline = () => places ??= { roots: new Outline(source).roots(), starts: lineStarts(source) };
    for (const [index, value] of values.entries()) {
      yield {
        value,
        lineOf: (field) => {
          const { roots, starts } = outline();
          return before + lineAt(starts, positionOf(roots[index], fieldKeys(field)));
        },
        placeOf: (field) => placeOf(outline().roots[index], { keys: fieldKeys(field), offset }),
      };
    }
  }
}

/**
 * Reads the name of a field: it is `spec`, `rules` and `0` for `spec.rules[0]`. A key that is no plain word is
 * spelled as in `metadata.annotations["example.com/a"]`.
 */
export function fieldKeys(field: string): string[] {
  return [...field.matchAll(/\[("(?:[^"\\]|\\.)*")\]|[^.[\]]+/g)].map(([key, quoted]) =>
    quoted === undefined ? key : JSON.parse(quoted) as string
  );
}

/** The positions at which the lines of a text begin. */
function lineStarts(text: string): number[] {
  const starts = [0];
  for (let end = text.indexOf("\n"); end !== -1; end = text.indexOf("\n", end + 1)) starts.push(end + 1);
  return starts;
}

/** The number of the line that a position is in, from 1 on. */
function lineAt(starts: number[], position: number): number {
  let [low, high] = [0, starts.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((starts[middle] ?? 0) <= position) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** A value in a text; and where the members of a mapping (their keys) or of a sequence are. */
interface YamlNode {
  position: number;
  isSequence: boolean;
  members: Map<string, Member>;
  /** The event that begins it, where it has no other name. */
  own: Event | undefined;
}

interface Member {
  position: number;
  node: YamlNode;
  key?: Span;
  isQuoted?: boolean;
}

/** The position of a field, or of as much of the way to it as there is. */
function positionOf(root: YamlNode | undefined, keys: string[]): number {
  if (root === undefined) return 0;
  let place: Member = { position: root.position, node: root };
  for (const key of keys) {
    const member = findMember(place.node, key);
    if (member === undefined) break;
    place = member;
  }
  return place.position;
}

/** Looks at a mapping's own keys, then at those of the mappings that it merges, each of them once. */
function findMember(node: YamlNode, key: string, seen = new Set<YamlNode>()): Member | undefined {
  if (seen.has(node)) return undefined;
  seen.add(node);
  const own = node.members.get(key);
  if (own !== undefined) return own;
  const merged = node.members.get("<<")?.node;
  if (merged === undefined) return undefined;
  const sources = merged.isSequence ? [...merged.members.values()].map((item) => item.node) : [merged];
  for (const source of sources) {
    const member = findMember(source, key, seen);
    if (member !== undefined) return member;
  }
  return undefined;
}

function placeOf(
  root: YamlNode | undefined,
  { keys, offset }: { keys: string[]; offset: number },
): FieldPlace | undefined {
  let member: Member | undefined = root && { position: root.position, node: root };
  for (const key of keys) member = member?.node.own && member.node.members.get(key);
  if (member === undefined) return undefined;
  const { key, node: { own, members, position } } = member;
  const place: FieldPlace = { ...key !== undefined && { key: [key[0] + offset, key[1] + offset] } };
  if (own?.type === EVENT_ID.SCALAR && own.valueStart !== -1 && own.style < SCALAR_STYLE.LITERAL_BLOCK) {
    place.value = [own.valueStart + offset, own.valueEnd + offset];
  } else if (own?.type === EVENT_ID.MAPPING) {
    const [first] = members.values();
    // the key itself has a position behind its quote
    const start = first === undefined ? position + 1 : first.position - (first.isQuoted ? 1 : 0);
    const isFlow = own.style === COLLECTION_STYLE.FLOW;
    place.inside = { position: start + offset, isFlow, isEmpty: first === undefined };
  }
  return place;
}

/** Finds where everything is in a text that is known to be YAML. */
class Outline {
  readonly #source: string;
  readonly #events: Event[];
  readonly #anchors = new Map<string, YamlNode>();
  #index = 0;

  constructor(source: string) {
    this.#source = source;
    this.#events = parseEvents(source, {});
  }

  /** Reads the content of each document. */
  roots(): YamlNode[] {
    const roots: YamlNode[] = [];
    while (this.#index < this.#events.length) {
      this.#index++; // the document begins
      this.#anchors.clear();
      roots.push(this.#node(0));
      this.#index++; // and ends
    }
    return roots;
  }

  /** Reads the next node with all that is in it; an empty one has no position but that of what holds it. */
  #node(around: number): YamlNode {
    const event = this.#events[this.#index++];
    const isSequence = event?.type === EVENT_ID.SEQUENCE;
    const isNamed = event !== undefined && "anchorStart" in event && event.anchorStart !== -1;
    const node: YamlNode = {
      position: startOf(event) ?? around,
      isSequence,
      members: new Map(),
      own: isNamed ? undefined : event,
    };
    if (event?.type === EVENT_ID.ALIAS) return this.#anchors.get(this.#nameOf(event)) ?? node;
    if (isSequence || event?.type === EVENT_ID.MAPPING) {
      for (let first; (first = this.#events[this.#index])?.type !== EVENT_ID.POP;) {
        const position = startOf(first) ?? node.position;
        let key = String(node.members.size);
        const written: Pick<Member, "key" | "isQuoted"> = {};
        if (!isSequence) {
          // an alias as a key is no part of a field's name
          key = first?.type === EVENT_ID.SCALAR ? getScalarValue(this.#source, first) : "";
          if (first?.type === EVENT_ID.SCALAR) {
            written.key = [first.valueStart, first.valueEnd];
            written.isQuoted = first.style !== SCALAR_STYLE.PLAIN;
          }
          this.#node(position);
        }
        node.members.set(key, { position, node: this.#node(position), ...written });
      }
      this.#index++;
    }
    // only now: an alias within the node itself would lead round and round
    if (isNamed) {
      this.#anchors.set(this.#nameOf(event), node);
    }
    return node;
  }

  #nameOf({ anchorStart, anchorEnd }: { anchorStart: number; anchorEnd: number }): string {
    return this.#source.slice(anchorStart, anchorEnd);
  }
}

function startOf(event: Event | undefined): number | undefined {
  if (event === undefined) return undefined;
  const start = "start" in event ? event.start : "valueStart" in event ? event.valueStart : -1;
  return start === -1 ? undefined : start;
}
