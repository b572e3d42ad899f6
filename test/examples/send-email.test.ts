import { runTask } from '@sluice/handler';
import type { AddressInfo } from 'node:net';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { handler } from '../../examples/send-email/handler.ts';
import { failureOfSmtp } from '../../examples/send-email/smtp-failure.ts';

const MAIL = { to: 'ada@example.org', subject: 'Grüße', text: 'Hello, Ada' };
let received: string[];
let server: SMTPServer | undefined;

function refusal(responseCode: number, message: string): Error {
  return Object.assign(new Error(message), { responseCode });
}

async function start(options: SMTPServerOptions = {}): Promise<number> {
  const smtp = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    logger: false,
    onData(stream, _session, done) {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('end', () => {
        received.push(Buffer.concat(chunks).toString());
        done();
      });
    },
    ...options,
  });
  server = smtp;
  await new Promise<void>((ready) => smtp.listen(0, '127.0.0.1', ready));
  const { port } = smtp.server.address() as AddressInfo;
  vi.stubEnv('SMTP_URL', `smtp://127.0.0.1:${port}`);
  return port;
}

beforeEach(() => {
  received = [];
});

afterEach(async () => {
  vi.unstubAllEnvs();
  const running = server;
  server = undefined;
  await new Promise<void>((closed) => (running ? running.close(closed) : closed()));
});

describe('send-email', () => {
  it('sends the mail, with the uid of the task as its Message-ID in every attempt', async () => {
    await start();
    vi.stubEnv('MAIL_FROM', 'Shop <orders@shop.example>');
    const first = await runTask(handler, { ...MAIL, html: '<p>Hello, Ada</p>' });
    const again = await runTask(handler, { ...MAIL, html: '<p>Hello, Ada</p>' }, { attempt: 2, fence: 4 });
    const other = await runTask(handler, MAIL, { uid: '01JZ0000000000000000000001' });

    expect(first.messageId).toBe('<01jz0000000000000000000000@shop.example>');
    expect(again.messageId).toBe(first.messageId);
    expect(other.messageId).not.toBe(first.messageId);
    expect(first.response).toMatch(/^250/);
    expect(received).toHaveLength(3);
    expect(received[0]).toContain(`Message-ID: ${first.messageId}`);
    expect(received[0]).toContain('From: Shop <orders@shop.example>');
    expect(received[0]).toContain('To: ada@example.org');
    expect(received[0]).toContain('Subject: =?UTF-8?Q?Gr=C3=BC=C3=9Fe?=');
    expect(received[0]).toContain('text/html');
    expect(received[2]).not.toContain('text/html');
  });

  it.each([
    [421, 'try later', { name: 'ThrottledError', retryAfter: 60 }],
    [450, 'greylisted, try again in 300 seconds', { name: 'ThrottledError', retryAfter: 300 }],
    [451, 'too busy, come back in 5 minutes', { name: 'ThrottledError', retryAfter: 300 }],
    [452, 'no room now', { name: 'RetryableError' }],
    [550, 'no such mailbox', { name: 'FatalError' }],
    [554, 'spam', { name: 'FatalError' }],
  ])('takes %i %s for what it says', async (code, message, failure) => {
    await start({ onRcptTo: (_address, _session, done) => done(refusal(code, message)) });
    await expect(runTask(handler, MAIL)).rejects.toMatchObject({
      ...failure,
      message: expect.stringContaining(message),
      cause: { responseCode: code },
    });
    expect(received).toEqual([]);
  });

  it('understands a refusal after the text, too', async () => {
    await start({
      onData(stream, _session, done) {
        stream.resume();
        stream.on('end', () => done(refusal(552, 'too large')));
      },
    });
    await expect(runTask(handler, MAIL)).rejects.toMatchObject({ name: 'FatalError' });
  });

  it('does not lose mail to a wrong password', async () => {
    const port = await start({
      authOptional: false,
      allowInsecureAuth: true,
      onAuth: (_auth, _session, done) => done(refusal(535, 'wrong password')),
    });
    vi.stubEnv('SMTP_URL', `smtp://user:old@127.0.0.1:${port}`);
    await expect(runTask(handler, MAIL)).rejects.toMatchObject({
      name: 'RetryableError',
      message: expect.stringContaining('refuses the login'),
    });
  });

  it('is retryable, in the words of the socket, when nobody answers', async () => {
    vi.stubEnv('SMTP_URL', 'smtp://127.0.0.1:1');
    await expect(runTask(handler, MAIL)).rejects.toMatchObject({ code: 'ESOCKET' });
  });

  it('gives up in time when the server says nothing', async () => {
    await start({ onConnect: () => undefined });
    const failing = runTask(handler, MAIL, { remainingMs: () => 200 });
    await expect(failing).rejects.toMatchObject({ code: 'ETIMEDOUT' });
  });

  it('says so when it has no server', async () => {
    vi.stubEnv('SMTP_URL', '');
    await expect(runTask(handler, MAIL)).rejects.toThrow('SMTP_URL is not set');
  });

  it('refuses what is no address', async () => {
    await expect(runTask(handler, { ...MAIL, to: 'ada' })).rejects.toMatchObject({ name: 'InputError' });
  });
});

it('passes on what is not an error', () => {
  expect(failureOfSmtp('text')).toBe('text');
});
