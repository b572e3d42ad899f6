/** A map that holds on to what was asked for lately: the last half of `most` keys at least, and never more than `most`. */
export interface Recent<V> {
  readonly get: (key: string) => V | undefined;
  readonly set: (key: string, value: V) => void;
  readonly entries: () => readonly (readonly [string, V])[];
}

/** In two generations: what is asked for moves to the younger one, and when that is full the older one goes. */
export function createRecent<V>(most: number): Recent<V> {
  const half = Math.floor(most / 2);
  let young = new Map<string, V>();
  let old = new Map<string, V>();
  const set = (key: string, value: V): void => {
    if (young.size >= half && !young.has(key)) {
      old = young;
      young = new Map();
    }
    old.delete(key);
    young.set(key, value);
  };
  return {
    get: (key) => {
      const found = young.get(key);
      if (found !== undefined) return found;
      const older = old.get(key);
      if (older !== undefined) set(key, older);
      return older;
    },
    set,
    entries: () => [...young, ...old],
  };
}
