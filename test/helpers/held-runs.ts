/** Runs that a test ends when it likes. */
export function held() {
  const runs: (() => Promise<void>)[] = [];
  return {
    launch: (run: () => Promise<void>) => void runs.push(run),
    endAll: async () => {
      for (const run of runs.splice(0)) await run();
    },
    count: () => runs.length,
  };
}
