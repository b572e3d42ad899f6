import { cpus } from 'node:os';

/** Milliseconds that an answer is good for. */
const FRESH_MS = 200;

/** The share of their time that busy processors are idle at most. */
const IDLE_SHARE = 0.1;

let seen = times();
let seenAt = 0;
let busy = false;

/** Whether the machine's processors have had next to nothing idle lately: one more process would only take from the others. */
export function processorsAreBusy(): boolean {
  const now = performance.now();
  if (now - seenAt < FRESH_MS) return busy;
  const { idle, all } = times();
  busy = idle - seen.idle < (all - seen.all) * IDLE_SHARE;
  seen = { idle, all };
  seenAt = now;
  return busy;
}

function times(): { idle: number; all: number } {
  let [idle, all] = [0, 0];
  for (const { times } of cpus()) {
    idle += times.idle;
    all += times.idle + times.user + times.nice + times.sys + times.irq;
  }
  return { idle, all };
}
