/** SHA-256 of a text, base64url. */
export interface Hasher {
  readonly sha256: (text: string) => string;
}
