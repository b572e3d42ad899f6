/** Which functions a debugger may enter, and how. While it is set no time-out is enforced on any function. */
export interface DebugOptions {
  functions: (functionName: string) => boolean;
  /** Opens an inspector in each environment of a Node.js function. @default true */
  inspector?: boolean;
  /** The first port of inspectors; each environment takes the lowest that is free. @default 9230 */
  firstPort?: number;
  /** Joined to the environment of these functions; `NODE_OPTIONS` goes before the function's own. */
  environment?: Record<string, string>;
}

const FIRST_PORT = 9230;

/** Gives each environment that is debugged a port, the same again once its predecessor is gone. */
export class Debugging {
  readonly options: DebugOptions;
  private readonly ports = new Set<number>();

  constructor(options: DebugOptions) {
    this.options = options;
  }

  /** What an environment of the function is started with, undefined when no debugger may enter it. */
  begin(functionName: string, runtime: string): { inspectorPort?: number } | undefined {
    if (!runtime.startsWith('nodejs') || !this.options.functions(functionName)) return undefined;
    if (this.options.inspector === false) return {};
    let port = this.options.firstPort ?? FIRST_PORT;
    while (this.ports.has(port)) port += 1;
    this.ports.add(port);
    return { inspectorPort: port };
  }

  /** Its environment is gone. */
  end({ inspectorPort }: { inspectorPort?: number }): void {
    if (inspectorPort !== undefined) this.ports.delete(inspectorPort);
  }
}

/** What the debugger wants in a function's environment, beside what the function has. */
export function debugEnvironment(debugging: Debugging | undefined, own: Record<string, string>): Record<string, string> {
  const added = debugging?.options.environment ?? {};
  const nodeOptions = [added['NODE_OPTIONS'], own['NODE_OPTIONS']].filter((text) => text !== undefined && text !== '');
  return { ...added, ...(nodeOptions.length > 0 && { NODE_OPTIONS: nodeOptions.join(' ') }) };
}
