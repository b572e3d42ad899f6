export type { AdmissionProps } from './admission.ts';
export type { MonitoringOptions } from './monitoring/index.ts';
export type { NotificationQueueProps, WebhookProps } from './notifications/index.ts';
export { Resource, type ResourceProps } from './resource.ts';
export { TaskPlatform, type TaskPlatformProps } from './task-platform.ts';
export { TaskType, type NodeHandlerProps, type TaskTypeProps } from './task-type.ts';
