/** Hears of a call that was applied, with its answer. */
export type Listener = (at: string, args: readonly unknown[], answer: unknown) => void;

/** What is told of: all that changes what a check looks at. */
const TOLD = {
  tasks: ['insert', 'replace', 'update'],
  queue: ['remove'],
  backlog: ['put', 'remove', 'register', 'unregister'],
  permits: ['acquire', 'release', 'raise', 'clear', 'spend', 'setRates'],
  divisions: ['putRates', 'removeRates', 'putRest', 'removeRest'],
  buckets: ['put', 'advance'],
  events: ['publish'],
  schedules: ['put'],
} as const;

type Method = (...args: unknown[]) => Promise<unknown>;

/** The same services, with a listener. Faults go around these, so that what is heard is what really happened. */
export function observed<S extends object>(services: S, listener: Listener): S {
  const all = { ...services } as Record<string, Record<string, unknown>>;
  for (const [name, methods] of Object.entries(TOLD)) {
    const port = all[name];
    if (!port) continue;
    const heard: Record<string, unknown> = { ...port };
    for (const method of methods) {
      const call = port[method] as Method;
      const at = `${name}.${method}`;
      heard[method] = async (...args: unknown[]) => {
        const answer = await call(...args);
        listener(at, args, answer);
        return answer;
      };
    }
    all[name] = heard;
  }
  return all as S;
}
