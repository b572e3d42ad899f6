import type { Envelope, KitReply, TaskTypeSpec } from '@sluice/contracts';
import type { Behaviour } from './behaviour.ts';
import { isDown, isPoison } from './crashes.ts';
import type { FaultKind } from './faults.ts';
import { isHopeless } from './hopeless.ts';
import { oneOf, strike, strikes, type Simulation } from './simulation.ts';
import type { Stream } from './choices.ts';

const BEHAVIOURS = [
  'succeeds',
  'fails',
  'is throttled',
  'fails for good',
  'succeeds with the kit',
  'is throttled with the kit',
  'returns much',
] as const;
const WILD = [8, 4, 2, 1, 2, 1, 1];
/** Once no fault strikes any more most runs end well, and none takes its whole time. */
const TAME = [16, 2, 1, 1, 2, 1, 1];
const MUCH = 'x'.repeat(500);

/** What a handler does this time: a user's function, or Lambda when it kills it. */
export function behave(sim: Simulation, stream: Stream, spec: TaskTypeSpec, { sluice }: Envelope): Behaviour {
  const limit = spec.timeoutSeconds * 1000;
  if (strikes(sim, stream, 'run-timed-out'))
    return failure('times out', limit, '', `Task timed out after ${spec.timeoutSeconds}.00 seconds`, true);
  const ms = Math.min(limit, oneOf(stream, 'takes', sim.calm ? [10, 100, 1_000] : [10, 100, 1_000, 10_000, 29_000]));
  if (isPoison(sim, spec.type, sluice.task)) return crash(sim, 'poison', ms);
  if (isDown(sim, spec.type)) return crash(sim, 'outage', ms);
  if (strikes(sim, stream, 'run-crashed')) return exit(ms);
  if (isHopeless(sim, sluice.task)) return hopeless('fails for good', ms);
  const name = BEHAVIOURS[stream.choose(BEHAVIOURS.length, 'ends', sim.calm ? TAME : WILD)] ?? 'succeeds';
  const now = sim.kernel.now();
  switch (name) {
    case 'succeeds':
      return { name, ms, answer: { payload: { ok: true } }, counts: true, crashed: false, success: true };
    case 'returns much':
      return { name, ms, answer: { payload: MUCH }, counts: true, crashed: false, success: true };
    case 'succeeds with the kit':
      return { name, ms, answer: { payload: kit('succeeded', now, ms) }, counts: true, crashed: false, success: true };
    case 'is throttled with the kit':
      return { name, ms, answer: { payload: kit('throttled', now, ms, 20_000) }, counts: false, crashed: false, success: false };
    case 'fails':
      return failure(name, ms, 'Error', 'no');
    case 'fails for good':
      return hopeless(name, ms);
    case 'is throttled':
      return { ...failure(name, ms, 'ThrottledError', 'slow down'), counts: false };
  }
}

function hopeless(name: string, ms: number): Behaviour {
  return failure(name, ms, 'FatalError', 'never');
}

function crash(sim: Simulation, kind: FaultKind, ms: number): Behaviour {
  strike(sim, kind);
  return exit(ms);
}

function exit(ms: number): Behaviour {
  return failure('crashes', ms, 'Runtime.ExitError', 'RequestId: 1 Error: Runtime exited with error: signal: killed', true);
}

export function failure(name: string, ms: number, errorType: string, errorMessage: string, crashed = false): Behaviour {
  const answer = { functionError: 'Unhandled', payload: { errorType, errorMessage } };
  return { name, ms, answer, counts: true, crashed, success: false };
}

function kit(ended: 'succeeded' | 'throttled', startedAt: number, ms: number, retryAfterMs?: number): KitReply {
  const said = { version: 1, class: ended, startedAt, endedAt: startedAt + ms } as const;
  return { sluice: { ...said, ...(retryAfterMs !== undefined && { retryAfterMs }) }, result: { ok: true } };
}
