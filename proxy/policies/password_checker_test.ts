import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { ProxyError } from "../errors.ts";
import { PasswordChecker, type PasswordThread } from "./password_checker.ts";
import type { Comparison } from "./password_worker.ts";

/** A thread that answers when a test says so. */
class FakeThread implements PasswordThread {
  readonly asked: (Comparison & PromiseWithResolvers<boolean>)[] = [];
  isClosed = false;

  compare(comparison: Comparison): Promise<boolean> {
    const answer = Promise.withResolvers<boolean>();
    this.asked.push({ ...comparison, ...answer });
    return answer.promise;
  }

  close(): void {
    this.isClosed = true;
  }
}

function setup() {
  const threads: FakeThread[] = [];
  const checker = new PasswordChecker(() => {
    const thread = new FakeThread();
    threads.push(thread);
    return thread;
  });
  return { threads, checker };
}

Deno.test("PasswordChecker asks once for each password and hash", async () => {
  const { threads, checker } = setup();
  const [first, same, other] = [
    checker.matches("a", "hash"),
    checker.matches("a", "hash"),
    checker.matches("a", "other hash"),
  ];
  const [thread] = threads;
  assertEquals(thread?.asked.map(({ password, hash }) => [password, hash]), [["a", "hash"], [
    "a",
    "other hash",
  ]]);
  thread?.asked[0]?.resolve(true);
  thread?.asked[1]?.resolve(false);
  assertEquals(await Promise.all([first, same, other]), [true, true, false]);
  assertEquals([await checker.matches("a", "other hash"), thread?.asked.length], [false, 2]);
});

Deno.test("PasswordChecker remembers a thousand answers", async () => {
  const { threads, checker } = setup();
  const ask = async (password: string) => {
    const before = threads[0]?.asked.length ?? 0;
    const answer = checker.matches(password, "hash");
    threads[0]?.asked.at(-1)?.resolve(false);
    await answer;
    return (threads[0]?.asked.length ?? 0) > before;
  };
  for (let number = 0; number <= 1000; number++) assertEquals(await ask(`${number}`), true);
  assertEquals([await ask("1"), await ask("1000"), await ask("0")], [false, false, true]);
});

Deno.test("PasswordChecker refuses more passwords than can wait", async () => {
  const { threads, checker } = setup();
  const waiting = Array.from({ length: 50 }, (_, number) => checker.matches(`${number}`, "hash"));
  assertThrows(() => checker.matches("one more", "hash"), ProxyError, "50 passwords wait");
  // what is being asked already is no more work
  waiting.push(checker.matches("0", "hash"));
  for (const { resolve } of threads[0]?.asked ?? []) resolve(true);
  assertEquals((await Promise.all(waiting)).every((isRight) => isRight), true);
  const another = checker.matches("one more", "hash");
  threads[0]?.asked.at(-1)?.resolve(true);
  assertEquals(await another, true);
});

Deno.test("PasswordChecker replaces a thread that has died", async () => {
  const { threads, checker } = setup();
  const answer = checker.matches("a", "hash");
  threads[0]?.asked[0]?.reject(new Error("it died"));
  await assertRejects(() => answer, ProxyError, "cannot be compared");
  assertEquals(threads[0]?.isClosed, true);
  const again = checker.matches("a", "hash");
  threads[1]?.asked[0]?.resolve(true);
  assertEquals(await again, true);
});

Deno.test("PasswordChecker compares in a thread, and meanwhile others go on", async () => {
  const checker = new PasswordChecker();
  try {
    const [bcrypt, wrong] = [
      checker.matches("bcrypt-pw", "$2b$05$abcdefghijklmnopqrstuufhXdHJtkiUiNQ6n8/s9Kw6bfnPI6Ytq"),
      checker.matches("sha", "{SHA}O/MvdjOwOQpt8I9HBSVZugThPMw="),
    ];
    assertEquals(await Promise.all([bcrypt, wrong]), [true, false]);
  } finally {
    checker.close();
  }
});
