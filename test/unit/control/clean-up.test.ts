import type { CloudFormationCustomResourceEvent } from 'aws-lambda';
import { expect, it, vi } from 'vitest';
import { answerCleanUp, isCleanUp } from '../../../functions/control/clean-up.ts';

const requestOf = (RequestType: 'Create' | 'Update' | 'Delete') =>
  ({
    RequestType,
    ResponseURL: 'https://cloudformation.example/answer',
    StackId: 'stack',
    RequestId: 'request',
    LogicalResourceId: 'DedicatedQueues',
    ...(RequestType !== 'Create' && { PhysicalResourceId: 'what-there-is' }),
  }) as CloudFormationCustomResourceEvent;

async function answered(event: CloudFormationCustomResourceEvent, cleanUp = vi.fn(async () => undefined)) {
  const answers: Record<string, string>[] = [];
  const fetch = vi.fn(async (_url: unknown, init?: { body?: unknown }) => {
    answers.push(JSON.parse(String(init?.body)) as Record<string, string>);
    return new Response();
  }) as unknown as typeof globalThis.fetch;
  await answerCleanUp({ cleanUp, fetch }, event);
  expect(answers).toHaveLength(1);
  return { said: answers[0], calls: cleanUp.mock.calls.length };
}

it.each(['Create', 'Update'] as const)('%s changes nothing', async (kind) => {
  const { said, calls } = await answered(requestOf(kind));
  expect(said).toMatchObject({ Status: 'SUCCESS', PhysicalResourceId: kind === 'Create' ? 'dedicated-queues' : 'what-there-is' });
  expect(calls).toBe(0);
});

it('Delete cleans up before it is answered', async () => {
  const { said, calls } = await answered(requestOf('Delete'));
  expect(said).toMatchObject({ Status: 'SUCCESS', PhysicalResourceId: 'what-there-is', RequestId: 'request' });
  expect(calls).toBe(1);
});

it('a clean-up that fails fails the deletion, which then may be tried again', async () => {
  vi.spyOn(console, 'error').mockImplementation(() => undefined);
  const cleanUp = vi.fn(async () => Promise.reject(new Error('list queues: throttled')));
  const { said } = await answered(requestOf('Delete'), cleanUp);
  expect(said).toMatchObject({ Status: 'FAILED', Reason: 'list queues: throttled' });
});

it('is told from the events that control else gets', () => {
  expect(isCleanUp(requestOf('Delete'))).toBe(true);
  expect(isCleanUp({ time: '2030-01-01T00:00:00Z' })).toBe(false);
  expect(isCleanUp({ Records: [] })).toBe(false);
});
