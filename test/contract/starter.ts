import { describe, expect, it } from 'vitest';
import type { Envelope } from '@sluice/contracts';
import type { Starter } from '../../core/ports/starter.ts';
import { A, B, makeEnvelope, makeSpec } from './fixtures.ts';

export type Handler = (envelope: Envelope) => unknown;

export interface StarterUnderTest {
  readonly starter: Starter;
  /** The envelopes of the attempts that were started as events. */
  readonly events: () => readonly Envelope[];
}

/** @param make a starter with these handlers, by type; one for `busy` is throttled, one for `broken` hangs up */
export function starterContract(name: string, make: (handlers: Record<string, Handler>) => Promise<StarterUnderTest>): void {
  describe(`starter: ${name}`, () => {
    it('waits for an answer', async () => {
      const { starter, events } = await make({ thumbnail: ({ payload }) => ({ got: payload }) });
      expect(await starter.start(makeSpec(), 'wait', makeEnvelope())).toEqual({
        kind: 'answered',
        answer: { payload: { got: { n: 1 } }, functionError: undefined, requestId: expect.stringMatching(/./) },
      });
      expect(events()).toEqual([]);
    });

    it('answers null for a handler that returns nothing', async () => {
      const { starter } = await make({ thumbnail: () => undefined });
      const result = await starter.start(makeSpec(), 'wait', makeEnvelope());
      expect(result).toMatchObject({ kind: 'answered', answer: { payload: null } });
    });

    it('answers with the error of a handler that throws', async () => {
      const { starter } = await make({
        thumbnail: () => {
          throw new TypeError('no image');
        },
      });
      expect(await starter.start(makeSpec(), 'wait', makeEnvelope())).toMatchObject({
        kind: 'answered',
        answer: { functionError: 'Unhandled', payload: { errorType: 'TypeError', errorMessage: 'no image' } },
      });
    });

    it('starts an event without waiting for its end', async () => {
      const { starter, events } = await make({ thumbnail: () => new Promise(() => {}) });
      const envelope = makeEnvelope();
      expect(await starter.start(makeSpec(), 'event', envelope)).toEqual({ kind: 'started' });
      await expect.poll(events).toEqual([envelope]);
    });

    it.each(['wait', 'event'] as const)('is refused where there is no handler (%s)', async (mode) => {
      const { starter } = await make({});
      const result = await starter.start(makeSpec(), mode, makeEnvelope());
      expect(result).toMatchObject({ kind: 'refused', why: 'missing' });
    });

    it.each(['wait', 'event'] as const)('is refused where the handler is throttled (%s)', async (mode) => {
      const { starter, events } = await make({ busy: () => 1 });
      const result = await starter.start(makeSpec({ type: 'busy' }), mode, makeEnvelope());
      expect(result).toMatchObject({ kind: 'refused', why: 'throttled' });
      expect(events()).toEqual([]);
    });

    it.each(['wait', 'event'] as const)('does not know what became of a call without an answer (%s)', async (mode) => {
      const { starter } = await make({ broken: () => 1 });
      const result = await starter.start(makeSpec({ type: 'broken' }), mode, makeEnvelope());
      expect(result).toMatchObject({ kind: 'unknown' });
    });

    it('starts two tenants’ attempts at once, each with its own envelope', async () => {
      const { starter } = await make({ thumbnail: ({ sluice }) => sluice.tenant });
      const tenants = [A, B, A, B];
      const results = await Promise.all(tenants.map((tenant) => starter.start(makeSpec(), 'wait', makeEnvelope({}, { tenant }))));
      expect(results).toMatchObject(tenants.map((payload) => ({ kind: 'answered', answer: { payload } })));
    });
  });
}
