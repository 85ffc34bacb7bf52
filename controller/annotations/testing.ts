/**
 * What the tests of annotations share.
 *
 * @module
 */
import type { RuleOptions, ServiceBackend } from "@pingress/config";
import type { Ingress } from "../objects.ts";
import { type Problem, ProblemList } from "../translate/problem.ts";
import type { RuleContext } from "./feature.ts";
import { optionsOf, readAnnotations } from "./read_annotations.ts";

/** A Service that there is. */
export const SERVICE: ServiceBackend = { type: "Service", name: "known", namespace: "default", port: 80 };

/** What annotations, by their names without prefix, come to: the options of a rule, and all that is told. */
export function optionsFor(
  annotations: Record<string, string>,
  context: Partial<RuleContext> = {},
): { options: RuleOptions; told: string[] } {
  const named = Object.entries(annotations).map(([name, value]) => [`pingress.dev/${name}`, value]);
  const ingress: Ingress = {
    metadata: { name: "web", namespace: "default", annotations: Object.fromEntries(named) },
  };
  const problems: Problem[] = [];
  const told: string[] = [];
  const values = readAnnotations(ingress, { problems: new ProblemList(ingress, problems) });
  const options = optionsOf(values, {
    ingress,
    host: "a.test",
    path: "/",
    hasCertificate: false,
    defaults: { redirectsToHttps: false },
    findService: (name) => name === SERVICE.name ? SERVICE : undefined,
    secret: () => undefined,
    keep: (file) => file,
    tell: (annotation, _, message) => told.push(`${annotation}: ${message}`),
    ...context,
  });
  return { options, told: [...problems.map(({ message }) => message), ...told] };
}
