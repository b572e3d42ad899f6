/** Waiting inside a call. Only for what holds a caller's connection; whatever may outlive a call is a hint. */
export interface Timer {
  readonly sleep: (milliseconds: number) => Promise<void>;
}
