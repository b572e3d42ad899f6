import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/*
 * A process of its own that accepts every batch and keeps nothing: what a stream of tasks is sent to when only its
 * sender is of interest. Prints its URL, and ends with its standard input.
 */
const UID = '01K00000000000000000000000';

const server = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    const { tasks } = JSON.parse(Buffer.concat(chunks).toString('utf8')) as { tasks: { id: string }[] };
    const results = tasks.map(({ id }) => ({ ok: true, task: { id, uid: UID, state: 'waiting', deduplicated: false } }));
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ results }));
  });
});
server.listen(0, '127.0.0.1', () => console.log(`http://127.0.0.1:${(server.address() as AddressInfo).port}`));
process.stdin.resume().on('end', () => process.exit(0));
