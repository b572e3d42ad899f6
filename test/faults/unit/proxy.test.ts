import { spawn } from 'node:child_process';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { RuleKind } from '../proxy/kinds.ts';
import { FaultProxy } from '../proxy/proxy.ts';
import type { Rule } from '../proxy/rules.ts';

const SITE = { fn: 'settle', port: 'core/settle write', command: 'adapters/aws/task-store UpdateCommand' };

describe('the proxy between functions and services', () => {
  /** Bodies of the requests that came to the service. */
  let served: string[] = [];
  let service: Server;
  let proxy: FaultProxy;
  let url = '';
  let calls = 0;

  beforeEach(async () => {
    served = [];
    service = createServer((request, response) => {
      let body = '';
      request.on('data', (chunk: Buffer) => (body += chunk.toString()));
      request.on('end', () => {
        served.push(body);
        response.writeHead(200, { 'content-type': 'application/json', 'x-path': request.url }).end(`answer ${served.length}`);
      });
    });
    await new Promise<void>((resolve) => service.listen(0, '127.0.0.1', resolve));
    proxy = new FaultProxy();
    await proxy.listen();
    const address = `http://127.0.0.1:${(service.address() as AddressInfo).port}`;
    const all = { dynamodb: address, sqs: address, s3: address, lambda: address, eventbridge: address, scheduler: address };
    url = proxy.endpointsFor('settle', all).dynamodb;
  });
  afterEach(async () => {
    await proxy.close();
    service.closeAllConnections();
    await new Promise((resolve) => service.close(resolve));
  });

  const newCall = (): string => `1.${++calls}`;
  async function send(body: string, over: Partial<typeof SITE> & { call?: string; pid?: number } = {}): Promise<Response> {
    const { port = SITE.port, command = SITE.command, call = newCall(), pid } = over;
    const tags = { 'x-sluice-port': port, 'x-sluice-command': command, 'x-sluice-call': call };
    return fetch(`${url}/path`, { method: 'POST', body, headers: { ...tags, ...(pid !== undefined && { 'x-sluice-pid': String(pid) }) } });
  }
  const arm = (kind: RuleKind, over: Partial<Rule> = {}) => proxy.arm({ ...SITE, kind, ...over });

  it('hands on what no rule is for, without its tags, and tells of it', async () => {
    const seen: unknown[] = [];
    proxy.onCall = ({ fn, service: name, site, text }) => seen.push([fn, name, site, text]);
    const response = await send('body of acme', { pid: 7 });

    expect([response.status, response.headers.get('x-path'), await response.text()]).toEqual([200, '/path', 'answer 1']);
    expect(served).toEqual(['body of acme']);
    expect(seen).toEqual([['settle', 'dynamodb', { port: SITE.port, command: SITE.command }, '/path\n\nbody of acme']]);
  });

  it('makes a fault at the call that a rule is for, and at no other', async () => {
    const armed = arm('fail', { about: ['acme'], nth: 2 });
    const statuses = [];
    statuses.push((await send('about globex')).status);
    statuses.push((await send('about acme', { port: 'core/other' })).status);
    statuses.push((await send('about acme')).status);
    expect(armed.hasFired).toBe(false);
    statuses.push((await send('about acme')).status);
    statuses.push((await send('about acme')).status);

    expect(statuses).toEqual([200, 200, 200, 500, 200]);
    await armed.whenFired();
  });

  it('finds what a call is about in what is said beside it', async () => {
    const armed = arm('fail', { about: ['acme'] });
    const headers = { 'x-sluice-port': SITE.port, 'x-sluice-command': SITE.command, 'x-sluice-about': encodeURIComponent('["acme"]') };
    const { status } = await fetch(`${url}/`, { method: 'POST', body: '{}', headers });
    expect([status, armed.hasFired]).toEqual([500, true]);
  });

  it('does nothing any more once a rule is disarmed', async () => {
    proxy.disarm(arm('fail'));
    expect((await send('')).status).toBe(200);
  });

  it.each([
    ['fail', ['500', '500', '500'], 0],
    ['throttle', ['400', '400', '400'], 0],
    ['delay', ['answer 1', 'answer 2', 'answer 3'], 3],
    ['duplicate', ['answer 2', 'answer 3', 'answer 4'], 4],
    ['cut-before', ['cut', 'answer 1', 'answer 2'], 2],
    ['cut-after', ['cut', 'answer 2', 'answer 3'], 3],
    ['unanswered', ['cut', 'cut', 'cut'], 1],
  ] as const)('%s: three tries of one call are answered %j, and the service has seen %i', async (kind, expected, sent) => {
    arm(kind);
    const call = newCall();
    const answers: string[] = [];
    for (let attempt = 0; attempt < 3; attempt++) {
      answers.push(
        await send('', { call }).then(
          async (r) => (r.ok ? r.text() : String(r.status)),
          () => 'cut',
        ),
      );
    }
    expect([answers, served.length]).toEqual([expected, sent]);
    expect(await (await send('another call')).text()).toBe(`answer ${sent + 1}`);
  });

  it('holds a call until it is let go', async () => {
    const armed = arm('hold');
    const held = send('');
    await armed.whenFired();
    expect(served).toEqual([]);
    armed.release();
    expect(await (await held).text()).toBe('answer 1');
  });

  it.each([
    ['kill-before', 0],
    ['kill-after', 1],
  ] as const)('%s: ends the process that made the call, when the service has seen %i', async (kind, sent) => {
    arm(kind);
    const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
    const ended = new Promise((resolve) => child.once('exit', (_, signal) => resolve(signal)));
    const answer = send('', { pid: child.pid ?? 0 }).then(
      () => 'answered',
      () => 'cut',
    );
    expect([await ended, served.length]).toEqual(['SIGKILL', sent]);
    await proxy.close();
    expect(await answer).toBe('cut');
    await proxy.listen();
  });

  it('hands on a request that names its address itself', async () => {
    const target = `http://127.0.0.1:${(service.address() as AddressInfo).port}/answer?signature=1`;
    const response = await fetch(`${proxy.fetchUrlFor('registrar')}?to=${encodeURIComponent(target)}`, { method: 'PUT', body: 'done' });
    expect([response.headers.get('x-path'), served]).toEqual(['/answer?signature=1', ['done']]);
  });
});
