import type { AdmissionDocument, AdmissionReport, AdmissionState } from '@sluice/contracts';

/** What environments of submit tell, and what control makes of it. Every method throws when its answer is unknown. */
export interface AdmissionStore {
  /** Keeps a report for some minutes. */
  readonly putReport: (report: AdmissionReport) => Promise<void>;
  /** The reports whose intervals ended at that time or later, ms; each environment may have several. */
  readonly reports: (since: number) => Promise<readonly AdmissionReport[]>;
  readonly document: () => Promise<AdmissionDocument | undefined>;
  /** Takes the place of the one that is there, unless that is newer. */
  readonly putDocument: (document: AdmissionDocument) => Promise<void>;
  /** What control remembers; `putState` as `putDocument`. */
  readonly state: () => Promise<AdmissionState | undefined>;
  readonly putState: (state: AdmissionState) => Promise<void>;
}
