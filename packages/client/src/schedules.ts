import {
  acceptedSchema,
  previewSchema,
  ROUTES,
  scheduleListSchema,
  scheduleNameSchema,
  scheduleViewSchema,
  type Accepted,
  type Preview,
  type PreviewRequest,
  type ScheduleRequest,
  type ScheduleView,
} from '@sluice/contracts';
import { ulid } from 'ulid';
import { pathOf } from './path.ts';
import type { Transport } from './transport.ts';
import type { CallOptions } from './types.ts';

/** How {@link Schedules.list} goes about it. */
export interface ScheduleListOptions extends CallOptions {
  /** Schedules of one call. @default 50 */
  pageSize?: number;
}

/** How {@link Schedules.run} submits. */
export interface ScheduleRunOptions extends CallOptions {
  /** Of the task. @default one that no other has */
  id?: string;
}

/**
 * The schedules of the client's tenant. Reading needs the scope `read`, changing `operate`. Every call may be repeated.
 * Each throws an ApiError `not_found` for a name that this tenant does not have, and a TypeError for what is no name.
 */
export class Schedules {
  readonly #transport: Transport;

  /** @internal */
  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /**
   * Makes a schedule of that name, or changes it to be as it is given.
   * @throws ApiError `bad_request`, `unknown_type`, `payload_too_large`, `too_many_schedules`
   */
  async put(name: string, schedule: ScheduleRequest, { signal }: CallOptions = {}): Promise<ScheduleView> {
    const { method, path } = ROUTES.putSchedule;
    const call = { method, path: schedulePath(path, name), schema: scheduleViewSchema, signal };
    return (await this.#transport.call({ ...call, body: JSON.stringify(schedule) })).data;
  }

  /** The schedule, its next times, and what became of its latest occurrences. */
  async get(name: string, { signal }: CallOptions = {}): Promise<ScheduleView> {
    return this.#view('getSchedule', name, signal);
  }

  /** All schedules by name, page by page. */
  async *list({ pageSize, signal }: ScheduleListOptions = {}): AsyncGenerator<ScheduleView, void, undefined> {
    const { method, path } = ROUTES.listSchedules;
    let cursor: string | undefined;
    do {
      const query = new URLSearchParams();
      if (pageSize !== undefined) query.set('limit', String(pageSize));
      if (cursor !== undefined) query.set('cursor', cursor);
      const text = query.size > 0 ? `?${query.toString()}` : '';
      const { data } = await this.#transport.call({ method, path: path + text, schema: scheduleListSchema, signal });
      yield* data.schedules;
      cursor = data.cursor;
    } while (cursor !== undefined);
  }

  /** No occurrence comes any more. Tasks that it has submitted stay. */
  async delete(name: string, { signal }: CallOptions = {}): Promise<void> {
    const { method, path } = ROUTES.deleteSchedule;
    await this.#transport.call({ method, path: schedulePath(path, name), removes: true, signal });
  }

  /** No occurrence runs until it is resumed. @throws ApiError `state_conflict` for one that has ended */
  async pause(name: string, { signal }: CallOptions = {}): Promise<ScheduleView> {
    return this.#view('pauseSchedule', name, signal);
  }

  /** What fell into the pause is for the misfire policy. @throws ApiError `state_conflict` for one that has ended */
  async resume(name: string, { signal }: CallOptions = {}): Promise<ScheduleView> {
    return this.#view('resumeSchedule', name, signal);
  }

  /** Submits its task now, whatever its state and its overlap policy. */
  async run(name: string, { id, signal }: ScheduleRunOptions = {}): Promise<Accepted> {
    const { method, path } = ROUTES.runSchedule;
    const body = JSON.stringify({ id: id ?? `${name}@${ulid()}` });
    return (await this.#transport.call({ method, path: schedulePath(path, name), schema: acceptedSchema, body, signal })).data;
  }

  /** The next `n` times of a schedule, 5 by default. */
  async nextTimes(name: string, n?: number, { signal }: CallOptions = {}): Promise<Preview['times']> {
    const { method, path } = ROUTES.previewSchedule;
    const text = schedulePath(path, name) + (n === undefined ? '' : `?n=${n}`);
    return (await this.#transport.call({ method, path: text, schema: previewSchema, signal })).data.times;
  }

  /** The next times of a schedule that is not stored. @throws ApiError `bad_request` */
  async preview(request: PreviewRequest, { signal }: CallOptions = {}): Promise<Preview['times']> {
    const { method, path } = ROUTES.previewTimes;
    const call = { method, path, schema: previewSchema, body: JSON.stringify(request), signal };
    return (await this.#transport.call(call)).data.times;
  }

  async #view(
    route: 'getSchedule' | 'pauseSchedule' | 'resumeSchedule',
    name: string,
    signal: AbortSignal | undefined,
  ): Promise<ScheduleView> {
    const { method, path } = ROUTES[route];
    return (await this.#transport.call({ method, path: schedulePath(path, name), schema: scheduleViewSchema, signal })).data;
  }
}

function schedulePath(route: string, name: string): string {
  return pathOf(route.replace('{name}', '{id}'), name, scheduleNameSchema, 'schedule name');
}
