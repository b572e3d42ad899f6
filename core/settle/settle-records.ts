import * as z from 'zod';
import { outcomeOfRecord } from '../outcomes/record.ts';
import { applyEffects, type Effects } from './effects.ts';
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
  const effects: Effects[] = [];
  await Promise.all(
    records.map(async (record) => {
      try {
        effects.push(await settleOutcome(deps, outcomeOfRecord(JSON.parse(record.body), deps.clock.now()), 'record'));
      } catch (error) {
        failed.add(record.messageId);
        // What can't be read is left to the dead-letter queue and its alarm; its task goes on when its lease ends.
        const unreadable = error instanceof SyntaxError || error instanceof z.ZodError;
        deps.telemetry.count(unreadable ? 'outcome.unreadable' : 'settle.failed', undefined);
        deps.telemetry.log('error', unreadable ? 'unreadable outcome record' : 'settle failed', { messageId: record.messageId, error });
      }
    }),
  );
  try {
    await applyEffects(deps, effects);
  } catch (error) {
    // The records that come again repeat their effects.
    deps.telemetry.count('settle.failed', undefined);
    deps.telemetry.log('error', 'effects failed', { error });
    return records.map((r) => r.messageId);
  }
  return [...failed];
}
