import type { Envelope } from '@sluice/contracts';
import type { SQSEvent } from 'aws-lambda';
import { appendFileSync } from 'node:fs';

/** Notes when it began with which task, and does nothing else: the same function behind a task type and behind a bare queue. */
export async function handler(event: Envelope | SQSEvent): Promise<{ ok: true }> {
  const began = performance.timeOrigin + performance.now();
  const ids = 'Records' in event ? event.Records.map(({ body }) => (JSON.parse(body) as { id: string }).id) : [event.sluice.task];
  appendFileSync(process.env['RUNS_FILE'] ?? '', ids.map((id) => `${id} ${began}\n`).join(''));
  return { ok: true };
}
