/** 64 bits as two unsigned halves. */
export type Key = readonly [number, number];

/** MurmurHash3's finaliser (Appleby): every bit of the input moves every bit of the output. */
function finish(h: number): number {
  let x = h;
  x = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
  return (x ^ (x >>> 16)) >>> 0;
}

/** A key of a key and two numbers. */
export function mix([high, low]: Key, a: number, b: number): Key {
  const x = finish(high ^ Math.imul(a, 0x9e3779b1) ^ Math.imul(b + 0x7ed55d16, 0x165667b1));
  const y = finish(low ^ Math.imul(b, 0x85ebca77) ^ Math.imul(a + 0x68bc21eb, 0xc2b2ae3d) ^ x);
  return [finish(x ^ Math.imul(y, 0x27d4eb2f)), y];
}

const known = new Map<string, number>();

/** FNV-1a (Fowler, Noll, Vo) of a text; texts are few and come often. */
export function hashText(text: string): number {
  const found = known.get(text);
  if (found !== undefined) return found;
  let h = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  const hash = finish(h);
  if (known.size < 100_000) known.set(text, hash);
  return hash;
}
