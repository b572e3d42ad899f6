import { defineTask } from '@sluice/handler';
import { createTransport } from 'nodemailer';
import * as z from 'zod';
import { failureOfSmtp } from './smtp-failure.ts';

/** Milliseconds that one step of the dialogue may take; the attempt's own time may end it earlier. */
const STEP_TIMEOUT_MS = 10_000;

/**
 * Sends one mail by SMTP, to the server that `SMTP_URL` names: `smtp://user:password@host:587`, or `smtps://…:465`
 * for TLS from the start. `MAIL_FROM` is the sender.
 *
 * A server may take a mail and the answer be lost, so a mail can be sent twice. Its Message-ID is made of the task's
 * uid, the same in every attempt: whoever receives a copy can tell that it is one, and mail stores do.
 */
export const handler = defineTask({
  type: 'send-email',
  input: z.object({
    to: z.email(),
    subject: z.string().min(1).max(500),
    text: z.string(),
    html: z.string().optional(),
  }),
  async run(ctx, { to, subject, text, html }) {
    const from = process.env['MAIL_FROM'] ?? 'Sluice <sluice@example.com>';
    const timeoutMs = Math.max(1, Math.min(STEP_TIMEOUT_MS, ctx.remainingMs()));
    // A connection for each mail: one that is kept would be frozen with the function and found dead.
    const transport = createTransport({
      url: smtpUrl(),
      connectionTimeout: timeoutMs,
      greetingTimeout: timeoutMs,
      socketTimeout: timeoutMs,
    });
    const messageId = `<${ctx.uid.toLowerCase()}@${domainOf(from)}>`;
    try {
      const sent = await transport.sendMail({ from, to, subject, text, ...(html !== undefined && { html }), messageId });
      ctx.log.info('mail sent', { messageId, response: sent.response });
      return { messageId, response: sent.response };
    } catch (error) {
      throw failureOfSmtp(error);
    } finally {
      transport.close();
    }
  },
});

function smtpUrl(): string {
  const url = process.env['SMTP_URL'];
  if (!url) throw new Error('SMTP_URL is not set: give the function the mail server, for example smtp://127.0.0.1:2525');
  return url;
}

function domainOf(from: string): string {
  return /@([^\s>]+)/.exec(from)?.[1] ?? 'localhost';
}
