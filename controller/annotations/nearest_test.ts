import { assertEquals } from "@std/assert";
import { editDistance, nearest } from "./nearest.ts";

const WORDS = ["ssl-redirect", "backend-protocol"];

const suggestions: [word: string, meant: string | undefined][] = [
  ["ssl-redirct", "ssl-redirect"],
  ["ssl_redirect", "ssl-redirect"],
  ["backend-protcool", "backend-protocol"],
  ["proxy-body-size", undefined],
  ["ssl-redirect".repeat(20_000), undefined],
];

for (const [word, meant] of suggestions) {
  Deno.test(`nearest() takes ${word.slice(0, 20)} for ${meant}`, () =>
    assertEquals(nearest(word, WORDS), meant));
}

const distances: [one: string, other: string, distance: number][] = [
  ["", "", 0],
  ["same", "same", 0],
  ["", "abc", 3],
  ["abc", "", 3],
  ["kitten", "sitting", 3],
  ["abcd", "abdc", 1],
  ["ca", "abc", 3],
  ["redirect", "redirct", 1],
];

for (const [one, other, distance] of distances) {
  Deno.test(`editDistance() from "${one}" to "${other}" is ${distance}`, () => {
    assertEquals([editDistance(one, other), editDistance(other, one)], [distance, distance]);
  });
}
