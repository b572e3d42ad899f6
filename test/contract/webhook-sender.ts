import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { WebhookSender } from '../../core/ports/webhook-sender.ts';
import { A, B } from './fixtures.ts';

export interface HeardCall {
  readonly path: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

export interface WebhookSenderUnderTest {
  readonly sender: WebhookSender;
  /** Of a receiver that the sender may call; it answers as `answer` says last. */
  readonly baseUrl: string;
  readonly answer: (status: number, body?: string, headers?: Record<string, string>) => void;
  readonly heard: () => readonly HeardCall[];
  readonly close: () => Promise<void>;
}

export function webhookSenderContract(name: string, make: () => Promise<WebhookSenderUnderTest>): void {
  describe(`webhook sender: ${name}`, () => {
    let made: WebhookSenderUnderTest;
    beforeEach(async () => {
      made = await make();
    });
    afterEach(() => made.close());

    const requestOf = (path: string) => ({
      url: made.baseUrl + path,
      headers: { 'x-given': 'Ü'.codePointAt(0)?.toString() ?? '' },
      body: '{"a":"Ü"}',
      timeoutMs: 5_000,
    });

    it('sends body and headers to the URL', async () => {
      made.answer(204);
      expect(await made.sender.send(A, requestOf('/a?b=c'))).toMatchObject({ kind: 'answered', status: 204 });
      expect(made.heard()).toMatchObject([{ path: '/a?b=c', headers: { 'x-given': '220' }, body: '{"a":"Ü"}' }]);
    });

    it('tells the status, when to come back, and the beginning of what was said', async () => {
      made.answer(503, 'busy', { 'retry-after': '7' });
      expect(await made.sender.send(A, requestOf('/'))).toEqual({ kind: 'answered', status: 503, body: 'busy', retryAfter: '7' });
    });

    it('goes nowhere that is not allowed', async () => {
      for (const url of [
        'http://example.com/',
        'https://169.254.169.254/latest/meta-data',
        'https://[::1]:9/',
        'https://example.com:9001/',
      ]) {
        expect(await made.sender.send(A, { ...requestOf('/'), url })).toMatchObject({ kind: 'forbidden' });
      }
      expect(made.heard()).toEqual([]);
    });

    it("sends two tenants' calls each to its own URL", async () => {
      made.answer(200);
      await Promise.all([made.sender.send(A, { ...requestOf('/a'), body: 'a' }), made.sender.send(B, { ...requestOf('/b'), body: 'b' })]);
      expect(
        made
          .heard()
          .map(({ path, body }) => [path, body])
          .toSorted(),
      ).toEqual([
        ['/a', 'a'],
        ['/b', 'b'],
      ]);
    });
  });
}
