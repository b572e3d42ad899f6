import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);

/** A module of dynalite, which names none of them in its package. @throws when it is not what it was */
export function part<T extends object>(path: string, ...methods: (keyof T & string)[]): T {
  return having(require(`dynalite/${path}`) as T, `dynalite/${path}`, ...methods);
}

/** What is given, after a look at whether it has these methods. */
export function having<T extends object>(found: T, name: string, ...methods: (keyof T & string)[]): T {
  for (const method of methods) {
    if (typeof found[method] !== 'function') throw new Error(`${name} has no ${method} any more: see local/servers/dynalite`);
  }
  return found;
}
