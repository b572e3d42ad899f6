import type { CountName } from '@sluice/contracts';
import * as z from 'zod';
import { outcomeOfRecord } from '../outcomes/record.ts';
import { applyEffects, type Effects } from './effects.ts';
import { tellRuns } from '../starts/run-tally.ts';
import { settleOutcome, type SettleDeps } from './settle-outcome.ts';

/** A message of the outcomes queue. */
export interface ReceivedRecord {
  readonly messageId: string;
  readonly body: string;
}

/**
 * Settles a batch of outcome records.
 * @returns the messages that must come again: their rows or effects are not known to be written.
 */
export async function settleRecords(deps: SettleDeps, records: readonly ReceivedRecord[]): Promise<readonly string[]> {
  const failed = new Set<string>();
  const settled = new Map<Effects, string>();
  const fail = (messageId: string, what: string, metric: CountName, error: unknown) => {
    failed.add(messageId);
    deps.telemetry.count(metric, undefined);
    deps.telemetry.log('error', what, { messageId, error });
  };
  await Promise.all(
    records.map(async ({ messageId, body }) => {
      try {
        settled.set(await settleOutcome(deps, outcomeOfRecord(JSON.parse(body), deps.clock.now()), 'record'), messageId);
      } catch (error) {
        // What can't be read is left to the dead-letter queue and its alarm; its task goes on when its lease ends.
        const unreadable = error instanceof SyntaxError || error instanceof z.ZodError;
        if (unreadable) fail(messageId, 'unreadable outcome record', 'outcome.unreadable', error);
        else fail(messageId, 'settle failed', 'settle.failed', error);
      }
    }),
  );
  // A record that comes again repeats its effects.
  for (const [effects, error] of await applyEffects(deps, [...settled.keys()])) {
    fail(settled.get(effects) ?? '', 'effects failed', 'settle.failed', error);
  }
  await tellRuns(deps);
  return [...failed];
}
