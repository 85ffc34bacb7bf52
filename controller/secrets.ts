import type { Secret } from "./objects.ts";

/** What a Secret holds, as text. What is no base64 is left out. */
export function textsOf({ data = {}, stringData = {} }: Secret): Record<string, string> {
  const texts = Object.entries(data).flatMap(([name, text]) => {
    const decoded = decodeBase64(text);
    return decoded === undefined ? [] : [[name, decoded] as const];
  });
  // the API server merges it in the same way
  return { ...Object.fromEntries(texts), ...stringData };
}

function decodeBase64(text: string): string | undefined {
  try {
    return new TextDecoder().decode(Uint8Array.fromBase64(text.replaceAll(/\s/g, "")));
  } catch {
    return undefined;
  }
}

/** Makes a function look at each Secret once: objects are replaced when they change, never edited. */
export function oncePerSecret<T>(look: (secret: Secret) => T): (secret: Secret) => T {
  const known = new WeakMap<Secret, { found: T }>();
  return (secret) => {
    let entry = known.get(secret);
    if (entry === undefined) known.set(secret, entry = { found: look(secret) });
    return entry.found;
  };
}
