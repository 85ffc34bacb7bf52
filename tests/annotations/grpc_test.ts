import { assertEquals } from "@std/assert";
import { parseAddress } from "@pingress/config";
import { withChain } from "../certificates.ts";
import { EchoBackend, EchoClient, message, status, textOf } from "../echo_service.ts";
import { HOST, inBothSpellings, secret, service } from "./harness.ts";

inBothSpellings("backend-protocol: GRPC, for those who may come in", async (start) => {
  const { cert, key, root } = await withChain([HOST]);
  await using echo = await EchoBackend.start();
  await using site = await start({
    annotations: {
      "backend-protocol": "GRPC",
      "ssl-redirect": "true",
      "denylist-source-range": "192.0.2.0/24",
    },
    paths: [{ path: "/", service: "echo" }],
    tls: [{ hosts: [HOST], secretName: "tls" }],
    objects: [
      secret("tls", { "tls.crt": cert, "tls.key": key }, { type: "kubernetes.io/tls" }),
      ...service("echo", { address: parseAddress(echo.endpoint)! }),
    ],
  });
  using client = new EchoClient(site.addresses.https.port, { host: HOST, ca: root });
  const answered = await client.call("unary", message("hello"));
  assertEquals([answered.status.code, answered.messages.map(textOf)], [status.OK, ["hello"]]);
  await site.change({ annotations: { "backend-protocol": "GRPC", "denylist-source-range": "127.0.0.0/8" } });
  const { code } = (await client.call("unary", message("hello"))).status;
  assertEquals(code, status.PERMISSION_DENIED);
  assertEquals(site.problems, []);
});
