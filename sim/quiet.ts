/**
 * Resolves when every promise that can go on has gone on: all production code waits for a port, or is done. Node runs
 * what was put off to the next tick only once there are no more microtasks.
 */
export function quiet(): Promise<void> {
  return new Promise((resolve) => process.nextTick(resolve));
}
