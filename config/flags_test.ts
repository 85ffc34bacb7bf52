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
    { name: "pass", value: "ARGUMENT", repeats: true, help: "An argument that is passed on" },
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

Deno.test("parseFlags() takes all values of a flag that repeats, whatever they begin with", () => {
  const cases: [args: string[], env: Record<string, string>, expected: string[]][] = [
    [[], {}, []],
    [["--pass", "a"], {}, ["a"]],
    [["--pass=--x=1", "--pass", "--quiet", "--pass=a,b c"], {}, ["--x=1", "--quiet", "a,b c"]],
    [["--pass", "--pass", "--pass=--pass=1"], {}, ["--pass", "--pass=1"]],
    [["--pass=a"], { PINGRESS_PASS: "b" }, ["a"]],
    [[], { PINGRESS_PASS: "--x=1\n\n --y \n" }, ["--x=1", "--y"]],
  ];
  for (const [args, env, expected] of cases) {
    const values = run([...args, "--config", "f"], env);
    assertEquals(values.lines("pass"), expected, args.join(" "));
    assertEquals([values.text("config"), values.switch("quiet")], ["f", false]);
  }
  for (const args of [["--pass"], ["--pass="], ["--pass=a", "--pass="], ["--pass", ""]]) {
    assertThrows(
      () => run(["--config=f", ...args]),
      UsageError,
      "Missing value of --pass: it takes ARGUMENT",
    );
  }
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

const COMMAND: Program = {
  name: "example look",
  summary: "Looks at files.",
  flags: [{ name: "deep", help: "Look deeper" }, {
    name: "format",
    value: "NAME",
    default: "text",
    help: "How",
  }],
  operands: "FILE…",
  ignoresEnvironment: true,
};

Deno.test("parseFlags() takes operands, as text, where a program has any", () => {
  const cases: [args: string[], operands: string[]][] = [
    [[], []],
    [["a", "-", "b"], ["a", "-", "b"]],
    [["--deep", "a"], ["a"]],
    [["a", "--format", "x", "b"], ["a", "b"]],
    [["007", "1e3", "--", "--deep", "-"], ["007", "1e3", "--deep", "-"]],
  ];
  for (const [args, operands] of cases) {
    const commandLine = parseFlags(COMMAND, args, { readEnv: () => undefined });
    assert(commandLine.action === "run");
    assertEquals(commandLine.operands, operands, args.join(" "));
  }
  for (const args of [["a"], ["-"], ["--quiet", "--", "a"]]) {
    assertThrows(() => run(["--config=f", ...args]), UsageError, "Unexpected argument");
  }
  assertThrows(
    () => parseFlags(COMMAND, ["a", "--x"], { readEnv: () => "" }),
    UsageError,
    "Unknown flag --x",
  );
});

Deno.test("parseFlags() asks no environment for a program that ignores it", () => {
  const readEnv = () => {
    throw new Error("not reached");
  };
  const commandLine = parseFlags(COMMAND, ["a"], { readEnv });
  assert(commandLine.action === "run");
  assertEquals(commandLine.values.text("format"), "text");
});

Deno.test("helpText() says how a program and those within it are called", () => {
  const text = helpText({ ...PROGRAM, commands: [COMMAND] });
  assertStringIncludes(text, "Usage: example [flags]\n       example look [flags] FILE…\n");
  assertStringIncludes(text, "PINGRESS_SOME_FLAG");
  const commandText = helpText(COMMAND);
  assertStringIncludes(commandText, "Usage: example look [flags] FILE…\n");
  assertEquals(commandText.includes("PINGRESS_"), false);
});

Deno.test("FlagValues reads a value as what it should be", () => {
  const read = (value: string) => run(["--config", value]);
  assertEquals(read("[::]:80").address("config"), { hostname: "::", port: 80 });
  assertEquals(read("0.5").seconds("config"), 500);
  assertEquals(read("a").choice("config", ["a", "b"]), "a");
  assertEquals(read("a").requiredText("config"), "a");
  assertEquals(read("a").choice("timeout", ["a", "b"]), undefined);
});

Deno.test("FlagValues reads a number as what it should be", () => {
  const read = (value: string) => run([`--config=${value}`]);
  const cases: [read: () => number, number][] = [
    [() => read("60").secondsOrNone("config"), 60_000],
    [() => read("0.5").secondsOrNone("config"), 500],
    [() => read("0").secondsOrNone("config"), 0],
    [() => read("0").count("config", 0), 0],
    [() => read("1").count("config", 1), 1],
    [() => read("65536").count("config", 1), 65_536],
    [() => read("0").fraction("config"), 0],
    [() => read("0.01").fraction("config"), 0.01],
    [() => read("1").fraction("config"), 1],
  ];
  for (const [act, expected] of cases) assertEquals(act(), expected);
});

Deno.test("FlagValues reads a list, whose elements may have spaces around them", () => {
  const cases: [string, string[]][] = [
    ["a", ["a"]],
    ["a,b", ["a", "b"]],
    ["10.0.0.0/8, fd00::/8 ,c", ["10.0.0.0/8", "fd00::/8", "c"]],
    ["a,,b,", ["a", "b"]],
    [",", []],
    [" ", []],
  ];
  for (const [value, expected] of cases) assertEquals(run([`--config=${value}`]).list("config"), expected);
  assertEquals(run(["--config", "f"]).list("timeout"), []);
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
    [() => read(" ").seconds("config"), 'Invalid --config " ": it takes seconds'],
    [() => read("1000000").seconds("config"), 'Invalid --config "1000000": it takes seconds'],
    [() => run(["--config=-1"]).secondsOrNone("config"), 'Invalid --config "-1": it takes seconds such as'],
    [() => read("NaN").secondsOrNone("config"), 'Invalid --config "NaN": it takes seconds'],
    [() => read(" ").secondsOrNone("config"), 'Invalid --config " ": it takes seconds'],
    [() => read("a").secondsOrNone("timeout"), "Missing --timeout"],
    [() => read("0").count("config", 1), 'Invalid --config "0": it takes a whole number from 1 on'],
    [() => read("1023").count("config", 1024), "it takes a whole number from 1024 on"],
    [() => read("1.5").count("config", 0), 'Invalid --config "1.5": it takes a whole number'],
    [() => run(["--config=-1"]).count("config", 0), 'Invalid --config "-1": it takes a whole number'],
    [() => read("auto").count("config", 0), 'Invalid --config "auto": it takes a whole number'],
    [() => read("1e400").count("config", 0), 'Invalid --config "1e400": it takes a whole number'],
    [() => read("9007199254740993").count("config", 0), "it takes a whole number"],
    [() => read(" ").count("config", 0), 'Invalid --config " ": it takes a whole number'],
    [() => read("1.01").fraction("config"), 'Invalid --config "1.01": it takes a number from 0 to 1'],
    [() => run(["--config=-0.1"]).fraction("config"), 'Invalid --config "-0.1": it takes a number from'],
    [() => read("1%").fraction("config"), 'Invalid --config "1%": it takes a number from 0 to 1'],
    [() => read(" ").fraction("config"), 'Invalid --config " ": it takes a number from 0 to 1'],
  ];
  for (const [act, message] of cases) assertThrows(act, UsageError, message);
});
