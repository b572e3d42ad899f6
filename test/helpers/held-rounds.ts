import type { DivideDeps } from '../../core/control/divide-capacities.ts';

/** No call is under way for longer: its client gives it up. */
const CALL_MS = 16_000;

interface Call {
  readonly at: number;
  readonly apply: () => Promise<unknown>;
  readonly resolve: (answer: unknown) => void;
  readonly reject: (error: Error) => void;
}

/**
 * Rounds of control whose calls wait until a test has them applied, lost or left, in any order.
 * @param names the ports whose calls wait
 */
export function createHeldRounds(services: DivideDeps, names: readonly ('permits' | 'divisions' | 'backlog' | 'quotas')[]) {
  const { clock, random } = services;
  const pending: Call[] = [];
  const alive = new Set<number>();
  let rounds = 0;
  const port = (round: number, name: (typeof names)[number]): object =>
    Object.fromEntries(
      Object.entries(services[name]).map(([method, run]) => [
        method,
        (...args: unknown[]) =>
          new Promise((resolve, reject) => {
            if (!alive.has(round)) return;
            const apply = async () => (run as (...given: unknown[]) => unknown)(...args);
            pending.push({ at: clock.now(), apply, resolve, reject });
          }),
      ]),
    );
  const settle = async (): Promise<void> => {
    for (let n = 0; n < 12; n++) await Promise.resolve();
  };
  return {
    pending: pending as readonly Call[],
    alive: () => alive.size,
    begin: (divide: (deps: DivideDeps) => Promise<unknown>): void => {
      const round = ++rounds;
      alive.add(round);
      const ports = Object.fromEntries(names.map((name) => [name, port(round, name)]));
      const deps = { ...services, random: { ...random, nonce: () => `round-${round}` }, ...ports } as DivideDeps;
      void divide(deps)
        .catch(() => undefined)
        .finally(() => alive.delete(round));
    },
    /** One of them dies, and none of its calls is made any more. */
    kill: (which: number): void => void alive.delete([...alive][which % Math.max(1, alive.size)] ?? 0),
    /** A call that cannot be under way for much longer. */
    late: (): Call | undefined => pending.find(({ at }) => clock.now() - at > CALL_MS - 8_000),
    /** Applied and answered; applied, and its answer lost; or neither. */
    finish: async (call: Call, how: number): Promise<void> => {
      pending.splice(pending.indexOf(call), 1);
      if (how < 8) {
        const answer = await call.apply();
        if (how < 7) call.resolve(answer);
        else call.reject(new Error('no answer'));
      } else call.reject(new Error('not sent'));
      await settle();
    },
  };
}
