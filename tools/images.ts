/**
 * Builds both images with docker, podman or buildah, whichever is there: `deno task images`.
 *
 * @module
 */
import { VERSION } from "@pingress/config";

/** The first that is there builds, in the way that needs the least of the machine. */
const BUILDERS: readonly [command: string, ...args: string[]][] = [
  ["docker", "build"],
  ["podman", "build"],
  // chroot works where there is no user namespace; base images that are there already are not looked for
  ["buildah", "bud", "--isolation", "chroot", "--pull-never"],
];
const PROGRAMS = ["controller", "proxy"];

if (import.meta.main) Deno.exit(await main());

async function main(): Promise<number> {
  const builder = await findBuilder();
  if (builder === undefined) {
    print(
      `There is nothing to build images with: install one of ${BUILDERS.map(([name]) => name).join(", ")}`,
    );
    return 1;
  }
  const buildArgs = {
    // the flag that `deno task imports` prints, if it prints one
    IMPORT_MAP: /--import-map=(\S+)/.exec(Deno.args.join(" "))?.[1],
    DENO_TLS_CA_STORE: Deno.env.get("DENO_TLS_CA_STORE"),
  };
  for (const program of PROGRAMS) {
    const image = `docker.io/pingress/${program}:${VERSION}`;
    const [command, ...args] = builder;
    for (const [name, value] of Object.entries(buildArgs)) {
      if (value) args.push("--build-arg", `${name}=${value}`);
    }
    args.push("-f", `Dockerfile.${program}`, "-t", image, ".");
    const { success, code } = await new Deno.Command(command, { args }).spawn().status;
    if (!success) return code;
    print(`Built ${image}`);
  }
  return 0;
}

async function findBuilder() {
  for (const builder of BUILDERS) {
    try {
      const { success } = await new Deno.Command(builder[0], {
        args: ["version"],
        stdout: "null",
        stderr: "null",
      }).output();
      if (success) return builder;
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
  return undefined;
}

function print(line: string): void {
  // deno-lint-ignore no-console -- what it does is told to the user
  console.log(line);
}
