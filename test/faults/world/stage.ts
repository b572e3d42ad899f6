import { SluiceClient } from '@sluice/client';
import {
  isSluiceError,
  type Accepted,
  type EndReason,
  type Scope,
  type Submission,
  type TaskRow,
  type TerminalState,
} from '@sluice/contracts';
import { DeleteCommand } from '@aws-sdk/lib-dynamodb';
import { setTimeout as sleep } from 'node:timers/promises';
import { laneListKey } from '../../../adapters/aws/keys.ts';
import { systemClock, systemTokens } from '../../../adapters/system.ts';
import { issueToken } from '../../../core/auth/token.ts';
import { livePermits } from '../../../core/permits/cells.ts';
import { hash32 } from '../../../core/routing/shuffle-shard.ts';
import { isTerminal } from '../../../core/tasks/state.ts';
import type { Script } from '../app/handler.ts';
import { TYPES } from '../app/types.ts';
import type { ArmedRule, Rule } from '../proxy/rules.ts';
import { nameOf } from '../sites/scan.ts';
import type { Watch } from './sightings.ts';
import { hostNameOf, type World } from './world.ts';

/** How a task must have ended. */
export interface Expected {
  readonly state: TerminalState | readonly TerminalState[];
  /** Attempts that count. */
  readonly attempts?: number;
  readonly reason?: EndReason;
  /** Leases that may have ended with nothing known, however many a fault cost. @default 1 */
  readonly lost?: number;
}

/** Seconds for the end of a task whose lease is lost twice, and that waits for a message meanwhile. */
const PATIENCE_SECONDS = 330;
const PAUSE_MS = 500;
const CALL_TRIES = 12;
const TOLD: ReadonlySet<string> = new Set(['failed', 'expired', 'cancelled']);

/** One run of an exercise: a tenant of its own, what it does, and what must hold of it in the end. */
export class Stage {
  readonly world: World;
  readonly tenant: string;
  readonly client: SluiceClient;
  /** One of these stands in every call that is about this run and says whose it is. */
  readonly names: string[];
  private readonly token: string;
  /** What was seen of its calls. */
  readonly watch: Watch;
  private readonly armed: ArmedRule[] = [];
  private readonly lanes = new Set<string>();
  private operating: Promise<SluiceClient> | undefined;

  private constructor(world: World, tenant: string, token: string) {
    this.world = world;
    this.tenant = tenant;
    this.token = token;
    this.names = [tenant, this.placeName, systemTokens.sha256Hex(token)];
    this.watch = world.sightings.watch(this.names);
    this.client = clientOf(world, token);
  }

  static async open(world: World, tenant: string): Promise<Stage> {
    const { token } = await issueToken(tokensOf(world), { tenant, scopes: ['admin'] });
    return new Stage(world, tenant, token);
  }

  /** Calls of an operator, made in this run. */
  operator(): Promise<SluiceClient> {
    this.operating ??= this.issued('platform');
    return this.operating;
  }

  private async issued(scope: Scope): Promise<SluiceClient> {
    const { token } = await issueToken(tokensOf(this.world), { tenant: this.tenant, scopes: [scope] });
    this.own(token);
    return clientOf(this.world, token);
  }

  /** What a wait's place is named by in place of its tenant. */
  get placeName(): string {
    return `${hash32(this.tenant).toString(36)}.`;
  }

  /** Makes a fault that is part of the scene, for calls about this run alone. */
  arm(rule: Omit<Rule, 'about'>): ArmedRule {
    if (!this.world.sites.has(nameOf(rule))) throw new Error(`there is no call site ${nameOf(rule)}`);
    const armed = this.world.proxy.arm({ ...rule, about: this.names });
    this.armed.push(armed);
    return armed;
  }

  /** Takes back the faults of the scene that have not been made: they would be made in the next one. */
  disarm(): void {
    for (const armed of this.armed) if (!armed.hasFired) this.world.proxy.disarm(armed);
  }

  /** The call sites at which the scene has faults of its own. */
  get ownFaults(): readonly string[] {
    return this.armed.map(({ rule }) => nameOf(rule));
  }

  /** Whether a call about this run has come from a call site; without a command, from any of the port's. */
  seen(fn: string, port: string, command = ''): boolean {
    return this.watch.has(nameOf({ fn, port, command }));
  }

  /** Runs a function as its schedule does: whether it fails is nothing that anybody is told. */
  async tick(fn: string): Promise<void> {
    await this.world.host.invoke(hostNameOf(fn), {});
  }

  /** A token of its own: calls about it name its hash alone. */
  own(token: string): void {
    this.names.push(systemTokens.sha256Hex(token));
  }

  /** Ends the faults of the scene, and takes the notes of its lanes away, which every tick would look at for five minutes. */
  async close(): Promise<void> {
    this.world.sightings.unwatch(this.watch);
    const { clients, table: TableName } = this.world;
    for (const type of new Set([...this.lanes, TYPES.narrow, TYPES.narrowWait])) {
      await clients.dynamodb.send(new DeleteCommand({ TableName, Key: laneListKey({ tenant: this.tenant, type }) }));
    }
    for (const armed of this.armed) this.world.proxy.disarm(armed);
  }

  async submit(id: string, type: string, script: Script, more: Partial<Submission> = {}): Promise<Accepted> {
    this.lanes.add(type);
    return this.client.submit({ ...more, id, type, payload: script });
  }

  /** The row of a task as soon as it is as asked. */
  async row(id: string, what: string, holds: (row: TaskRow) => boolean): Promise<TaskRow> {
    const row = await this.world.rows.until(this.tenant, id, what, PATIENCE_SECONDS, (each) => each !== undefined && holds(each));
    if (row === undefined) throw new Error('a row that holds is there');
    return row;
  }

  async running(id: string): Promise<TaskRow> {
    return this.row(id, 'it runs', ({ state }) => state === 'running');
  }

  /**
   * Waits for a task's end, which must be as expected, told if such ends are, and recorded once.
   * @param uid the generation that is meant; later ones are waited for
   */
  async ends(id: string, expected: Expected, uid?: string): Promise<TaskRow> {
    const row = await this.row(id, 'its end', (each) => isTerminal(each.state) && (uid === undefined || each.uid >= uid));
    this.lanes.add(row.type);
    const { state, reason, attempts, lost } = row;
    const wrong = [
      ...([expected.state].flat().includes(state as TerminalState) ? [] : [`it is ${state}`]),
      ...(expected.reason === undefined || expected.reason === reason ? [] : [`its reason is ${reason}`]),
      ...(expected.attempts === undefined || expected.attempts === attempts ? [] : [`${attempts} attempts were counted`]),
      ...(lost <= (expected.lost ?? 1) ? [] : [`${lost} attempts were lost`]),
      ...(this.world.successes.of(row.uid) <= 1 ? [] : ['it succeeded more than once']),
    ];
    if (wrong.length > 0) {
      throw new Error(`${this.tenant}/${id}: ${wrong.join(', ')}; expected ${JSON.stringify(expected)}: ${JSON.stringify(row)}`);
    }
    if (TOLD.has(state)) await this.told(`${row.uid}:${state}`);
    return row;
  }

  /** Waits until an event has been told. */
  async told(eventId: string): Promise<void> {
    await this.until(`the event ${eventId} is told`, () => this.world.events.get(eventId) !== undefined);
  }

  /** All permits of its lanes are given back, or their leases have ended. */
  async permitsReturned(): Promise<void> {
    for (const type of this.lanes) {
      await this.until(`the permits of ${type} are given back`, async () => {
        const cell = await this.world.permits.read({ tenant: this.tenant, type }, 0);
        return livePermits(cell, Date.now()).length === 0;
      });
    }
  }

  /** @throws when it does not hold after so many seconds */
  async until(what: string, holds: () => boolean | Promise<boolean>, seconds = PATIENCE_SECONDS): Promise<void> {
    const answer = async (): Promise<boolean> => {
      try {
        return await holds();
      } catch (error) {
        // A machine that is too busy for an answer has one later.
        if (isSluiceError(error) && error.code === 'unavailable') return false;
        throw error;
      }
    };
    for (const end = Date.now() + seconds * 1_000; !(await answer()); await sleep(PAUSE_MS)) {
      if (Date.now() > end) throw new Error(`${this.tenant}: ${what}, not within ${seconds} s`);
    }
  }

  /** The answer to a call of the API without the client, which is made again while a service behind it fails. */
  async answered(path: string, init: RequestInit = {}): Promise<Response> {
    const headers = { authorization: `Bearer ${this.token}`, 'content-type': 'application/json' };
    for (let tries = 1; ; tries++) {
      const response = await fetch(this.world.host.url + path, { ...init, headers });
      if (response.ok) return response;
      if (response.status < 500 || tries === CALL_TRIES)
        throw new Error(`${path} is answered ${response.status}: ${await response.text()}`);
      await sleep(PAUSE_MS);
    }
  }
}

/** As patient as a producer that means it. */
function clientOf(world: World, token: string): SluiceClient {
  return new SluiceClient({ baseUrl: world.host.url, token, retries: 12, minRetryDelayMs: 100, maxRetryDelayMs: 2_000 });
}

function tokensOf({ tokens }: World) {
  return { tokens, clock: systemClock, ...systemTokens };
}
