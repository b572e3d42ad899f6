import { createServer } from 'node:http';
import { afterAll, beforeAll } from 'vitest';
import { target } from './target.ts';

export interface ReportsServer {
  /** The methods of the calls about one report, in their order. */
  readonly calls: (name: string) => readonly string[];
}

/** The service of `slow-report` for one test file: a report whose name begins with `ready` is, others never are. */
export function useReportsServer(): ReportsServer {
  const calls = new Map<string, string[]>();
  const server = createServer((request, response) => {
    const name = request.url?.split('/').at(-1) ?? '';
    calls.set(name, [...(calls.get(name) ?? []), request.method ?? '']);
    const ready = request.method === 'GET' && name.startsWith('ready');
    response.writeHead(ready ? 200 : 202, { 'content-type': 'application/json' }).end(JSON.stringify({ name }));
  });
  beforeAll(() => new Promise<void>((resolve) => server.listen(target.reportsPort, '127.0.0.1', resolve)));
  afterAll(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return { calls: (name) => calls.get(name) ?? [] };
}
