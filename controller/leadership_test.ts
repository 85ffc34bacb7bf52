import { assertEquals, assertRejects } from "@std/assert";
import { CoreV1Api } from "@cloudydeno/kubernetes-apis/core/v1";
import { clientOf } from "../tests/fake_cluster.ts";
import { type Leadership, NotLeaderError, writingAsLeader } from "./leadership.ts";

class FakeLeadership implements Leadership {
  isLeader = false;

  onChange(): void {}
}

/** A client that records what is sent, and answers with a ConfigMap or a list of none. */
function recording() {
  const sent: string[] = [];
  const performRequest = ({ method }: { method: string }) => {
    sent.push(method);
    return Promise.resolve({ metadata: {}, items: [] });
  };
  return { sent, client: clientOf(performRequest) };
}

Deno.test("writingAsLeader() lets everybody read and the leader alone write", async () => {
  const leadership = new FakeLeadership();
  const { sent, client } = recording();
  const core = new CoreV1Api(writingAsLeader(client, leadership)).namespace("test");
  const writes = [
    () => core.createConfigMap({}),
    () => core.replaceConfigMap("a", {}),
    () => core.patchConfigMap("a", "json-merge", {}),
    () => core.deleteConfigMap("a"),
  ];
  for (const write of writes) await assertRejects(write, NotLeaderError, "another controller may lead");
  await core.getConfigMapList();
  assertEquals(sent.splice(0), ["GET"]);
  leadership.isLeader = true;
  for (const write of writes) await write();
  assertEquals(sent, ["POST", "PUT", "PATCH", "DELETE"]);
});
