import { Worker } from 'node:worker_threads';
import { HostError, messageOf } from '../errors.ts';

/** What a server's thread is started with. */
export interface ServerOptions {
  /** Keep data here; in memory if absent. */
  directory?: string;
  /** The port of the last start, taken again when it is free so that kept URLs stay good. */
  preferredPort?: number;
}

export interface ServerThread {
  port: number;
  url: string;
  /** From now on its `Date` is so many milliseconds ahead. */
  setClock(offsetMs: number): void;
  close(): Promise<void>;
}

/** Longest wait for a server to flush and close, in milliseconds. */
const CLOSE_TIMEOUT_MS = 1000;

/**
 * Starts an emulator in a thread of its own, so that its work and the host's share two cores instead of one event loop.
 * The thread posts `{port}` when it listens and `'closed'` when it has flushed after a `'close'` message;
 * `{offsetMs}` moves its clock.
 */
export async function startServerThread(
  name: string,
  script: URL,
  options: ServerOptions,
  onFailure: (error: Error) => void,
): Promise<ServerThread> {
  const worker = new Worker(script, { workerData: options, name, execArgv: [], env: { ...process.env, NODE_NO_WARNINGS: '1' } });
  let closing = false;
  const port = await new Promise<number>((resolve, reject) => {
    const fail = (error: unknown): void => {
      reject(new HostError('SERVER_FAILED', `${name} did not start: ${messageOf(error)}`, { cause: error }));
      if (!closing) onFailure(new HostError('SERVER_FAILED', `${name} ended: ${messageOf(error)}`, { cause: error }));
    };
    worker.on('message', (message: unknown) => {
      if (typeof message === 'object' && message !== null && 'port' in message) resolve(Number(message.port));
    });
    worker.on('error', fail);
    worker.on('exit', (status) => fail(new Error(`its thread exited with status ${status}`)));
  });
  return {
    port,
    url: `http://127.0.0.1:${port}`,
    setClock: (offsetMs) => worker.postMessage({ offsetMs }),
    async close() {
      closing = true;
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, CLOSE_TIMEOUT_MS);
        const done = (): void => {
          clearTimeout(timer);
          resolve();
        };
        worker.on('message', (message) => message === 'closed' && done());
        worker.on('exit', done);
        worker.postMessage('close');
      });
      await worker.terminate();
    },
  };
}
