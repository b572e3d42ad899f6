import { PreemptedError, runTask } from '@sluice/handler';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { handler } from '../../examples/slow-report/handler.ts';

let calls: { method: string | undefined; key: unknown }[] = [];
let answer: (call: number) => [status: number, headers?: Record<string, string>];

const server = createServer((request, response) => {
  calls.push({ method: request.method, key: request.headers['idempotency-key'] });
  const [status, headers = {}] = answer(calls.length);
  response.writeHead(status, headers).end('{"rows":3}');
});
beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  process.env['REPORTS_URL'] = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  return () => new Promise((resolve) => (server.closeAllConnections(), server.close(resolve)));
});
beforeEach(() => void (calls = []));

const methods = () => calls.map(({ method }) => method);

describe('slow-report', () => {
  it('orders once, waits until the report is ready, and says who asks', async () => {
    answer = (call) => [call < 3 ? 202 : 200];
    expect(await runTask(handler, { name: 'sales' }, { uid: 'u1' })).toEqual({ rows: 3 });
    expect(methods()).toEqual(['PUT', 'GET', 'GET']);
    expect(calls[0]?.key).toBe('u1');
  });

  it('takes its order back when it is aborted', async () => {
    answer = () => [202];
    await expect(runTask(handler, { name: 'sales' }, { signal: AbortSignal.timeout(300) })).rejects.toThrow();
    expect(methods().at(-1)).toBe('DELETE');
  });

  it('makes room while it waits, leaves its order as it is, and does not order again', async () => {
    answer = () => [202];
    const room = new PreemptedError('room');
    const checkpoint = vi.fn((): void => {
      if (checkpoint.mock.calls.length > 1) throw room;
    });
    const signal = AbortSignal.abort(room);
    await expect(runTask(handler, { name: 'sales' }, { checkpoint, signal, lastCheckpoint: 'ordered' })).rejects.toBe(room);
    expect(methods()).toEqual([]);
    expect(checkpoint).toHaveBeenCalledWith('ordered');
  });

  it.each<[number, Record<string, string>, object]>([
    [429, { 'retry-after': '7' }, { code: 'SLUICE_THROTTLED', retryAfter: 7 }],
    [404, {}, { code: 'SLUICE_FATAL' }],
    [500, {}, { name: 'Error', message: 'the service answered 500' }],
  ])('says what a %i means', async (status, headers, error) => {
    answer = () => [status, headers];
    await expect(runTask(handler, { name: 'sales' })).rejects.toMatchObject(error);
    expect(methods()).toEqual(['PUT']);
  });

  it('takes no name that would lead elsewhere', async () => {
    await expect(runTask(handler, { name: '../secrets' })).rejects.toMatchObject({ code: 'SLUICE_FATAL' });
  });
});
