/** Bytes of a text in UTF-8. */
export function utf8Bytes(text: string): number {
  return Buffer.byteLength(text, 'utf8');
}

const CUT = '… [cut]';

/** The text, or as much of its beginning as fits into `maxBytes` of UTF-8 together with a mark that it was cut. */
export function cutTo(text: string, maxBytes: number): string {
  if (utf8Bytes(text) <= maxBytes) return text;
  const bytes = Buffer.from(text, 'utf8');
  let end = Math.max(0, maxBytes - utf8Bytes(CUT));
  // A byte of the form 10xxxxxx continues a character: step back to where that character begins.
  while (end > 0 && (bytes.readUInt8(end) & 0xc0) === 0x80) end -= 1;
  return bytes.toString('utf8', 0, end) + CUT;
}
