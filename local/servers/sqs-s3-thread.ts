import { parentPort, workerData } from 'node:worker_threads';
import { buildApp } from 'fauxqs';
import { REGION } from '../account.ts';
import { refuseConditionalPuts } from './conditional-puts.ts';
import { listenPreferably } from './listen.ts';
import { shiftDate } from '../shifted-date.mjs';
import type { ServerOptions } from './server-thread.ts';

// The thread of the SQS and S3 server: fauxqs, put together from its parts because its own start function listens on
// all interfaces, names queues by a host that not every resolver knows, and limits objects to 11 MiB.

interface Queue {
  name: string;
  url: string;
  persistence?: unknown;
}
interface Store {
  host?: string;
  persistence?: unknown;
}
interface SqsStore extends Store {
  allQueues(): Iterable<Queue>;
}
interface QueueClass {
  prototype: { dequeue: (this: Queue, ...args: unknown[]) => unknown };
}
interface Persistence {
  db: { exec(sql: string): void; prepare(sql: string): { run(...values: unknown[]): unknown } };
  transaction(work: () => void): void;
  load(sqs: unknown, sns: unknown, s3: unknown): void;
  updateMessageReady(messageId: string): void;
  close(): void;
}

/** Largest body of one request in bytes; S3 allows 5 GiB a part, a development machine's memory does not. */
const MAX_BODY_BYTES = 512 * 1024 * 1024;

const options = workerData as ServerOptions;
const { SqsStore, SqsQueue } = await part<{ SqsStore: new () => SqsStore; SqsQueue: QueueClass }>('sqs/sqsStore.js');
const { SnsStore } = await part<{ SnsStore: new () => Store }>('sns/snsStore.js');
const { S3Store } = await part<{ S3Store: new () => Store & Parameters<typeof refuseConditionalPuts>[0] }>('s3/s3Store.js');
const [sqs, sns, s3] = [new SqsStore(), new SnsStore(), new S3Store()];
// An empty host makes fauxqs name queues by the address that the request came to.
sqs.host = '';
const persistence = options.directory === undefined ? undefined : await keepIn(options.directory);

const app = buildApp({ logger: false, defaultRegion: REGION, stores: { sqsStore: sqs, snsStore: sns, s3Store: s3 } as never });
app.removeContentTypeParser('*');
app.addContentTypeParser('*', { parseAs: 'buffer', bodyLimit: MAX_BODY_BYTES }, (_request, body, done) => done(null, body));
app.addHook('preHandler', refuseConditionalPuts(s3));
await app.ready();
const server = app.server;
server.keepAliveTimeout = 60_000;
const port = await listenPreferably(server, options.preferredPort);
for (const queue of sqs.allQueues()) queue.url = `http://127.0.0.1:${port}${new URL(queue.url).pathname}`;

parentPort?.on('message', (message: 'close' | { offsetMs: number }) => {
  if (message !== 'close') return shiftDate(message.offsetMs);
  server.closeAllConnections();
  void app.close().finally(() => {
    persistence?.close();
    parentPort?.postMessage('closed');
  });
});
parentPort?.postMessage({ port });

async function keepIn(directory: string): Promise<Persistence> {
  const { PersistenceManager } = await part<{ PersistenceManager: new (path: string) => Persistence }>('persistence.js');
  const manager = new PersistenceManager(directory);
  // A killed process loses nothing that was written, only a crash of the machine would: no need to wait for the disk.
  manager.db.exec('PRAGMA synchronous = OFF');
  // fauxqs sets the receive count to null here, which its own schema refuses: the message would be lost.
  const ready = manager.db.prepare('UPDATE sqs_messages SET receipt_handle = NULL, visibility_deadline = NULL WHERE message_id = ?');
  manager.updateMessageReady = (messageId) => void ready.run(messageId);
  receiveAtOnce(manager);
  // Load before the stores write through, or loading would rewrite, and by cascade delete, what it reads.
  manager.load(sqs, sns, s3);
  for (const store of [sqs, sns, s3]) store.persistence = manager;
  for (const queue of sqs.allQueues()) queue.persistence = manager;
  return manager;
}

/**
 * A receive may move messages to their dead-letter queue, which deletes and then inserts: a process that was killed in
 * between would lose them. Besides, ten messages are one write.
 */
function receiveAtOnce(manager: Persistence): void {
  const dequeue = SqsQueue.prototype.dequeue;
  SqsQueue.prototype.dequeue = function (...args) {
    let received: unknown;
    manager.transaction(() => (received = dequeue.apply(this, args)));
    return received;
  };
}

/** A module of fauxqs that its package does not export by name. */
async function part<T>(path: string): Promise<T> {
  return (await import(new URL(path, import.meta.resolve('fauxqs')).href)) as T;
}
