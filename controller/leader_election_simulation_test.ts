/**
 * Many random histories of controllers that compete for a Lease: requests that come late, twice or never, answers
 * that get lost, controllers that stand still, die, stop and begin, clocks of different speed. Whatever happens, two of
 * them never lead at the same time; and when nothing happens any more, one does.
 *
 * @module
 */
import { assert, assertEquals, assertGreater, assertLess } from "@std/assert";
import { SILENT_LOG } from "@pingress/config";
import type { Clock } from "./clock.ts";
import { FakeLeases, over, VirtualTime } from "../tests/fake_leases.ts";
import { LeaderElection } from "./leader_election.ts";

const HISTORIES = 20;
const ROUGH_MILLISECONDS = 600_000;
const CONTROLLERS = 3;

/** Numbers from 0 to 1 that are the same for the same seed (mulberry32). */
function randomNumbers(seed: number): () => number {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let mixed = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A controller in a process and on a network that may do anything. */
interface Controller {
  election: LeaderElection;
  /** It does nothing before that time. */
  pausedUntil: number;
  /** Nothing of what it sends arrives, and no answer, before that time. */
  cutOffUntil: number;
  /** It will do nothing any more. */
  isGone: boolean;
}

class History {
  readonly time = new VirtualTime();
  readonly leases = new FakeLeases();
  readonly random: () => number;
  readonly controllers: Controller[] = [];
  /** The chance that something goes wrong with a request, and that something happens to a controller in a second. */
  trouble = 0;
  /** How often a controller has begun to lead. */
  terms = 0;
  #count = 0;

  constructor(seed: number) {
    this.random = randomNumbers(seed);
  }

  chance(probability: number): boolean {
    return this.random() < probability;
  }

  between(least: number, most: number): number {
    return least + this.random() * (most - least);
  }

  begin(): void {
    const base = this.time.clock({ rate: this.between(0.9, 1.1), start: this.between(0, 1e6) });
    const controller = { pausedUntil: 0, cutOffUntil: 0, isGone: false } as Controller;
    const awake = async () => {
      while (controller.isGone || this.time.now < controller.pausedUntil) {
        if (controller.isGone) await new Promise(() => {});
        await this.time.wait(controller.pausedUntil - this.time.now);
      }
    };
    const clock: Clock = {
      now: () => base.now(),
      wait: async (milliseconds, signal) => {
        await base.wait(milliseconds, signal);
        await awake();
      },
    };
    const way = async () => {
      await this.time.wait(this.between(0, 20));
      if (this.time.now < controller.cutOffUntil) await new Promise(() => {});
      if (!this.chance(this.trouble)) return;
      // a lost packet, a connection that was reset, a queue
      if (this.chance(0.3)) await new Promise(() => {});
      if (this.chance(0.3)) throw new Error("reset");
      await this.time.wait(this.between(0, 20_000));
    };
    const answer = async () => {
      try {
        await way();
      } finally {
        await awake();
      }
    };
    const identity = `controller-${++this.#count}`;
    const leases = over({ request: way, answer }, this.leases);
    controller.election = new LeaderElection({ leases, identity, log: SILENT_LOG, clock });
    controller.election.onChange(() => this.terms += controller.election.isLeader ? 1 : 0);
    controller.election.start();
    this.controllers.push(controller);
  }

  get leaders(): Controller[] {
    return this.controllers.filter(({ election, isGone }) => !isGone && election.isLeader);
  }

  /** The process ends without a word. */
  kill(controller: Controller): void {
    controller.isGone = true;
    this.controllers.splice(this.controllers.indexOf(controller), 1);
    this.begin();
  }

  /** The process ends as it should. */
  stop(controller: Controller): void {
    controller.election.stop().then(() => {
      this.controllers.splice(this.controllers.indexOf(controller), 1);
    });
    this.begin();
  }

  /** Something happens to one of them, now and then. */
  disturb(): void {
    for (const controller of [...this.controllers]) {
      if (!this.chance(this.trouble / 10)) continue;
      if (this.chance(0.4)) controller.cutOffUntil = this.time.now + this.between(0, 60_000);
      else if (this.chance(0.6)) controller.pausedUntil = this.time.now + this.between(0, 30_000);
      else if (this.controllers.length > CONTROLLERS) continue;
      else if (this.chance(0.5)) this.kill(controller);
      else this.stop(controller);
    }
  }
}

/** Lets a history happen. @returns it, how much has happened, and how many led at most at the same time. */
async function happen(seed: number, { isLocking = true } = {}) {
  const history = new History(seed);
  const { time, leases } = history;
  leases.isLocking = isLocking;
  for (let count = 0; count < CONTROLLERS; count++) history.begin();
  let most = 0;
  const look = () => most = Math.max(most, history.leaders.length);
  let steps = 0;
  while (time.now < ROUGH_MILLISECONDS) {
    // better and worse times
    if (time.now % 30_000 === 0) history.trouble = history.random() ** 2;
    history.disturb();
    steps += await time.pass(1000, look);
  }
  history.trouble = 0;
  return { history, steps, look, most: () => most };
}

Deno.test("Of some controllers never more than one leads, and one as soon as it can", async (t) => {
  let [terms, allSteps] = [0, 0];
  for (let seed = 1; seed <= HISTORIES; seed++) {
    await t.step(`history ${seed}`, async () => {
      const { history, steps, look, most } = await happen(seed);
      const { time } = history;
      allSteps += steps;
      terms += history.terms;
      // what is still on its way arrives, who stands still goes on
      await time.pass(60_000, look);
      assertEquals(history.leaders.length, 1);

      const [dead] = history.leaders;
      assert(dead);
      history.kill(dead);
      assertLess(await time.until(() => history.leaders.length === 1, 20_000), 15_000);

      const [stopped] = history.leaders;
      assert(stopped);
      history.stop(stopped);
      assertLess(await time.until(() => history.leaders.some((leader) => leader !== stopped), 20_000), 2_000);
      await time.pass(60_000, look);
      assertEquals(most(), 1);
    });
  }
  // histories in which hardly anything happens would prove nothing
  assertGreater(allSteps, 1000 * HISTORIES);
  assertGreater(terms, 10 * HISTORIES);
});

Deno.test("The histories tell when two lead: without the API server's locks they do", async () => {
  const most: number[] = [];
  for (let seed = 1; seed <= HISTORIES; seed++) most.push((await happen(seed, { isLocking: false })).most());
  assertGreater(Math.max(...most), 1);
});
