import { resolve } from 'node:path';
import { parseArgs } from 'node:util';

export interface DevOptions {
  readonly port: number;
  /** An absolute path, undefined for in memory. */
  readonly data: string | undefined;
  /** An absolute path. */
  readonly tokens: string;
  readonly inspect: 'handlers' | 'platform' | undefined;
  readonly watch: boolean;
  readonly verbose: boolean;
}

/** The options of a command line; `help` when it asks for the usage. @throws Error that says what is wrong */
export function readOptions(args: readonly string[], root: string): DevOptions | 'help' {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean' } as const;
  const { values } = parseArgs({
    // An option of this parser either has a value or has none.
    args: args.map((arg) => (arg === '--inspect' ? '--inspect=handlers' : arg)),
    options: { port: text, data: text, tokens: text, inspect: text, 'no-watch': flag, verbose: flag, help: flag },
  });
  if (values.help) return 'help';
  const { inspect, data } = values;
  const port = Number(values.port ?? 4700);
  if (values.port === '' || !Number.isInteger(port) || port < 0 || port > 65_535) {
    throw new Error(`--port is "${values.port}"; give a number from 0 to 65535`);
  }
  if (inspect !== undefined && inspect !== 'handlers' && inspect !== 'platform') {
    throw new Error(`--inspect is "${inspect}"; give --inspect or --inspect=platform`);
  }
  if (data === '') throw new Error('--data is empty; give a folder, or leave it out');
  return {
    port,
    data: data === undefined ? undefined : resolve(data),
    tokens: resolve(values.tokens ?? resolve(root, '.sluice', 'tokens.json')),
    inspect,
    watch: values['no-watch'] !== true,
    verbose: values.verbose ?? false,
  };
}
