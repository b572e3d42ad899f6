import { SendMessageBatchCommand, SendMessageCommand, type SQSClient } from '@aws-sdk/client-sqs';
import type { SluiceClient } from '@sluice/client';
import type { TaskRow } from '@sluice/contracts';
import { closeSync, openSync, readSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { isTerminal } from '../../core/tasks/state.ts';

/** A way from a caller to the handler and to the end of its work. */
export interface Path {
  readonly name: 'bare' | 'event' | 'wait';
  /** One, as a caller does who has one. */
  readonly submit: (id: string) => Promise<unknown>;
  readonly submitMany: (ids: readonly string[]) => Promise<unknown>;
  /** When all of them, which have run, were at their ends, ms since the epoch. */
  readonly ended: (ids: readonly string[], lastBegan: number) => Promise<number>;
}

const PAYLOAD = { order: 4711, customer: 'Ada Lovelace', items: ['tea', 'biscuits'] };

/** What a home-made pile of SQS and Lambda does: the batch calls of the SDK, as many at once as our client makes. */
export function barePath(sqs: SQSClient, QueueUrl: string): Path {
  const bodyOf = (id: string) => JSON.stringify({ id, payload: PAYLOAD });
  return {
    name: 'bare',
    submit: (id) => sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: bodyOf(id) })),
    submitMany: async (ids) => {
      const calls = Array.from({ length: Math.ceil(ids.length / 10) }, (_, n) => ids.slice(n * 10, n * 10 + 10));
      const worker = async () => {
        for (let part = calls.shift(); part; part = calls.shift()) {
          await sqs.send(
            new SendMessageBatchCommand({ QueueUrl, Entries: part.map((id, n) => ({ Id: String(n), MessageBody: bodyOf(id) })) }),
          );
        }
      };
      await Promise.all([worker(), worker(), worker(), worker()]);
    },
    // Nothing is kept of it: it is done when its last handler has begun, for these do nothing.
    ended: async (_, lastBegan) => lastBegan,
  };
}

/** ms between two looks at a row that has not ended. */
const LOOK_MS = 25;

/** @param rowsOf reads many rows in one go */
export function sluicePath(
  name: 'event' | 'wait',
  client: SluiceClient,
  rowsOf: (ids: readonly string[]) => Promise<readonly TaskRow[]>,
): Path {
  const taskOf = (id: string) => ({ type: name, id, payload: PAYLOAD });
  return {
    name,
    submit: (id) => client.submit(taskOf(id)),
    submitMany: async (ids) => {
      const { accepted } = await client.submitMany(ids.map(taskOf));
      if (accepted !== ids.length) throw new Error(`${accepted} of ${ids.length} tasks were accepted`);
    },
    ended: async (ids) => {
      let last = 0;
      for (let left = ids; left.length > 0;) {
        // One until it has ended, then all: to look takes from what is measured.
        while (endOf((await rowsOf(left.slice(-1)))[0]) === undefined) await sleep(LOOK_MS);
        const ends = new Map((await rowsOf(left)).map((row) => [row.id, endOf(row)]));
        last = Math.max(last, ...left.map((id) => ends.get(id) ?? 0));
        left = left.filter((id) => ends.get(id) === undefined);
      }
      return last;
    },
  };
}

/** When a task succeeded; undefined while it has not ended. @throws when it ended otherwise */
function endOf(row: TaskRow | undefined): number | undefined {
  if (row === undefined || !isTerminal(row.state)) return undefined;
  if (row.state !== 'succeeded') throw new Error(`task ${row.id} has ${row.state}: ${row.error?.message}`);
  return row.endedAt;
}

/** The file in which handlers note when they began. */
export class Runs {
  readonly #began = new Map<string, number>();
  readonly #file: string;
  #offset = 0;
  #rest = '';

  constructor(file: string) {
    writeFileSync(file, '');
    this.#file = file;
  }

  /** When each of them began, ms since the epoch, once all have. */
  async of(ids: readonly string[], everyMs: number): Promise<readonly number[]> {
    for (let left = ids; left.length > 0; left = left.filter((id) => !this.#began.has(id))) {
      this.#read();
      if (left.some((id) => !this.#began.has(id))) await sleep(everyMs);
    }
    return ids.map((id) => this.#began.get(id) ?? 0);
  }

  #read(): void {
    const file = openSync(this.#file, 'r');
    const buffer = Buffer.alloc(65_536);
    for (
      let n = readSync(file, buffer, 0, buffer.length, this.#offset);
      n > 0;
      n = readSync(file, buffer, 0, buffer.length, this.#offset)
    ) {
      this.#offset += n;
      const lines = (this.#rest + buffer.toString('utf8', 0, n)).split('\n');
      this.#rest = lines.pop() ?? '';
      for (const line of lines) {
        const [id = '', at] = line.split(' ');
        // Lambda may run one event twice: the first run counts.
        if (!this.#began.has(id)) this.#began.set(id, Number(at));
      }
    }
    closeSync(file);
  }
}
