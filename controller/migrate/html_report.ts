import { VERSION } from "@pingress/config";
import { describe, fieldName } from "./changes.ts";
import type { Finding, Verdict } from "./findings.ts";
import type { MigratedIngress, MigrationReport } from "./migration.ts";
import { annotationUses, formatSummary } from "./text_report.ts";

/** Text that is HTML already. */
class Markup {
  constructor(readonly text: string) {}
}

/** A piece of HTML, in which every value that is no markup itself is only text. */
function markup(parts: TemplateStringsArray, ...values: (string | number | Markup | Markup[])[]): Markup {
  const safe = values.map((value) => {
    if (value instanceof Markup) return value.text;
    if (Array.isArray(value)) return value.map(({ text }) => text).join("");
    return `${value}`.replaceAll(/[&<>"'`]/g, (character) => `&#${character.charCodeAt(0)};`);
  });
  return new Markup(parts.map((part, index) => part + (safe[index] ?? "")).join(""));
}

const NOTHING = new Markup("");

const TITLES: [verdict: Verdict, title: string][] = [
  ["cannot", "Cannot move"],
  ["look", "To look at"],
  ["moves", "Move as they are"],
];

/** The report as one page that needs nothing else: no script, and nothing that is loaded from elsewhere. */
export function formatHtml(report: MigrationReport): string {
  const { ingresses, faults, summary, written = [] } = report;
  const counts = TITLES.map(([verdict, title]) => {
    const count = markup`<b>${summary[verdict]}</b> ${title}`;
    // of none there is no section that a link could lead to
    const item = summary[verdict] === 0 ? count : markup`<a href="#${verdict}">${count}</a>`;
    return markup`<li class="${verdict}">${item}</li>\n`;
  });
  const sections = [
    section("faults", "Faults in the files", faults.map(faultItem)),
    ...TITLES.map(([verdict, title]) =>
      section(verdict, title, ingresses.filter((ingress) => ingress.verdict === verdict).map(ingressItem))
    ),
    section("annotations", "Annotations", annotationUses(report).map(useItem)),
    section("written", "Written", written.map((path) => markup`<li><code>${path}</code></li>\n`)),
  ];
  return markup`<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>From ingress-nginx to Pingress</title>
<style>${STYLE}</style>
<h1>From ingress-nginx to Pingress</h1>
<p>${formatSummary(report)}</p>
<ul class="counts">
${counts}</ul>
${sections}<footer>pingress-controller ${VERSION} migrate</footer>
</html>
`.text;
}

function section(id: string, title: string, items: Markup[]): Markup {
  if (items.length === 0) return NOTHING;
  return markup`<section id="${id}">\n<h2>${title}</h2>\n<ul>\n${items}</ul>\n</section>\n`;
}

function ingressItem({ ingress, file, line, hosts, verdict, findings, changes }: MigratedIngress): Markup {
  const open = verdict === "moves" ? NOTHING : new Markup(" open");
  const where = file === undefined ? NOTHING : markup` <small>${file}:${line ?? 1}</small>`;
  const items = [
    ...findings.map(findingItem),
    ...changes.map((change) => markup`<li><span>change</span> ${describe(change)}</li>\n`),
  ];
  return markup`<li class="${verdict}"><details${open}>
<summary><b>${ingress}</b> ${hosts.join(", ")}${where}</summary>
<ul>
${items}</ul>
</details></li>
`;
}

function findingItem({ verdict, kind, field, line, message }: Finding): Markup {
  const place = field === undefined ? NOTHING : markup`<code>${fieldName(field)}</code> `;
  const number = line === undefined ? NOTHING : markup` <small>line ${line}</small>`;
  return markup`<li class="${verdict}"><span>${kind}</span> ${place}${message}${number}</li>\n`;
}

function faultItem(
  { file, line, object = "", field = "", message }: MigrationReport["faults"][number],
): Markup {
  const place = line === undefined ? file : `${file}:${line}`;
  return markup`<li class="cannot"><code>${place}</code> ${object} ${field} ${message}</li>\n`;
}

function useItem({ annotation, kinds }: ReturnType<typeof annotationUses>[number]): Markup {
  const tags = [...kinds].map(([kind, number]) => markup` <span>${number} ${kind}</span>`);
  return markup`<li><code>${annotation}</code>${tags}</li>\n`;
}

const STYLE = new Markup(`
:root { color-scheme: light dark; --line: light-dark(#d0d7de, #3d444d); }
body { font: 1rem/1.5 system-ui, sans-serif; max-width: 60rem; margin: auto; padding: 1rem;
  background: light-dark(#fff, #0d1117); color: light-dark(#1f2328, #e6edf3); overflow-wrap: anywhere; }
h1 { font-size: 1.5rem; }
h2 { font-size: 1.2rem; }
ul { list-style: none; padding: 0; }
li { border-left: .25rem solid var(--tone, var(--line)); padding: .1rem .6rem; margin: .5rem 0; }
li.moves { --tone: light-dark(#1a7f37, #3fb950); }
li.look { --tone: light-dark(#9a6700, #d29922); }
li.cannot { --tone: light-dark(#cf222e, #f85149); }
li li:not([class]) { --tone: var(--line); }
.counts { display: flex; flex-wrap: wrap; gap: .5rem; }
.counts li { flex: 1 1 8rem; margin: 0; }
.counts b { display: block; font-size: 1.8rem; }
a { color: inherit; }
summary { cursor: pointer; padding: .3rem 0; }
span { border: 1px solid var(--line); border-radius: .3rem; padding: 0 .3rem; font-size: .85em; }
code { font: .9em ui-monospace, monospace; }
small, footer { opacity: .7; }
`);
