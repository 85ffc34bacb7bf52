import { assertEquals } from "@std/assert";
import { statusOf } from "../annotations/harness.ts";
import { selfSigned } from "../certificates.ts";
import { hasNginx } from "../nginx.ts";
import { CASES } from "./cases.ts";
import { compare, type Differs } from "./comparison.ts";
import { ask, startBackends, startNginxFor, startPingress } from "./servers.ts";

const isHere = await hasNginx();

Deno.test({
  name: `Pingress answers as nginx does${isHere ? "" : ": left out, nginx is not here or may not be run"}`,
  ignore: !isHere,
  fn: async (test) => {
    await using stack = new AsyncDisposableStack();
    const backends = startBackends();
    for (const backend of Object.values(backends)) stack.use(backend);
    const keyPair = await selfSigned(CASES.flatMap(({ host }) => [host, host.replace(/^www\./, "")]));
    const options = { cases: CASES, keyPair, backends };
    const nginx = stack.use(await startNginxFor(options));
    const pingress = stack.use(await startPingress(options));
    assertEquals(
      pingress.problems.map(({ ingress }) => ingress).sort(),
      CASES.filter(({ isTold }) => isTold).map(({ host }) => `default/${host}-0`).sort(),
    );
    for (const { name, host, questions, differs: always } of CASES) {
      await test.step(name, async () => {
        for (const question of questions) {
          const { status, differs, ...asked } = question;
          const exchanges = {
            nginx: await ask(question, { host, server: nginx, backends }),
            pingress: await ask(question, { host, server: pingress, backends }),
          };
          const what = `${name}: ${JSON.stringify(asked)}`;
          assertEquals(statusOf(exchanges.nginx.answer), status, what);
          assertEquals(compare(exchanges), together([always, differs]), what);
        }
      });
    }
  },
});

/** All that is known not to be the same, in the order of texts. */
function together(known: (Differs | undefined)[]): ReturnType<typeof compare> {
  const side = (name: "nginx" | "pingress") => known.flatMap((one) => one?.[1][name] ?? []).sort();
  return { nginx: side("nginx"), pingress: side("pingress") };
}
