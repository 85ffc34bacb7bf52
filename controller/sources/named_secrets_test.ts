import { assertEquals } from "@std/assert";
import { SILENT_LOG } from "@pingress/config";
import { within } from "../../tests/testing.ts";
import type { InformerApi } from "../informer.ts";
import { KINDS } from "../objects.ts";
import { NamedSecrets } from "./named_secrets.ts";

interface SecretObject {
  metadata: { name: string; namespace: string; resourceVersion: string };
  stringData: Record<string, string>;
}

/** An API server with Secrets, each of which can be asked for by its name alone. */
class Setup implements AsyncDisposable {
  readonly objects = new Map<string, SecretObject>();
  readonly asked: string[] = [];
  readonly watches = new Map<string, ReadableStreamDefaultController<unknown>>();
  readonly named: NamedSecrets;
  forbidden = new Set<string>();
  #ticked = Promise.withResolvers<void>();

  constructor() {
    this.named = new NamedSecrets({
      apiOf: (key) => this.#api(key),
      read: (object) => KINDS.Secret.read(object, ""),
      tick: () => this.#ticked.resolve(),
      log: SILENT_LOG,
    });
  }

  put(key: string, value: string): void {
    const [namespace = "", name = ""] = key.split("/");
    const object = { metadata: { name, namespace, resourceVersion: "2" }, stringData: { value } };
    this.objects.set(key, object);
    this.watches.get(key)?.enqueue({ type: "MODIFIED", object });
  }

  async ticked(): Promise<void> {
    await within(this.#ticked.promise, "a tick");
    this.#ticked = Promise.withResolvers();
  }

  get values(): (string | undefined)[] {
    return this.named.secrets.map(({ stringData }) => stringData?.["value"]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.named.close();
  }

  #api(key: string): InformerApi<object> {
    return {
      list: () => {
        this.asked.push(key);
        if (this.forbidden.has(key)) {
          return Promise.reject(Object.assign(new Error("forbidden"), { httpCode: 403 }));
        }
        const object = this.objects.get(key);
        return Promise.resolve({
          metadata: { resourceVersion: "1" },
          items: object === undefined ? [] : [object],
        });
      },
      watch: () => {
        const stream = new ReadableStream({ start: (controller) => void this.watches.set(key, controller) });
        return Promise.resolve(stream as never);
      },
    };
  }
}

Deno.test("NamedSecrets follows what it is told, and nothing else", async () => {
  await using setup = new Setup();
  setup.put("a/one", "1");
  setup.put("a/other", "2");
  assertEquals(setup.named.follow(new Set(["a/one"])), false);
  await setup.ticked();
  assertEquals([setup.named.follow(new Set(["a/one"])), setup.values, setup.asked], [true, ["1"], ["a/one"]]);
  setup.put("a/one", "3");
  await setup.ticked();
  assertEquals(setup.values, ["3"]);
  assertEquals(setup.named.follow(new Set()), true);
  assertEquals(setup.values, []);
});

Deno.test("NamedSecrets has read a Secret that is not there, and one that it may not read", async () => {
  await using setup = new Setup();
  setup.forbidden.add("a/secret");
  const keys = new Set(["a/missing", "a/secret"]);
  assertEquals(setup.named.follow(keys), false);
  while (!setup.named.follow(keys)) await setup.ticked();
  assertEquals(setup.values, []);
});

Deno.test("NamedSecrets.readOnce() reads without following", async () => {
  await using setup = new Setup();
  setup.put("a/one", "1");
  setup.forbidden.add("a/secret");
  await setup.named.readOnce(new Set(["a/one", "a/missing", "a/secret"]), new AbortController().signal);
  assertEquals([setup.values, setup.watches.size], [["1"], 0]);
});
