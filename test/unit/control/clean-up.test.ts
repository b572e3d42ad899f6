import type { CloudFormationCustomResourceEvent } from 'aws-lambda';
import { expect, it, vi } from 'vitest';
import { createMemoryClock, createMemoryRoutingStore } from '../../../adapters/memory/index.ts';
import { NO_ROUTING } from '../../../core/routing/next-document.ts';
import { answerCleanUp, isCleanUp } from '../../../functions/control/clean-up.ts';

const EVENT = {
  RequestType: 'Delete',
  PhysicalResourceId: 'dedicated-queues',
  StackId: 'stack',
  RequestId: 'request',
  LogicalResourceId: 'DedicatedQueues',
  ResourceType: 'Custom::SluiceDedicatedQueues',
  ResponseURL: 'https://cloudformation.test/answer',
  ServiceToken: 'arn',
  ResourceProperties: { ServiceToken: 'arn' },
} as const;

const entry = (tenant: string, generation: number) => ({ tenant, generation, state: 'creating' as const, since: 0 });

async function platform(made: Set<string>) {
  const routes = createMemoryRoutingStore({ clock: createMemoryClock() });
  await routes.write({ ...NO_ROUTING, version: 1, generations: 2, dedicated: [entry('acme', 1), entry('beta', 2)] });
  const answered: string[] = [];
  const fetch = vi.fn(async (_: unknown, init?: RequestInit) => {
    answered.push((JSON.parse(Buffer.from(init?.body as Buffer).toString()) as { Status: string }).Status);
    return new Response();
  }) as typeof globalThis.fetch;
  return { routes, fetch, answered, cleanUp: { removeAll: async () => made.clear() } };
}

it('takes away what a round of control was making meanwhile, and has it make no more', async () => {
  const made = new Set(['acme']);
  const deps = await platform(made);
  const told: (readonly unknown[] | undefined)[] = [];
  const sleep = async (): Promise<void> => {
    told.push((await deps.routes.read())?.dedicated);
    made.add('beta');
  };
  await answerCleanUp({ ...deps, timer: { sleep } }, EVENT);
  expect([told, [...made], deps.answered]).toEqual([[[]], [], ['SUCCESS']]);
  // A generation is never given again.
  expect(await deps.routes.read()).toMatchObject({ version: 2, generations: 2 });
});

it('fails the deletion where the routing is not known to name nobody', async () => {
  const made = new Set(['acme']);
  const deps = await platform(made);
  const routes = { read: deps.routes.read, write: async () => false };
  await answerCleanUp({ ...deps, routes, timer: { sleep: async () => undefined } }, EVENT);
  expect([[...made], deps.answered]).toEqual([['acme'], ['FAILED']]);
});

it.each(['Create', 'Update'] as const)('%s changes nothing', async (RequestType) => {
  const made = new Set(['acme']);
  const deps = await platform(made);
  const event = { ...EVENT, RequestType, OldResourceProperties: EVENT.ResourceProperties } as CloudFormationCustomResourceEvent;
  await answerCleanUp({ ...deps, timer: { sleep: async () => undefined } }, event);
  expect([[...made], deps.answered]).toEqual([['acme'], ['SUCCESS']]);
  expect(await deps.routes.read()).toMatchObject({ version: 1 });
});

it('is told from the other events of control', () => {
  expect(isCleanUp(EVENT)).toBe(true);
  expect(isCleanUp({ time: '2030-01-01T00:00:00Z' })).toBe(false);
  expect(isCleanUp({ Records: [] })).toBe(false);
});
