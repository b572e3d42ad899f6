import type { Envelope } from '@sluice/contracts';
import { appendFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** ms that a task takes: it waits for something, as most handlers do, and leaves the machine to others. */
const TAKES_MS = 500;

/** Notes when it began with which task. */
export async function handler({ sluice }: Envelope): Promise<{ ok: true }> {
  appendFileSync(process.env['RUNS_FILE'] ?? '', `${sluice.task} ${performance.timeOrigin + performance.now()}\n`);
  await sleep(TAKES_MS);
  return { ok: true };
}
