/** What went wrong while the host started, reloaded or ran; `code` is stable, `message` fits one line. */
export type HostErrorCode =
  | 'ASSEMBLY_NOT_FOUND'
  | 'INVALID_ASSEMBLY'
  | 'INVALID_TEMPLATE'
  | 'UNSUPPORTED_RESOURCE'
  | 'UNSUPPORTED_INTRINSIC'
  | 'UNSUPPORTED_PROPERTY'
  | 'PORT_IN_USE'
  | 'DATA_IN_USE'
  | 'SERVER_FAILED'
  | 'CUSTOM_RESOURCE_FAILED'
  | 'BAD_TIME'
  | 'INVALID_SCHEDULE'
  | 'SYNTH_FAILED';

/** The host's one error class: match on `code`. */
export class HostError extends Error {
  readonly code: HostErrorCode;

  constructor(code: HostErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'HostError';
    this.code = code;
  }
}

/** The message of anything thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message || error.name : String(error);
}
