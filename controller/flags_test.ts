import { assertEquals, assertThrows } from "@std/assert";
import { parseFlags, UsageError } from "@pingress/config";
import { controllerFlags, PROGRAM } from "./flags.ts";

function read(...args: string[]) {
  const commandLine = parseFlags(PROGRAM, args, { readEnv: () => undefined });
  if (commandLine.action !== "run") throw new Error("not reached");
  return controllerFlags(commandLine.values);
}

Deno.test("controllerFlags() reads HostPort", () => {
  const args = [
    "--backend=HostPort",
    "--proxy-server-image=proxy:1",
    "--node-selector=disk=ssd, zone=a",
    "--image-pull-secret=s",
  ];
  assertEquals(read(...args), {
    backend: "HostPort",
    image: "proxy:1",
    imagePullSecret: "s",
    nodeSelector: { disk: "ssd", zone: "a" },
    namespace: "pingress-system",
    logLevel: "info",
  });
});

Deno.test("controllerFlags() reads Standalone", () => {
  assertEquals(
    read("--backend", "Standalone", "--output", "out", "--manifests", "in", "--listen-admin", "127.0.0.1:1"),
    {
      backend: "Standalone",
      outputDirectory: "out",
      manifestsDirectory: "in",
      listenAdmin: { hostname: "127.0.0.1", port: 1 },
      namespace: "pingress-system",
      logLevel: "info",
    },
  );
});

const refused: [args: string[], message: string][] = [
  [[], "Missing --backend"],
  [["--backend=Nginx"], "it takes one of HostPort, LoadBalancer, Standalone"],
  [["--backend=LoadBalancer", "--proxy-server-image=p"], "LoadBalancer is not there yet"],
  [["--backend=HostPort"], "Missing --proxy-server-image"],
  [["--backend=HostPort", "--proxy-server-image=p", "--output=o"], "--output belongs to"],
  [["--backend=HostPort", "--proxy-server-image=p", "--manifests=o"], "--manifests belongs to"],
  [["--backend=HostPort", "--proxy-server-image=p", "--node-selector=ssd"], "disk=ssd,zone=a"],
  [["--backend=HostPort", "--proxy-server-image=p", "--node-selector=a=b=c"], "disk=ssd,zone=a"],
  [["--backend=Standalone"], "Missing --output"],
  [["--backend=Standalone", "--output=o", "--node-selector=a=b"], "--node-selector belongs to"],
  [["--backend=Standalone", "--output=o", "--manifests=./o/"], "--output is in the directory of --manifests"],
  [["--backend=Standalone", "--output=o", "--listen-admin=80"], "it takes an address"],
  [["--backend=Standalone", "--output=o", "--log-level=loud"], "it takes one of debug"],
];

for (const [args, message] of refused) {
  Deno.test(`controllerFlags() refuses ${args.join(" ") || "nothing"}`, () => {
    assertThrows(() => read(...args), UsageError, message);
  });
}
