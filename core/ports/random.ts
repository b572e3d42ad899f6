/** The source of chance. Names must come from a cryptographic source: a uid is what makes an outcome believable. */
export interface Random {
  /** Uniform in [0, 1). */
  readonly fraction: () => number;
  /** A ULID for this time, with 80 random bits. */
  readonly ulid: (now: number) => string;
  /** A short random name, 48 bits or more. */
  readonly nonce: () => string;
}
