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
    "--proxy-arg=--workers=2",
    "--proxy-arg",
    "--forwarded",
    "--publish-address=192.0.2.1",
    "--publish-address=2001:db8::1",
    "--publish-address=LB.example.com.",
  ];
  assertEquals(read(...args), {
    backend: "HostPort",
    proxy: {
      image: "proxy:1",
      imagePullSecret: "s",
      nodeSelector: { disk: "ssd", zone: "a" },
      proxyArgs: ["--workers=2", "--forwarded"],
    },
    leaderElection: true,
    publishAddresses: [{ ip: "192.0.2.1" }, { ip: "2001:db8::1" }, { hostname: "lb.example.com" }],
    namespace: "pingress-system",
    guestClasses: [],
    dashboard: false,
    logLevel: "info",
  });
});

Deno.test("controllerFlags() gives the proxies no more flags and publishes no addresses unless told", () => {
  const flags = read("--backend=HostPort", "--proxy-server-image=proxy:1");
  assertEquals(flags.backend === "HostPort" && [flags.proxy.proxyArgs, flags.publishAddresses], [[], []]);
});

Deno.test("controllerFlags() elects a leader unless told", () => {
  for (
    const [argument, expected] of [["--leader-election", true], ["--leader-election=false", false]] as const
  ) {
    const flags = read("--backend=HostPort", "--proxy-server-image=proxy:1", argument);
    assertEquals(flags.backend === "HostPort" && flags.leaderElection, expected);
  }
});

Deno.test("controllerFlags() reads LoadBalancer", () => {
  const proxy = { image: "p", proxyArgs: [] };
  const given = [
    "--replicas=5",
    "--service-annotation=example.com/a=b=c",
    "--service-annotation",
    "empty=",
    "--external-traffic-policy=Cluster",
  ];
  for (
    const [args, expected] of [
      [[], { replicas: 2, serviceAnnotations: {}, externalTrafficPolicy: "Local" }],
      [given, {
        replicas: 5,
        serviceAnnotations: { "example.com/a": "b=c", empty: "" },
        externalTrafficPolicy: "Cluster",
      }],
    ] as const
  ) {
    assertEquals(read("--backend=LoadBalancer", "--proxy-server-image=p", ...args), {
      backend: "LoadBalancer",
      proxy: { ...proxy, ...expected },
      leaderElection: true,
      publishAddresses: [],
      namespace: "pingress-system",
      guestClasses: [],
      dashboard: false,
      logLevel: "info",
    });
  }
});

Deno.test("controllerFlags() reads the Secret of the default certificate", () => {
  const readWith = (secret: string) =>
    read("--backend=Standalone", "--output=out", `--default-certificate=${secret}`);
  assertEquals(readWith("default/wildcard-tls").defaultCertificate, "default/wildcard-tls");
  for (const wrong of ["wildcard-tls", "a/b/c", "/b", "a/", "A/b"]) {
    assertThrows(() => readWith(wrong), UsageError, "the namespace and the name of a Secret");
  }
});

Deno.test("controllerFlags() reads the classes that are served, too", () => {
  assertEquals(
    read("--backend=Standalone", "--output=out", "--class=nginx", "--class", "nginx-internal").guestClasses,
    [
      "nginx",
      "nginx-internal",
    ],
  );
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
      guestClasses: [],
      dashboard: true,
      logLevel: "info",
    },
  );
});

Deno.test("controllerFlags() serves the dashboard where there is an admin port, unless told", () => {
  const cases: [args: string[], dashboard: boolean][] = [
    [[], false],
    [["--dashboard=false"], false],
    [["--listen-admin=127.0.0.1:1"], true],
    [["--listen-admin=127.0.0.1:1", "--dashboard"], true],
    [["--listen-admin=127.0.0.1:1", "--dashboard=false"], false],
  ];
  for (const [args, dashboard] of cases) {
    assertEquals(read("--backend=Standalone", "--output=o", ...args).dashboard, dashboard, args.join(" "));
  }
});

const LOAD_BALANCER = ["--backend=LoadBalancer", "--proxy-server-image=p"];
const HOST_PORT = ["--backend=HostPort", "--proxy-server-image=p"];

const refused: [args: string[], message: string][] = [
  [[], "Missing --backend"],
  [["--backend=Nginx"], "it takes one of HostPort, LoadBalancer, Standalone"],
  [["--backend=LoadBalancer"], "Missing --proxy-server-image"],
  ...["0", "-1", "two", "1000"].map((replicas): [string[], string] => [
    [...LOAD_BALANCER, `--replicas=${replicas}`],
    "a number from 1 to 999",
  ]),
  [[...LOAD_BALANCER, "--service-annotation=a"], "it takes one annotation"],
  [[...LOAD_BALANCER, "--service-annotation==b"], "it takes one annotation"],
  [[...LOAD_BALANCER, "--external-traffic-policy=local"], "it takes one of Local, Cluster"],
  [[...HOST_PORT, "--replicas=3"], "--replicas belongs to --backend LoadBalancer"],
  [["--backend=Standalone", "--output=o", "--replicas=3"], "--replicas belongs to --backend LoadBalancer"],
  [["--backend=HostPort"], "Missing --proxy-server-image"],
  [[...HOST_PORT, "--output=o"], "--output belongs to"],
  [[...HOST_PORT, "--manifests=o"], "--manifests belongs to"],
  [[...HOST_PORT, "--node-selector=ssd"], "disk=ssd,zone=a"],
  [[...HOST_PORT, "--node-selector=a=b=c"], "disk=ssd,zone=a"],
  ...["workers=2", "2", "-w", "--", "--=2", "--workers 2", "--Workers=2", "a --workers=2"].map((
    argument,
  ): [string[], string] => [[...HOST_PORT, `--proxy-arg=${argument}`], "it takes one flag of the proxy"]),
  ...["config", "watch", "listen-http", "listen-https", "listen-admin"].flatMap((name) =>
    [`--${name}`, `--${name}=x`].map((argument): [string[], string] => [
      [...HOST_PORT, "--proxy-arg=--workers=2", `--proxy-arg=${argument}`],
      `Invalid --proxy-arg "${argument}": the controller sets --${name} itself`,
    ])
  ),
  ...["192.0.2.1:80", "192.0.2.256", "*.example.com", "http://example.com", "[::1]"].map((
    address,
  ): [string[], string] => [
    [...HOST_PORT, `--publish-address=${address}`],
    "it takes an IP address or a host",
  ]),
  [["--backend=Standalone"], "Missing --output"],
  [["--backend=Standalone", "--output=o", "--proxy-arg=--workers=2"], "--proxy-arg belongs to"],
  [["--backend=Standalone", "--output=o", "--publish-address=192.0.2.1"], "--publish-address belongs to"],
  [["--backend=Standalone", "--output=o", "--node-selector=a=b"], "--node-selector belongs to"],
  [["--backend=Standalone", "--output=o", "--leader-election"], "--leader-election belongs to"],
  [["--backend=Standalone", "--output=o", "--manifests=./o/"], "--output is in the directory of --manifests"],
  [["--backend=Standalone", "--output=o", "--listen-admin=80"], "it takes an address"],
  [["--backend=Standalone", "--output=o", "--log-level=loud"], "it takes one of debug"],
  [["--backend=Standalone", "--output=o", "--dashboard"], "Missing --listen-admin"],
];

for (const [args, message] of refused) {
  Deno.test(`controllerFlags() refuses ${args.join(" ") || "nothing"}`, () => {
    assertThrows(() => read(...args), UsageError, message);
  });
}
