import { isTerminal } from '../../core/tasks/state.ts';
import { receiptOf } from './apply.ts';
import type { ClientCall, ExploreConfig } from './config.ts';
import type { Continuations } from './continuation.ts';
import { armedMinutes, begin } from './invocations.ts';
import type { Step } from './step.ts';
import { CLIENTS, RECORDS, T0, TICK, type QueueMessage, type RecordMessage, type World } from './world.ts';

/** Seconds that a received message stays out of sight, as lib/ sets it. */
const HIDDEN_MS = { queue: 180_000, records: 120_000 };
const WORKERS: ReadonlySet<string> = new Set(['dispatch', 'settle', 'tick']);

/** What event sources and the schedule may start. */
export function receiveSteps(config: ExploreConfig, code: Continuations, world: World, twice: boolean): Step[] {
  if (world.invocations.filter((i) => WORKERS.has(i.at.input.kind)).length >= config.workers) return [];
  const steps: Step[] = [];
  const offer = (message: QueueMessage | RecordMessage, slot: number, what: string, take: (from: World) => World | Promise<World>) => {
    if (message.visibleAt <= world.now) steps.push({ label: () => what, prompt: true, fault: false, take: () => take(world) });
    else if (twice && world.invocations.some((i) => i.messages.includes(slot))) {
      steps.push({ label: () => `${what} AGAIN`, prompt: false, fault: true, take: () => take({ ...world, faults: world.faults + 1 }) });
    }
  };
  for (const message of world.queue)
    offer(message, message.id, `dispatch receives ${nameOf(message)}`, (from) => receive(config, code, from, message));
  for (const record of world.records) {
    offer(record, RECORDS + record.id, `settle receives record ${record.id}`, (from) => takeRecord(config, code, from, record));
  }
  const minute = Math.floor(world.now / 60_000);
  const minutes = [...world.buckets.map((b) => b.minute), ...armedMinutes(world)];
  const useful = world.backlog.length > 0 || minutes.some((m) => m > (world.cursor ?? 0) && m <= minute + 1);
  if (minute > world.ticked && useful) {
    steps.push({
      label: () => 'the minute ticks',
      prompt: true,
      fault: false,
      take: () => begin(code, { ...world, ticked: minute }, { kind: 'tick' }, { slot: TICK, endless: config.endless === true }),
    });
  }
  return steps;
}

function nameOf({ hint, id }: QueueMessage): string {
  const what = hint.kind === 'lane' ? `lane hint of ${hint.type}` : `hint of ${hint.tasks.map((t) => `${t.id} seq ${t.seq}`).join(', ')}`;
  return `${what} (message ${id})`;
}

function receive(config: ExploreConfig, code: Continuations, world: World, message: QueueMessage): World | Promise<World> {
  const taken = { ...message, visibleAt: world.now + HIDDEN_MS.queue, receives: message.receives + 1 };
  const hint = {
    messageId: `m${message.id}`,
    receipt: receiptOf(taken),
    queue: { priority: 'normal' as const, shard: 0 },
    receiveCount: taken.receives,
    body: message.body,
  };
  const next = { ...world, queue: world.queue.map((m) => (m.id === message.id ? taken : m)) };
  return begin(
    code,
    next,
    { kind: 'dispatch', received: [hint] },
    { slot: message.id, endless: config.endless === true, messages: [message.id] },
  );
}

function takeRecord(config: ExploreConfig, code: Continuations, world: World, record: RecordMessage): World | Promise<World> {
  const taken = { ...record, visibleAt: world.now + HIDDEN_MS.records, receives: record.receives + 1 };
  const received = { messageId: `r${record.id}`, receipt: receiptOf(taken), body: record.body };
  const next = { ...world, records: world.records.map((m) => (m.id === record.id ? taken : m)) };
  return begin(
    code,
    next,
    { kind: 'settle', received: [received] },
    { slot: RECORDS + record.id, endless: config.endless === true, messages: [RECORDS + record.id] },
  );
}

/** The next call of each client that is not in one. */
export function clientSteps(config: ExploreConfig, code: Continuations, world: World): Step[] {
  return config.clients.flatMap((calls, client): Step[] => {
    const n = world.called[client] ?? 0;
    const call = calls[n];
    if (!call || world.invocations.some((i) => i.client === client) || !mayBeMade(world, call)) return [];
    const next: World = { ...world, called: world.called.map((m, i) => (i === client ? m + 1 : m)) };
    const name = call.call === 'submit' ? `submits ${call.tasks.map(({ id }) => id).join(', ')}` : `wants to ${call.call} ${call.id}`;
    return [
      {
        label: () => `client ${client + 1} ${name}`,
        prompt: false,
        fault: false,
        take: () => begin(code, next, startOf(call, client, n), { slot: CLIENTS + client, endless: config.endless === true, client }),
      },
    ];
  });
}

function mayBeMade(world: World, call: ClientCall): boolean {
  const id = call.call === 'submit' ? call.tasks[0]?.id : call.id;
  const row = world.rows.find((r) => r.id === id);
  if (call.once === 'accepted') return row !== undefined && world.accepted.includes(row.uid);
  return call.once !== 'ended' || (row !== undefined && isTerminal(row.state));
}

function startOf(call: ClientCall, client: number, n: number) {
  const uid = (i: number) => `01KDV0000000000000000${client + 1}0${n + 1}0${i}`;
  if (call.call === 'cancel') return { kind: 'cancel' as const, id: call.id };
  if (call.call === 'retry') return { kind: 'retry' as const, id: call.id, uids: [uid(0)] };
  const submissions = call.tasks.map(({ id, type, delaySeconds, expiresSeconds }) => ({
    id,
    type,
    ...(delaySeconds !== undefined && { delaySeconds }),
    ...(expiresSeconds !== undefined && { expiresAt: new Date(T0 + expiresSeconds * 1000).toISOString() }),
  }));
  return { kind: 'submit' as const, uids: call.tasks.map((_, i) => uid(i)), submissions };
}
