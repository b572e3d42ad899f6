/** Cuts entries into batches of at most so many entries and bytes, in their order. An entry too large goes alone. */
export function batchesOf<T>(
  entries: readonly T[],
  bytesOf: (entry: T) => number,
  maxEntries: number,
  maxBytes: number,
): readonly (readonly T[])[] {
  const batches: T[][] = [];
  let bytes = 0;
  for (const entry of entries) {
    const size = bytesOf(entry);
    const last = batches.at(-1);
    if (last && last.length < maxEntries && bytes + size <= maxBytes) {
      last.push(entry);
      bytes += size;
    } else {
      batches.push([entry]);
      bytes = size;
    }
  }
  return batches;
}
