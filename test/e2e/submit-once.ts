import { createInterface } from 'node:readline';
import { SluiceClient } from '@sluice/client';

// A process of its own that submits what it is told, by so many clients at once, when it is told to go.
const { baseUrl, token, submission, clients } = JSON.parse(process.argv[2] ?? '') as {
  baseUrl: string;
  token: string;
  submission: Parameters<SluiceClient['submit']>[0];
  clients: number;
};
const all = Array.from({ length: clients }, () => new SluiceClient({ baseUrl, token }));
console.log('ready');
for await (const _go of createInterface({ input: process.stdin })) {
  const answers = await Promise.all(all.map((client) => client.submit(submission)));
  console.log(JSON.stringify(answers));
  break;
}
process.stdin.destroy();
