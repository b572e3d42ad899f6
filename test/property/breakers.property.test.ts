import type { Breaker } from '@sluice/contracts';
import { breakerSchema } from '@sluice/contracts';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { createMemoryRandom } from '../../adapters/memory/index.ts';
import { admit, BREAKER_TIMES, newBreaker, onCrash, onProbePassed, onProbeUndone, tend } from '../../core/breakers/decide.ts';
import { NO_EVIDENCE } from '../../core/breakers/evidence.ts';
import { T0 } from '../helpers/samples.ts';

const KEYS = ['type:echo', 'resource:db'];
const TYPES = ['echo', 'mail'];
const LEASE = 150_000;
const TENANTS = ['a', 'b', 'c'];

interface Probe {
  readonly uid: string;
  readonly tenant: string;
  readonly opening: number;
  readonly until: number;
}

const typeOf = (n: number): string => TYPES[n % TYPES.length] ?? 'echo';

const step = fc.record({
  after: fc.oneof(fc.nat(5_000), fc.nat(400_000)),
  do: fc.constantFrom('ask', 'ask', 'ask', 'pass', 'crash', 'undo', 'lose', 'tick'),
  tenant: fc.nat(2),
  want: fc.integer({ min: 1, max: 40 }),
});

/** A breaker that was opened, what its probes came to, and how many there are. */
class Model {
  readonly #random = createMemoryRandom(5);
  now = T0;
  readonly #key: string;
  breaker: Breaker;
  probes: Probe[] = [];

  constructor(key: string) {
    this.#key = key;
    this.breaker = newBreaker(key, T0);
  }

  open(): void {
    for (let n = 0; n < 3; n++) {
      const uid = this.#random.ulid(this.now);
      const crash = { at: this.now, seen: this.now, tenant: 'a', uid, type: typeOf(n), first: true, also: NO_EVIDENCE };
      this.write(onCrash(this.breaker, crash, this.now).next);
    }
  }

  write(next: Breaker | undefined): void {
    if (next) this.breaker = { ...next, seq: this.breaker.seq + 1 };
  }

  ask(tenant: string, want: number): number {
    const uids = Array.from({ length: want }, () => this.#random.ulid(this.now));
    const { next, answer } = admit(this.breaker, { tenant, type: typeOf(want), uids, until: this.now + LEASE }, this.now);
    this.write(next);
    if (answer === 'all') return want;
    const { opening } = answer.canary;
    this.probes.push(...answer.uids.map((uid) => ({ uid, tenant, opening, until: this.now + LEASE })));
    return answer.uids.length;
  }

  end(how: 'pass' | 'crash' | 'undo' | 'lose', probe = this.probes.shift()): void {
    if (!probe || how === 'lose') return;
    const { uid, tenant, opening } = probe;
    const canary = { breaker: this.#key, opening };
    if (how === 'pass') this.write(onProbePassed(this.breaker, uid, canary, this.now).next);
    else if (how === 'undo') this.write(onProbeUndone(this.breaker, [uid], opening).next);
    else
      this.write(
        onCrash(
          this.breaker,
          { at: this.now, seen: this.now, tenant, uid, type: typeOf(opening), first: true, canary, also: NO_EVIDENCE },
          this.now,
        ).next,
      );
  }

  tick(): void {
    this.write(tend(this.breaker, this.now));
  }

  /** Probes of this opening that may be alive. */
  underWay(): number {
    return this.probes.filter(({ opening, until }) => opening === this.breaker.opening && until > this.now).length;
  }
}

it.each(KEYS)('probes of %s under way are never more than their wave, in any history; and once all is well, it closes', async (key) => {
  let opened = 0;
  let halfOpen = 0;
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
      const model = new Model(key);
      model.open();
      expect(model.breaker.state).toBe('open');
      for (const { after, do: what, tenant, want } of steps) {
        model.now += after;
        if (what === 'ask') model.ask(TENANTS[tenant] ?? 'a', want);
        else if (what === 'tick') model.tick();
        else model.end(what);
        const { state, wave = 0, probeAt = 0 } = model.breaker;
        if (state === 'half-open') expect(model.underWay()).toBeLessThanOrEqual(2 ** wave);
        if (state === 'open') expect(probeAt).toBeLessThanOrEqual(model.now + BREAKER_TIMES.pause.most);
        expect(breakerSchema.parse(model.breaker)).toEqual(model.breaker);
        expect(JSON.stringify(model.breaker).length).toBeLessThan(4_096);
        opened += Number(state === 'open');
        halfOpen += Number(state === 'half-open');
      }
      // Well from here on: whoever asks passes, and what was under way is lost.
      model.probes = [];
      for (let minute = 0; minute < 30 && model.breaker.state !== 'closed'; minute++) {
        model.now += 60_000;
        model.tick();
        model.ask('a', 40);
        for (const probe of model.probes.splice(0)) model.end('pass', probe);
      }
      expect(model.breaker.state).toBe('closed');
    }),
    { numRuns: 300 },
  );
  expect(opened).toBeGreaterThan(500);
  expect(halfOpen).toBeGreaterThan(500);
});

it.each(KEYS)('%s, which nobody asks, closes within an hour, whatever it was doing', (key) => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const model = new Model(key);
      model.open();
      for (const { after, do: what, tenant, want } of steps) {
        model.now += after;
        if (what === 'ask') model.ask(TENANTS[tenant] ?? 'a', want);
        else if (what === 'tick') model.tick();
        else model.end(what);
      }
      for (let minute = 0; minute < 60; minute++) {
        model.now += 60_000;
        model.tick();
      }
      expect(model.breaker.state).toBe('closed');
    }),
    { numRuns: 200 },
  );
});
