import { SluiceError } from '@sluice/contracts';
import type { CloudFormationCustomResourceEvent } from 'aws-lambda';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { EndedRequest } from '../../../adapters/aws/ended-requests.ts';
import { createHandler } from '../../../functions/registrar/handler.ts';

interface Answer {
  readonly Status: 'SUCCESS' | 'FAILED';
  readonly PhysicalResourceId: string;
}

const specOf = (type: string): string =>
  JSON.stringify({ v: 1, type, handler: { kind: 'lambda', arn: 'arn' }, start: 'event', timeoutSeconds: 2, concurrency: 1, retry: {} });

/** The write of a type may be applied though its answer is lost: what is rolled back must be gone all the same. */
describe('the registrar, when a write is not answered', () => {
  const registered = new Map<string, string>();
  const ended = new Map<string, EndedRequest>();
  const answers: Answer[] = [];
  let answered = true;
  /** Answers that CloudFormation takes but does not confirm. */
  let unconfirmed = 0;

  const handler = createHandler({
    taskTypes: {
      put: async (spec, owner) => {
        registered.set(spec.type, owner);
        if (!answered) throw new SluiceError('unavailable', 'write a task type: no answer');
      },
      remove: async (type, owner) => {
        if (registered.get(type) === owner) registered.delete(type);
      },
    },
    requests: {
      find: async (owner, id) => ended.get(`${owner} ${id}`),
      note: async (owner, id, end) => void ended.set(`${owner} ${id}`, end),
    },
    fetch: async (_url, init) => {
      answers.push(JSON.parse(Buffer.from(init?.body as Uint8Array).toString()) as Answer);
      if (unconfirmed-- > 0) throw new TypeError('fetch failed');
      return new Response();
    },
  });
  let requests = 0;
  const request = async (RequestType: string, type: string, PhysicalResourceId?: string): Promise<Answer | undefined> => {
    requests += 1;
    return again(RequestType, type, PhysicalResourceId);
  };
  /** The latest request once more, as Lambda makes it again. */
  const again = async (RequestType: string, type: string, PhysicalResourceId?: string): Promise<Answer | undefined> => {
    const RequestId = String(requests);
    const event = { RequestType, PhysicalResourceId, StackId: 'stack', LogicalResourceId: 'Type', RequestId, ResponseURL: 'http://x' };
    const given = Object.fromEntries(Object.entries(event).filter(([, value]) => value !== undefined));
    await handler({ ...given, ResourceProperties: { Spec: specOf(type) } } as unknown as CloudFormationCustomResourceEvent);
    return answers.pop();
  };

  beforeEach(() => {
    registered.clear();
    ended.clear();
    answers.length = 0;
    answered = true;
    unconfirmed = 0;
    vi.spyOn(console, 'error').mockImplementation(() => undefined);
  });

  it('names the type of a creation that failed, so that the rollback deletes it', async () => {
    answered = false;
    const created = await request('Create', 'thumbnail');
    expect(created).toMatchObject({ Status: 'FAILED', PhysicalResourceId: 'thumbnail' });

    await request('Delete', 'thumbnail', created?.PhysicalResourceId);
    expect([...registered.keys()]).toEqual([]);
  });

  it('takes away what a renaming that failed has written, and keeps what was there', async () => {
    await request('Create', 'thumbnail');

    answered = false;
    const updated = await request('Update', 'preview', 'thumbnail');
    expect(updated).toMatchObject({ Status: 'FAILED', PhysicalResourceId: 'thumbnail' });
    expect([...registered.keys()]).toEqual(['thumbnail']);
  });

  it('tells the same again where it is not known to have been heard, and does nothing anew', async () => {
    answered = false;
    unconfirmed = 2;
    await request('Create', 'thumbnail');

    expect(answers).toHaveLength(2);
    expect(answers.every(({ Status }) => Status === 'FAILED')).toBe(true);
  });

  it.each(['Create', 'Update'])('does not do after its answer what it said it could not: %s', async (what) => {
    const before = what === 'Create' ? undefined : 'thumbnail';
    if (before !== undefined) await request('Create', before);
    answered = false;
    const failed = await request(what, 'preview', before);
    expect(failed).toMatchObject({ Status: 'FAILED' });

    answered = true;
    const number = requests;
    await (before === undefined ? request('Delete', 'preview', failed?.PhysicalResourceId) : request('Update', before, before));
    requests = number;
    expect(await again(what, 'preview', before)).toEqual(failed);
    expect([...registered.keys()]).toEqual(before === undefined ? [] : [before]);
  });

  it('fails when it cannot be heard at all', async () => {
    unconfirmed = 100;
    await expect(request('Create', 'thumbnail')).rejects.toThrow(/did not take the answer/);
  });

  it('keeps a type that an update in place did not get to change', async () => {
    await request('Create', 'thumbnail');

    answered = false;
    await request('Update', 'thumbnail', 'thumbnail');
    expect([...registered.keys()]).toEqual(['thumbnail']);
  });
});
