import type { AdmissionDocument, AdmissionReport, AdmissionState } from '@sluice/contracts';
import { beforeEach, describe, expect, it } from 'vitest';
import type { AdmissionStore } from '../../core/ports/admission-store.ts';
import { A, B, NOW } from './fixtures.ts';

export function makeReport(given: Partial<AdmissionReport> = {}): AdmissionReport {
  return { v: 1, by: 'env-1', from: NOW, to: NOW + 5_000, tasks: 110, refused: 1, flows: [[A, 100, 1]], sampled: [[B, 10, 0]], ...given };
}

export function makeDocument(given: Partial<AdmissionDocument> = {}): AdmissionDocument {
  return {
    v: 1,
    at: NOW,
    environments: 2,
    offered: 22,
    refused: 0.2,
    target: 20,
    tenants: [
      { tenant: A, offered: 20, refused: 0.2, refuse: { code: 'throttled', part: 0.5, waitSeconds: 10 } },
      { tenant: B, offered: 2, refused: 0, rate: 5, burst: 10 },
    ],
    ...given,
  };
}

export function makeState(given: Partial<AdmissionState> = {}): AdmissionState {
  return {
    v: 1,
    at: NOW,
    pressed: true,
    depth: { at: NOW, waiting: 1_000, drained: 20 },
    lanes: [[A, 'thumbnail', NOW, 17]],
    waiting: [{ tenant: A, at: NOW, tasks: 3, oldestAt: NOW - 1_000, drained: 1 }],
    ...given,
  };
}

export function admissionStoreContract(name: string, make: () => Promise<AdmissionStore>): void {
  describe(`admission store: ${name}`, () => {
    let store: AdmissionStore;
    beforeEach(async () => {
      store = await make();
    });

    it('has nothing at first', async () => {
      expect(await store.reports(0)).toEqual([]);
      expect(await store.document()).toBeUndefined();
      expect(await store.state()).toBeUndefined();
    });

    it('keeps every report of every environment, and gives those that ended since', async () => {
      const reports = [
        makeReport(),
        makeReport({ from: NOW + 5_000, to: NOW + 10_000, limited: [A] }),
        makeReport({ by: 'env-2' }),
        makeReport({ by: 'env-3', to: NOW + 4_999 }),
      ];
      for (const report of reports) await store.putReport(report);
      // Once more, as after an answer that was lost.
      await store.putReport(makeReport());
      const since = await store.reports(NOW + 5_000);
      expect(since).toHaveLength(3);
      expect(since).toEqual(expect.arrayContaining(reports.slice(0, 3)));
      expect(await store.reports(NOW + 4_999)).toHaveLength(4);
      expect(await store.reports(NOW + 10_001)).toEqual([]);
    });

    it('keeps every field of the document and of the state', async () => {
      await store.putDocument(makeDocument());
      await store.putState(makeState());
      expect(await store.document()).toEqual(makeDocument());
      expect(await store.state()).toEqual(makeState());
    });

    it('keeps the later of two, whichever is written last', async () => {
      await store.putDocument(makeDocument({ at: NOW + 1, offered: 1 }));
      await store.putState(makeState({ at: NOW + 1, pressed: false }));
      await store.putDocument(makeDocument({ at: NOW }));
      await store.putState(makeState({ at: NOW }));
      expect(await store.document()).toMatchObject({ at: NOW + 1, offered: 1 });
      expect(await store.state()).toMatchObject({ at: NOW + 1, pressed: false });
      await store.putDocument(makeDocument({ at: NOW + 2 }));
      expect(await store.document()).toMatchObject({ at: NOW + 2 });
    });
  });
}
