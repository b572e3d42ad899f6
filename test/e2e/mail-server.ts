import { SMTPServer } from 'smtp-server';
import { afterAll, beforeAll } from 'vitest';
import { eventually, target } from './target.ts';

/** The mail server that the deployed `send-email` sends to. One test file uses it: there is one port. */
export interface MailServer {
  /** The text of the mail that has this in it, once it has come. */
  readonly with: (part: string) => Promise<string>;
}

export function useMailServer(): MailServer {
  const mails: string[] = [];
  const server = new SMTPServer({
    disabledCommands: ['AUTH', 'STARTTLS'],
    onData: (stream, _session, done) => {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('end', () => {
        mails.push(Buffer.concat(chunks).toString('utf8'));
        done();
      });
    },
    onRcptTo: ({ address }, _session, done) => {
      const refused = address.startsWith('nobody@');
      done(refused ? Object.assign(new Error('no such mailbox'), { responseCode: 550 }) : null);
    },
  });
  // A connection that is cut is the client's business.
  server.on('error', () => undefined);
  beforeAll(async () => {
    await new Promise<void>((resolve) => server.listen(target.smtpPort, '127.0.0.1', resolve));
  });
  afterAll(async () => {
    await new Promise<void>((resolve) => server.close(resolve));
  });
  return {
    with: (part) => eventually(`a mail with ${part}`, async () => mails.find((mail) => mail.includes(part))),
  };
}
