import { isAddressRange, parseTemplate } from "@pingress/config";
import { AnnotationError, type Parse } from "./feature.ts";

/** `true` or `false`, as Go reads them: so do ingress-nginx and Kubernetes. */
export const bool: Parse<boolean> = (text) => {
  if (["1", "t", "T", "TRUE", "true", "True"].includes(text)) return true;
  if (["0", "f", "F", "FALSE", "false", "False"].includes(text)) return false;
  throw new AnnotationError("neither true nor false");
};

/** A whole number from `least` to `most`. */
export function wholeNumber(least = 0, most: number = Number.MAX_SAFE_INTEGER): Parse<number> {
  return (text) => {
    const number = /^[+-]?[0-9]{1,15}$/.test(text) ? Number(text) : NaN;
    if (number >= least && number <= most) return number;
    throw new AnnotationError(`no whole number from ${least} to ${most}, without a unit`);
  };
}

/** A whole number of seconds, without a unit. */
export const seconds: Parse<number> = wholeNumber(0, 1_000_000_000);

const UNITS: Record<string, number> = { "": 1, b: 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3 };

/** A number of bytes such as `8m`. */
export const size: Parse<number> = (text) => {
  const [, digits, unit = ""] = /^([0-9]{1,15})([bkmg]?)$/i.exec(text.replaceAll(" ", "")) ?? [];
  const bytes = digits === undefined ? NaN : Number(digits) * (UNITS[unit.toLowerCase()] ?? NaN);
  if (Number.isSafeInteger(bytes)) return bytes;
  throw new AnnotationError("no size such as 8m or 512k");
};

/** What values of variables begin with, where that says what may stand before them. */
const SUCH_AS: Record<string, string> = { scheme: "https", request_uri: "/", uri: "/" };

/** A URL that a client can be sent to. Variables such as `$request_uri` may stand in it. */
export const redirectUrl: Parse<string> = (text) => {
  const whole = line(text);
  let url;
  try {
    // whatever their values are
    url = parseTemplate(whole).map((part) => typeof part === "string" ? part : SUCH_AS[part.variable] ?? "x")
      .join("");
  } catch (error) {
    throw new AnnotationError(`no URL that can be used: it ${(error as Error).message}`);
  }
  if (/^https?:\/\/[^\s"'<>\\^`{|}]+$/i.test(url) && URL.canParse(url)) return text;
  throw new AnnotationError("no URL that begins with http:// or https://");
};

/** Any text of one line without control characters. */
export const line: Parse<string> = (text) => {
  if (text !== "" && !/[^\x20-\x7e\x80-\xff]/.test(text)) return text;
  throw new AnnotationError("not one line of visible characters");
};

/** A text that has only what is allowed; `otherwise` ends the sentence `"a b" is …`. */
export function plainText(allowed: RegExp, otherwise: string): Parse<string> {
  return (text) => {
    if (allowed.test(text)) return text;
    throw new AnnotationError(otherwise);
  };
}

/** One of a few words. */
export function word<const T extends string>(...choices: T[]): Parse<T> {
  return (text) => {
    const choice = choices.find((choice) => choice === text);
    if (choice !== undefined) return choice;
    throw new AnnotationError(`none of ${choices.join(", ")}`);
  };
}

/** Elements that are separated by commas, without the spaces around them. */
export function listOf<T>(item: Parse<T>): Parse<T[]> {
  return (text) => text.split(",").map((element) => item(element.trim()));
}

/** Addresses and CIDR blocks, separated by commas. */
export const addressRanges: Parse<string[]> = listOf((text) => {
  if (isAddressRange(text)) return text;
  throw new AnnotationError("no list of IP addresses and CIDR blocks such as 10.0.0.0/8, fd00::1");
});
