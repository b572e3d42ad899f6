import type { HintMessage } from '@sluice/contracts';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createDeadHints } from '../../adapters/aws/dead-hints.ts';
import { createMemoryClock } from '../../adapters/memory/clock.ts';
import { createMemoryQueues } from '../../adapters/memory/queues.ts';
import { createMemoryRandom } from '../../adapters/memory/random.ts';
import { deadHintsContract } from './dead-hints.ts';
import { makeHint } from './fixtures.ts';
import { startFaux, type Faux } from './servers.ts';

let faux: Faux;
let queues = 0;
beforeAll(async () => {
  faux = await startFaux();
});
afterAll(() => faux.stop());

const makeMemory = () => {
  const clock = createMemoryClock();
  const memory = createMemoryQueues({ clock, random: createMemoryRandom(), visibilitySeconds: 1, maxReceives: 1 });
  return { clock, memory };
};

deadHintsContract('memory', async () => {
  const { clock, memory } = makeMemory();
  return {
    dead: memory.dead,
    bury: async (body) => {
      const message = JSON.parse(body) as HintMessage;
      await memory.send([{ queue: { priority: 'low', shard: 0 }, message, delaySeconds: 0 }]);
      await memory.receive(100);
      clock.advance(1000);
      await memory.receive(100);
    },
  };
});
deadHintsContract('SQS', async () => {
  const { queueName, queueUrl } = faux.server.createQueue(`dead${++queues}`);
  return {
    dead: createDeadHints(faux.clients.sqs, { queueUrl, waitSeconds: 0 }),
    bury: async (body) => {
      faux.server.sendMessage(queueName, body);
    },
  };
});

it('a memory queue buries a hint only after its last receive, and delivers it no more', async () => {
  const { clock, memory } = makeMemory();
  await memory.send([{ queue: { priority: 'low', shard: 0 }, message: makeHint(), delaySeconds: 0 }]);
  expect(await memory.receive(1)).toHaveLength(1);
  expect(memory.counts()).toEqual({ visible: 0, inFlight: 1, delayed: 0 });
  expect(await memory.dead.receive()).toEqual([]);
  clock.advance(1000);
  expect(await memory.receive(1)).toEqual([]);
  expect(memory.counts()).toEqual({ visible: 0, inFlight: 0, delayed: 0 });
  expect(await memory.dead.receive()).toHaveLength(1);
});
