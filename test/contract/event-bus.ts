import type { TaskEvent } from '@sluice/contracts';
import { describe, expect, it } from 'vitest';
import type { EventBus } from '../../core/ports/event-bus.ts';
import { A, B, newUid, NOW } from './fixtures.ts';

export const makeEvent = (given: Partial<TaskEvent> = {}): TaskEvent => ({
  v: 1,
  eventId: newUid(),
  tenant: A,
  id: 'order-1',
  uid: newUid(),
  type: 'thumbnail',
  state: 'succeeded',
  attempts: 1,
  at: new Date(NOW).toISOString(),
  ...given,
});

export interface EventBusUnderTest {
  readonly bus: EventBus;
  readonly told: () => readonly TaskEvent[];
}

export function eventBusContract(name: string, make: () => Promise<EventBusUnderTest>): void {
  describe(`event bus: ${name}`, () => {
    it('tells nothing', async () => {
      const { bus, told } = await make();
      await bus.publish([]);
      expect(told()).toEqual([]);
    });

    it('tells every event of many, whole, each with its own tenant', async () => {
      const { bus, told } = await make();
      const events = Array.from({ length: 25 }, (_, n) =>
        makeEvent({ tenant: n % 2 ? A : B, state: 'failed', reason: 'fatal', error: { name: 'E', message: `${n}` } }),
      );
      await bus.publish(events);
      const byId = (a: TaskEvent, b: TaskEvent): number => (a.eventId < b.eventId ? -1 : 1);
      expect([...told()].sort(byId)).toEqual([...events].sort(byId));
    });

    it('tells a repeated event with the same id', async () => {
      const { bus, told } = await make();
      const event = makeEvent();
      await bus.publish([event]);
      await bus.publish([event]);
      expect(told()).toEqual([event, event]);
    });
  });
}
