/** Task types of the tests; each is served by the one scripted handler. The narrow ones have one permit a tenant. */
export const TYPES = { event: 'by-event', wait: 'by-wait', narrow: 'narrow-by-event', narrowWait: 'narrow-by-wait' } as const;
export type TypeName = (typeof TYPES)[keyof typeof TYPES];

/** A type that only the second of two deployments has. */
export const LATER_TYPE = 'later';
