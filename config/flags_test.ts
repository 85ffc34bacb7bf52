import { assert, assertEquals, assertMatch, assertStringIncludes, assertThrows } from "@std/assert";
import { type FlagValues, helpText, parseFlags, type Program, UsageError } from "./flags.ts";

const PROGRAM: Program = {
  name: "example",
  summary: "Does something.",
  flags: [
    { name: "config", value: "FILE", required: true, help: "The file" },
    { name: "listen-http", value: "ADDRESS", default: "0.0.0.0:80", help: "Where HTTP is served" },
    { name: "timeout", value: "SECONDS", help: "How long" },
    { name: "quiet", help: "Say nothing" },
  ],
};

function run(args: string[], env: Record<string, string> = {}): FlagValues {
  const commandLine = parseFlags(PROGRAM, args, { readEnv: (name) => env[name] });
  assert(commandLine.action === "run");
  return commandLine.values;
}

Deno.test("parseFlags() takes the flag, else the environment, else the default", () => {
  const cases: [args: string[], env: Record<string, string>, expected: string][] = [
    [["--listen-http", "a:1"], { PINGRESS_LISTEN_HTTP: "b:2" }, "a:1"],
    [["--listen-http=a:1"], { PINGRESS_LISTEN_HTTP: "b:2" }, "a:1"],
    [[], { PINGRESS_LISTEN_HTTP: "b:2" }, "b:2"],
    [[], { PINGRESS_LISTEN_HTTP: "" }, "0.0.0.0:80"],
    [[], {}, "0.0.0.0:80"],
  ];
  for (const [args, env, expected] of cases) {
    assertEquals(run(["--config", "f", ...args], env).text("listen-http"), expected);
  }
  assertEquals(run([], { PINGRESS_CONFIG: "from-env" }).text("config"), "from-env");
  assertEquals(run(["--config", "f"]).text("timeout"), undefined);
});

Deno.test("parseFlags() keeps a value's text", () => {
  const cases = ["007", "1e3", "a=b", "true", "a,b=c", " "];
  for (const value of cases) assertEquals(run([`--config=${value}`]).text("config"), value);
});

Deno.test("parseFlags() takes a switch from the flag, else the environment", () => {
  const cases: [args: string[], env: Record<string, string>, expected: boolean][] = [
    [[], {}, false],
    [["--quiet"], {}, true],
    [["--quiet"], { PINGRESS_QUIET: "false" }, true],
    [[], { PINGRESS_QUIET: "true" }, true],
    [[], { PINGRESS_QUIET: "false" }, false],
  ];
  for (const [args, env, expected] of cases) {
    assertEquals(run(["--config", "f", ...args], env).switch("quiet"), expected);
  }
});

Deno.test("parseFlags() prefers --switch=false to the environment", () => {
  assertEquals(run(["--config", "f", "--quiet=false"], { PINGRESS_QUIET: "true" }).switch("quiet"), false);
});

Deno.test("parseFlags() refuses what it does not understand", () => {
  const cases: [string[], string][] = [
    [["--config", "f", "--port", "80"], "Unknown flag --port: see example --help"],
    [["--config", "f", "--port=secret"], "Unknown flag --port: see"],
    [["--config", "f", "-x"], "Unknown flag -x"],
    [["--config", "f", "--no-quiet"], "Unknown flag --no-quiet"],
    [["--config", "f", "more"], 'Unexpected argument "more"'],
    [["--config", "f", "--quiet", "more"], 'Unexpected argument "more"'],
    [["--config"], "Missing value of --config: it takes FILE"],
    [["--config="], "Missing value of --config: it takes FILE"],
    [["--config", "--quiet"], "Missing value of --config: it takes FILE"],
    [[], "Missing --config: The file"],
  ];
  for (const [args, message] of cases) assertThrows(() => run(args), UsageError, message);
});

Deno.test("parseFlags() refuses a positional argument behind --", () => {
  assertThrows(() => run(["--config", "f", "--", "more"]), UsageError, "more");
});

Deno.test("parseFlags() does not guess between two values of one flag", () => {
  const values = run(["--config", "first", "--config", "last"], { PINGRESS_CONFIG: "from-env" });
  assertEquals(values.text("config"), "last");
});

Deno.test("parseFlags() knows --help and --version, with nothing else given", () => {
  const cases: [string[], string][] = [[["--help"], "help"], [["-h"], "help"], [["--version"], "version"]];
  for (const [args, action] of cases) {
    assertEquals(parseFlags(PROGRAM, args, { readEnv: () => undefined }).action, action);
  }
});

Deno.test("helpText() lists every flag with its value, default and need", () => {
  const text = helpText(PROGRAM);
  assertStringIncludes(text, "Usage: example [flags]");
  assertMatch(text, /^ {2}--config FILE +The file \(required\)$/m);
  assertMatch(text, /^ {2}--listen-http ADDRESS +Where HTTP is served \(default 0\.0\.0\.0:80\)$/m);
  assertMatch(text, /^ {2}--quiet +Say nothing$/m);
  assertMatch(text, /^ {2}--help /m);
  assertMatch(text, /^ {2}--version /m);
});

Deno.test("FlagValues reads a value as what it should be", () => {
  const read = (value: string) => run(["--config", value]);
  assertEquals(read("[::]:80").address("config"), { hostname: "::", port: 80 });
  assertEquals(read("0.5").seconds("config"), 500);
  assertEquals(read("a").choice("config", ["a", "b"]), "a");
  assertEquals(read("a").requiredText("config"), "a");
  assertEquals(read("a").choice("timeout", ["a", "b"]), undefined);
});

Deno.test("FlagValues refuses a value that is something else, by the flag's name", () => {
  const read = (value: string) => run(["--config", value]);
  const cases: [() => unknown, string][] = [
    [() => read("80").address("config"), 'Invalid --config "80": it takes an address such as'],
    [() => read("0").seconds("config"), 'Invalid --config "0": it takes seconds'],
    [() => run(["--config=-1"]).seconds("config"), 'Invalid --config "-1"'],
    [() => read("NaN").seconds("config"), 'Invalid --config "NaN"'],
    [() => read("Infinity").seconds("config"), 'Invalid --config "Infinity"'],
    [() => read("5s").seconds("config"), 'Invalid --config "5s"'],
    [() => read("c").choice("config", ["a", "b"]), 'Invalid --config "c": it takes one of a, b'],
    [() => read("yes").switch("config"), 'Invalid --config "yes": it takes one of true, false'],
    [() => read("a").requiredText("timeout"), "Missing --timeout"],
  ];
  for (const [act, message] of cases) assertThrows(act, UsageError, message);
});
