import type { TaskEvent } from '@sluice/contracts';
import type { PutEventsRequestEntry } from '@aws-sdk/client-eventbridge';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createEventBus } from '../../adapters/aws/event-bus.ts';
import { createMemoryEventBus } from '../../adapters/memory/event-bus.ts';
import { createMemoryRandom } from '../../adapters/memory/random.ts';
import { eventBusContract, makeEvent } from './event-bus.ts';
import { NOW } from './fixtures.ts';
import { clientsAt, startStandIn, type StandIn } from './servers.ts';

let standIn: StandIn;
let taken: PutEventsRequestEntry[] = [];
let calls: number[] = [];
/** For each call, the places of the entries that fail. */
let failures: number[][] = [];

beforeAll(async () => {
  standIn = await startStandIn(({ body }) => {
    const { Entries } = JSON.parse(body) as { Entries: PutEventsRequestEntry[] };
    const failed = failures.shift() ?? [];
    calls.push(Entries.length);
    taken.push(...Entries.filter((_, n) => !failed.includes(n)));
    const answers = Entries.map((_, n) => (failed.includes(n) ? { ErrorCode: 'ThrottlingException' } : { EventId: 'e' }));
    return { status: 200, body: JSON.stringify({ FailedEntryCount: failed.length, Entries: answers }) };
  });
});
beforeEach(() => {
  [taken, calls, failures] = [[], [], []];
});
afterAll(() => standIn.stop());

const makeBus = () =>
  createEventBus(clientsAt({ eventsEndpoint: standIn.endpoint }).events, { bus: 'tasks', random: createMemoryRandom() });

eventBusContract('memory', async () => {
  const bus = createMemoryEventBus();
  return { bus, told: bus.events };
});
eventBusContract('EventBridge', async () => ({
  bus: makeBus(),
  told: () => taken.map(({ Detail }) => JSON.parse(Detail ?? '') as TaskEvent),
}));

describe('event bus on EventBridge', () => {
  it('names the source, the state and the time of an event', async () => {
    await makeBus().publish([makeEvent({ state: 'late_success' })]);
    expect(taken).toMatchObject([{ EventBusName: 'tasks', Source: 'sluice', DetailType: 'task.late_success', Time: NOW / 1000 }]);
  });

  it('puts at most ten at once, and no more bytes than one call takes', async () => {
    await makeBus().publish(Array.from({ length: 25 }, () => makeEvent()));
    expect([...calls].sort()).toEqual([10, 10, 5]);
    calls = [];
    const error = { name: 'E', message: 'x'.repeat(100_000) };
    await makeBus().publish(Array.from({ length: 5 }, () => makeEvent({ error })));
    expect([...calls].sort()).toEqual([1, 2, 2]);
  });

  it('tries again what was not taken, and only that', async () => {
    failures = [[0, 2], [1]];
    const events = [makeEvent(), makeEvent(), makeEvent()];
    await makeBus().publish(events);
    expect(calls).toEqual([3, 2, 1]);
    expect(taken).toHaveLength(3);
  });

  it('throws when some are never taken', async () => {
    failures = [[0], [0], [0], [0], [0]];
    await expect(makeBus().publish([makeEvent()])).rejects.toMatchObject({ code: 'unavailable' });
  });
});
