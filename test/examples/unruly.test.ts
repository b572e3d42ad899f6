import type { Envelope } from '@sluice/contracts';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Worker } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';
import { handler, type Behaviour } from '../../examples/unruly/handler.ts';
import { envelopeOf } from '../unit/handler/envelope.ts';

const entry = new URL('../../examples/unruly/handler.ts', import.meta.url).href;
const told = (payload: { do: Behaviour; ms?: number; url?: string; key?: string }, sluice: Partial<Envelope['sluice']> = {}): Envelope =>
  envelopeOf(payload, { type: 'unruly', ...sluice });

describe('unruly', () => {
  it('does well when it is told to', async () => {
    expect(await handler(told({ do: 'ok', key: 'k' }))).toEqual({ did: 'ok', attempt: 1, fence: 1, key: 'k' });
    expect(await handler(told({ do: 'slow', ms: 5 }))).toEqual({ did: 'slow', attempt: 1, fence: 1 });
  });

  it('fails as it is told to, by names that Sluice knows', async () => {
    await expect(handler(told({ do: 'throw' }, { attempt: 9 }))).rejects.toMatchObject({ name: 'Error' });
    await expect(handler(told({ do: 'throw-string' }))).rejects.toBe('not an error, a string');
    await expect(handler(told({ do: 'fatal' }))).rejects.toMatchObject({ name: 'FatalError' });
    await expect(handler(told({ do: 'dance' as never }))).rejects.toMatchObject({
      name: 'FatalError',
      message: expect.stringContaining('dance'),
    });
    await expect(handler(envelopeOf(undefined))).rejects.toMatchObject({ name: 'FatalError' });
  });

  it('fails once by the attempt, and is throttled once by what its envelope says of that', async () => {
    await expect(handler(told({ do: 'throw-once' }))).rejects.toThrow('first attempt');
    expect(await handler(told({ do: 'throw-once' }, { attempt: 2, fence: 3 }))).toMatchObject({ attempt: 2 });
    await expect(handler(told({ do: 'throttle-once' }))).rejects.toMatchObject({ name: 'ThrottledError' });
    expect(await handler(told({ do: 'throttle-once' }, { fence: 3, throttled: 1 }))).toMatchObject({ attempt: 1, fence: 3 });
  });

  it('returns what no answer can hold', async () => {
    expect(await handler(told({ do: 'huge' }))).toHaveLength(7_340_032);
    const ring = await handler(told({ do: 'circular' }));
    expect(() => JSON.stringify(ring)).toThrow('circular');
  });

  /** In a thread of its own, as what it does takes its process with it. */
  function inThread(behaviour: Behaviour, heapMb: number): Promise<unknown> {
    const code = `import(${JSON.stringify(entry)}).then(({ handler }) => handler(${JSON.stringify(told({ do: behaviour }))}))`;
    const worker = new Worker(code, { eval: true, resourceLimits: { maxOldGenerationSizeMb: heapMb } });
    return new Promise((resolve) => {
      worker.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
      worker.once('exit', (code) => resolve(code));
      if (behaviour !== 'hang') return;
      setTimeout(() => {
        resolve('still there');
        void worker.terminate();
      }, 500);
    });
  }

  it('exits, hangs and takes all the memory there is', async () => {
    expect(await inThread('exit', 128)).toBe(1);
    expect(await inThread('oom', 128)).toBe('ERR_WORKER_OUT_OF_MEMORY');
    expect(await inThread('hang', 128)).toBe('still there');
  });

  it('exits unless what it asks is well', async () => {
    const server = createServer((_, response) => void response.writeHead(204).end());
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    expect(await handler(told({ do: 'exit-unless', url }))).toMatchObject({ did: 'exit-unless' });
    await new Promise((resolve) => server.close(resolve));
    expect(await inThread('exit-unless', 128)).toBe(1);
  });

  it('stops filling memory that nobody limits', async () => {
    expect(await inThread('oom', 2_000)).toBe('384 MB were taken and nobody minded');
  });
});
