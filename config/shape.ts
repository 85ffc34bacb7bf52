/**
 * Reads unknown JSON into typed values. A decoder either returns the value or throws one error that says
 * where in the document it stands, what was found and what was expected.
 *
 * @module
 */

/** Reads one value; `path` is where it stands, such as `rules[2].host`. */
export type Decoder<T> = (value: unknown, path: string) => T;

/** The type that a decoder returns. */
export type Decoded<D> = D extends Decoder<infer T> ? T : never;

/** A document does not have the shape that it should. */
export class ShapeError extends Error {
  /** Where in the document, such as `rules[2].host`; empty for the document itself. */
  readonly path: string;
  /** What was found there, and what was expected. */
  readonly detail: string;

  /** Says what was found at `path` instead of `expected`. */
  constructor(path: string, found: unknown, expected: string) {
    const detail = `found ${describe(found)}, expected ${expected}`;
    super(`${path || "the document"}: ${detail}`);
    this.name = "ShapeError";
    this.path = path;
    this.detail = detail;
  }
}

/** A decoder for strings; with a check, only for those that pass it. */
export function string(
  expected = "a string",
  check: (value: string) => boolean = () => true,
): Decoder<string> {
  return (value, path) => {
    if (typeof value !== "string" || !check(value)) throw new ShapeError(path, value, expected);
    return value;
  };
}

/** A decoder for whole numbers from `min` to `max`. */
export function integer(min: number, max: number): Decoder<number> {
  return (value, path) => {
    if (typeof value === "number" && Number.isInteger(value) && value >= min && value <= max) return value;
    throw new ShapeError(path, value, `a whole number from ${min} to ${max}`);
  };
}

/** A decoder for booleans. */
export function boolean(): Decoder<boolean> {
  return (value, path) => {
    if (typeof value !== "boolean") throw new ShapeError(path, value, "true or false");
    return value;
  };
}

/** A decoder for one of a few strings. */
export function oneOf<const T extends string>(...choices: T[]): Decoder<T> {
  return (value, path) => {
    const choice = choices.find((choice) => choice === value);
    if (choice === undefined) {
      throw new ShapeError(
        path,
        value,
        `one of ${choices.map((choice) => JSON.stringify(choice)).join(", ")}`,
      );
    }
    return choice;
  };
}

/** A decoder for what either of two decoders takes; `expected` names both. */
export function either<A, B>(first: Decoder<A>, second: Decoder<B>, expected: string): Decoder<A | B> {
  return (value, path) => {
    for (const decoder of [first, second]) {
      try {
        return decoder(value, path);
      } catch (error) {
        if (!(error instanceof ShapeError)) throw error;
      }
    }
    throw new ShapeError(path, value, expected);
  };
}

/** A decoder that leaves what it does not take to another one, which is told why. */
export function otherwise<T>(
  decoder: Decoder<T>,
  other: (value: unknown, path: string, fault: ShapeError) => T,
): Decoder<T> {
  return (value, path) => {
    try {
      return decoder(value, path);
    } catch (error) {
      if (!(error instanceof ShapeError)) throw error;
      return other(value, path, error);
    }
  };
}

/** A decoder for lists. */
export function list<T>(item: Decoder<T>): Decoder<T[]> {
  return (value, path) => {
    if (!Array.isArray(value)) throw new ShapeError(path, value, "a list");
    return value.map((element, index) => item(element, `${path}[${index}]`));
  };
}

/** A decoder for objects whose keys are free and whose values are alike. */
export function dictionary<T>(item: Decoder<T>): Decoder<Record<string, T>> {
  return (value, path) => {
    const entries = Object.entries(asObject(value, path));
    return Object.fromEntries(entries.map(([key, member]) => [key, item(member, memberPath(path, key))]));
  };
}

/** Marks a member that may be missing. */
export interface Optional<T> {
  /** Reads the member where it is there. */
  readonly optional: Decoder<T>;
}

/** A member that may be missing; null counts as missing, as everywhere in Kubernetes. */
export function optional<T>(decoder: Decoder<T>): Optional<T> {
  return { optional: decoder };
}

type Fields = Record<string, Decoder<unknown> | Optional<unknown>>;
type RequiredKeys<F extends Fields> = { [K in keyof F]: F[K] extends Optional<unknown> ? never : K }[keyof F];
type ObjectOf<F extends Fields> =
  & { [K in RequiredKeys<F>]: Decoded<F[K]> }
  & { [K in Exclude<keyof F, RequiredKeys<F>>]?: F[K] extends Optional<infer T> ? T : never };

/** A decoder for objects with known members; others are left out, so that newer writers stay readable. */
export function object<F extends Fields>(fields: F): Decoder<ObjectOf<F>> {
  return (value, path) => {
    const members = asObject(value, path);
    const decoded: Record<string, unknown> = {};
    for (const [key, field] of Object.entries(fields)) {
      const member = Object.hasOwn(members, key) ? members[key] : undefined;
      if (typeof field === "function") decoded[key] = field(member, memberPath(path, key));
      else if (member !== undefined && member !== null) {
        decoded[key] = field.optional(member, memberPath(path, key));
      }
    }
    return decoded as ObjectOf<F>;
  };
}

function asObject(value: unknown, path: string): Record<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new ShapeError(path, value, "an object");
  }
  return value as Record<string, unknown>;
}

function memberPath(path: string, key: string): string {
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(key)) return `${path}[${JSON.stringify(key)}]`;
  return path === "" ? key : `${path}.${key}`;
}

function describe(value: unknown): string {
  if (value === undefined) return "nothing";
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object" && value !== null) return "an object";
  const text = JSON.stringify(value);
  return text.length > 80 ? `${text.slice(0, 77)}…` : text;
}
