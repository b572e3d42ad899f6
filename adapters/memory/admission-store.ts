import type { AdmissionDocument, AdmissionReport, AdmissionState } from '@sluice/contracts';
import type { AdmissionStore } from '../../core/ports/admission-store.ts';

/** ms of what is told that are kept. */
const KEPT_MS = 300_000;

/** What is told of submissions, in memory. */
export function createMemoryAdmissionStore(): AdmissionStore {
  let reports: AdmissionReport[] = [];
  let document: AdmissionDocument | undefined;
  let state: AdmissionState | undefined;
  return {
    putReport: async (report) => {
      reports = reports.filter(({ by, to }) => report.to - to < KEPT_MS && !(by === report.by && to === report.to));
      reports.push(structuredClone(report));
    },
    reports: async (since) => structuredClone(reports.filter(({ to }) => to >= since)),
    document: async () => structuredClone(document),
    putDocument: async (next) => {
      if (!document || document.at < next.at) document = structuredClone(next);
    },
    state: async () => structuredClone(state),
    putState: async (next) => {
      if (!state || state.at < next.at) state = structuredClone(next);
    },
  };
}
