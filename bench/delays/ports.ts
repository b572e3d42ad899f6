import type { HintSend } from '../../core/ports/hint-queue.ts';
import { limited, type VirtualTime } from './virtual-time.ts';

/** What calls take, ms: round figures within a region, above the usual ones. A page is 1 MB of a query. */
const CALL_MS = { send: 10, read: 5, write: 8, page: 30, invoke: 15 } as const;
const READS = new Set(['get', 'first', 'lanes', 'cursor', 'has', 'read']);
/** Connections of one service that an environment has (the SDK's default). */
const SOCKETS = 50;
/** Messages of one SendMessageBatch. */
const SEND_BATCH = 10;

type Method = (...args: unknown[]) => unknown;

/** Lets the calls of one environment take their time, so many of them at once. */
export function createPace(time: VirtualTime) {
  const connections = { table: limited(SOCKETS), lambda: limited(SOCKETS), sqs: limited(SOCKETS) };

  const slow = <Port extends object>(port: Port, service: 'table' | 'lambda', msOf: (method: string) => number): Port =>
    new Proxy(port, {
      get: (target, name) => {
        const method: unknown = Reflect.get(target, name);
        if (typeof method !== 'function') return method;
        return (...args: unknown[]) =>
          connections[service](async () => {
            await time.sleep(msOf(String(name)));
            return (method as Method).apply(target, args);
          });
      },
    });

  return {
    table: <Port extends object>(port: Port): Port => slow(port, 'table', (method) => (READS.has(method) ? CALL_MS.read : CALL_MS.write)),
    starter: <Port extends object>(port: Port): Port => slow(port, 'lambda', () => CALL_MS.invoke),
    pages: async function* <Page>(pages: AsyncIterable<Page>): AsyncGenerator<Page> {
      await time.sleep(CALL_MS.read);
      for await (const page of pages) {
        await time.sleep(CALL_MS.page);
        yield page;
      }
    },
    /** Sends batch by batch, as the adapter of SQS does. @returns how many calls it took */
    send: async (sends: readonly HintSend[], deliver: (batch: readonly HintSend[]) => Promise<void>): Promise<number> => {
      const byQueue = Map.groupBy(sends, ({ queue }) => `${queue.priority}-${queue.shard}`);
      const calls = [...byQueue.values()].flatMap((all) =>
        Array.from({ length: Math.ceil(all.length / SEND_BATCH) }, (_, n) => all.slice(n * SEND_BATCH, (n + 1) * SEND_BATCH)),
      );
      await Promise.all(
        calls.map((call) =>
          connections.sqs(async () => {
            await time.sleep(CALL_MS.send);
            await deliver(call);
          }),
        ),
      );
      return calls.length;
    },
  };
}
