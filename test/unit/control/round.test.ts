import type { Context } from 'aws-lambda';
import { expect, it } from 'vitest';
import { createMemoryClock, createMemoryTelemetry } from '../../../adapters/memory/index.ts';
import type { ControlRound, ControlStep } from '../../../core/control/round.ts';
import { createHandler } from '../../../functions/control/handler.ts';

const context = { getRemainingTimeInMillis: () => 120_000 } as Context;
const sqs = (...bodies: string[]) => ({ Records: bodies.map((body) => ({ body })) }) as never;

function setUp(...failing: string[]) {
  const ran: [string, ControlRound][] = [];
  const telemetry = createMemoryTelemetry();
  const step = (name: string): ControlStep => ({
    name,
    run: async (round) => {
      ran.push([name, round]);
      if (failing.includes(name)) throw new Error(`${name} failed`);
    },
  });
  const clock = createMemoryClock();
  const handler = createHandler({ steps: ['one', 'two', 'three'].map(step), clock, telemetry });
  return { ran, telemetry, handler, clock };
}

it('runs its steps in their order, with time for the answer left', async () => {
  const { ran, handler, clock } = setUp();
  await handler({}, context);
  expect(ran.map(([name]) => name)).toEqual(['one', 'two', 'three']);
  expect(ran[0]?.[1]).toEqual({ now: clock.now(), deadline: clock.now() + 110_000, minute: true, told: [] });
});

it('tells its steps what it was told, but for what it can’t read', async () => {
  const { ran, handler, telemetry } = setUp();
  const divide = { v: 1, kind: 'divide', made: 5, tenant: 'acme', type: 'narrow' };
  await handler(sqs(JSON.stringify(divide), '{"v":2}', 'no JSON'), context);
  expect(ran[0]?.[1]).toMatchObject({ minute: false, told: [divide] });
  expect(telemetry.lines().map(({ message }) => message)).toEqual(['unreadable control message', 'unreadable control message']);
});

it('goes on after a step that failed, names it, and fails with the first', async () => {
  const { ran, handler, telemetry } = setUp('one', 'two');
  await expect(handler({}, context)).rejects.toThrow('one failed');
  expect(ran).toHaveLength(3);
  expect(telemetry.lines().map(({ fields }) => fields['step'])).toEqual(['one', 'two']);
});
