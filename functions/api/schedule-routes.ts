import { previewQuerySchema, runScheduleSchema, scheduleListQuerySchema, type RouteName } from '@sluice/contracts';
import type { Route } from '../../adapters/http/create-http-handler.ts';
import { json, noContent } from '../../adapters/http/respond.ts';
import type { OccurrenceDeps } from '../../core/schedules/arm.ts';
import {
  deleteSchedule,
  getSchedule,
  listSchedules,
  pauseSchedule,
  previewSchedule,
  previewTimes,
  putSchedule,
  resumeSchedule,
  runSchedule,
} from '../../core/schedules/manage.ts';
import { parsedBody, parsedQuery } from './query.ts';

type ScheduleRoute = Extract<RouteName, `${string}Schedule` | 'listSchedules' | 'previewTimes'>;

/** The routes of schedules, always those of the caller's own tenant. */
export function scheduleRoutes(deps: OccurrenceDeps): Record<ScheduleRoute, Route> {
  return {
    listSchedules: async ({ tenant, query }) => json(200, await listSchedules(deps, tenant, parsedQuery(scheduleListQuerySchema, query))),
    putSchedule: async ({ tenant, param, body }) => {
      const { schedule, isNew } = await putSchedule(deps, tenant, param('name'), body());
      return json(isNew ? 201 : 200, schedule);
    },
    getSchedule: async ({ tenant, param }) => json(200, await getSchedule(deps, tenant, param('name'))),
    deleteSchedule: async ({ tenant, param }) => {
      await deleteSchedule(deps, tenant, param('name'));
      return noContent();
    },
    pauseSchedule: async ({ tenant, param }) => json(200, await pauseSchedule(deps, tenant, param('name'))),
    resumeSchedule: async ({ tenant, param }) => json(200, await resumeSchedule(deps, tenant, param('name'))),
    runSchedule: async ({ tenant, param, body }) => {
      const accepted = await runSchedule(deps, tenant, param('name'), parsedBody(runScheduleSchema, body({})).id);
      return json(accepted.deduplicated ? 200 : 201, accepted);
    },
    previewSchedule: async ({ tenant, param, query }) =>
      json(200, await previewSchedule(deps, tenant, param('name'), parsedQuery(previewQuerySchema, query).n)),
    previewTimes: async ({ body }) => json(200, previewTimes(deps, body())),
  };
}
