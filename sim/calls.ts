import { describeAnswer, describeCall } from './describe.ts';
import type { Stream } from './choices.ts';
import { CALL_FAULTS, type CallFault } from './faults.ts';
import type { FunctionName } from './functions.ts';
import { partitionOf } from './partition.ts';
import { unknownAnswer, type PortCall } from './ports.ts';
import { oneOf, strike, type Simulation } from './simulation.ts';

/** ms that the call which starts an attempt may take to arrive: its client gives it up then. */
const START_WITHIN_MS = 10_000;
/** ms that a call of a round of control may take: what its lease is made for. */
const DIVIDE_WITHIN_MS = 16_000;

/** Ways there and back of a call that nothing happens to, ms. */
const WAYS: readonly (readonly [number, number])[] = [
  [1, 0],
  [2, 0],
  [5, 0],
  [1, 3],
  [20, 0],
  [8, 8],
  [3, 60],
  [100, 20],
];
const WAY_WEIGHTS = [4, 3, 3, 2, 2, 1, 1, 1];

/** What begins a choice of a fault of a call; the function and the call follow. */
export const FAULT_IN = 'fault in ';
const NEVER_TWICE: ReadonlySet<string> = new Set(['starter.start', 'timer.sleep', 'types.read']);

interface Caller {
  readonly isAlive: () => boolean;
  readonly die: (why: string) => void;
  readonly resolve: (answer: unknown) => void;
  readonly reject: (error: unknown) => void;
}

/** A call that is on its way: it is applied later, or fails, or is the last of its invocation. */
export function makeCall(
  sim: Simulation,
  { who, name }: { who: string; name: FunctionName },
  stream: Stream,
  call: PortCall,
  caller: Caller,
): void {
  const { kernel, history } = sim;
  const fault = faultOf(sim, stream, name, call);
  const told = (what: string, f: string | undefined = fault === 'none' ? undefined : fault) =>
    history?.add(who, `${describeCall(call)}${what}`, f);
  const [there, back] = WAYS[stream.choose(WAYS.length, 'way', WAY_WEIGHTS)] ?? [1, 0];
  if (call.at === 'timer.sleep') return void kernel.after(call.args[0] as number, () => caller.isAlive() && caller.resolve(undefined));

  const answer = (value: unknown) => caller.isAlive() && caller.resolve(value);
  const unknown = () => {
    if (!caller.isAlive()) return;
    try {
      caller.resolve(unknownAnswer(call));
    } catch (error) {
      caller.reject(error);
    }
  };
  /** Makes the call now; a partition that is throttled refuses it. */
  const apply = (then: (value: unknown) => void, what = ''): void => {
    const partition = partitionOf(call);
    if (partition !== undefined && (sim.partitions.get(partition) ?? 0) > kernel.now()) {
      strike(sim, 'partition-refused');
      told(' is refused', 'partition-refused');
      return unknown();
    }
    sim.cause = stream;
    call.apply().then(
      (value) => {
        told(`${describeAnswer(call.at, value)}${what}`);
        then(value);
      },
      (error: unknown) => {
        told(` fails: ${String(error)}`);
        if (caller.isAlive()) caller.reject(error);
      },
    );
  };
  const wait = (what: string, ...from: [number, ...number[]]) => within(call, oneOf(stream, what, from));

  switch (fault) {
    case 'none':
      return void kernel.after(there, () => apply((value) => (back === 0 ? answer(value) : kernel.after(back, () => answer(value)))));
    case 'partition-throttled': {
      const partition = partitionOf(call) ?? '';
      sim.partitions.set(partition, kernel.now() + oneOf(stream, 'for', [1_000, 10_000, 60_000]));
      return void kernel.after(there, () => apply(answer));
    }
    case 'refused':
      told(' is not applied');
      return void kernel.after(wait('until', 1, 1_000, 15_000), unknown);
    case 'lost-answer':
      kernel.after(there, () => apply(() => {}, ', which nobody hears'));
      return void kernel.after(there + wait('until', 1, 5_000, 15_000), unknown);
    case 'late': {
      const until = wait('until', 1, 5_000, 15_000);
      kernel.after(until, unknown);
      return void kernel.after(within(call, until + oneOf(stream, 'late', [1, 100, 1_000, 8_000])), () => apply(() => {}, ', late'));
    }
    case 'repeated':
      kernel.after(there, () => apply(() => {}, ', which nobody hears'));
      return void kernel.after(there + oneOf(stream, 'again', [50, 1_000, 5_000]), () => apply(answer, ', once more'));
    case 'partial': {
      const sends = call.args[0] as unknown[];
      const sent = sends.map((_, i) => stream.choose(2, `send ${i}`) === 0);
      const some = { ...call, args: [sends.filter((_, i) => sent[i])] };
      return void kernel.after(there, () => {
        sim.cause = stream;
        void sim.ports.queue.send(some.args[0] as never);
        told(` sends ${sent.filter(Boolean).length} of ${sends.length}`);
        answer(sent);
      });
    }
    case 'slow': {
      const ms = sim.profile.patient ? wait('slowly', 1_000, 5_000, 15_000, 45_000) : wait('slowly', 1_000, 5_000, 15_000);
      const after = stream.choose(2, 'slow answer') === 1;
      return void kernel.after(after ? there : ms, () => apply((value) => kernel.after(after ? ms : back, () => answer(value))));
    }
    case 'crash-before':
      return void kernel.after(there, () => {
        if (!caller.isAlive()) return;
        told(' is never made');
        caller.die('crash');
      });
    case 'crash-after':
      return void kernel.after(there, () => {
        apply(() => {});
        caller.die('crash');
      });
  }
}

/** The call that starts an attempt, and those that divide, arrive within their client's time-out, or not at all. */
function within({ at }: PortCall, ms: number): number {
  if (at === 'starter.start') return Math.min(ms, START_WITHIN_MS - 1);
  return at === 'permits.setShare' || at === 'permits.setRates' || at.startsWith('divisions.') ? Math.min(ms, DIVIDE_WITHIN_MS - 1) : ms;
}

function faultOf(sim: Simulation, stream: Stream, name: FunctionName, call: PortCall): CallFault {
  if (sim.calm) return 'none';
  const fault = CALL_FAULTS[stream.choose(CALL_FAULTS.length, `${FAULT_IN}${name}: ${call.at}`, sim.profile.callWeights)] ?? 'none';
  if (fault === 'none') return fault;
  const crash = fault === 'crash-before' || fault === 'crash-after';
  if (NEVER_TWICE.has(call.at) && !crash && (call.at !== 'starter.start' || fault === 'repeated')) return 'none';
  if (call.at === 'timer.sleep') return 'none';
  if (fault === 'partial' && (call.at !== 'queue.send' || (call.args[0] as unknown[]).length < 2)) return 'none';
  if (fault === 'partition-throttled' && partitionOf(call) === undefined) return 'none';
  strike(sim, fault);
  return fault;
}
