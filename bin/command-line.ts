import { parseArgs, type ParseArgsConfig } from 'node:util';

type Options = NonNullable<ParseArgsConfig['options']>;
type Values<O extends Options> = ReturnType<typeof parseArgs<{ options: O }>>['values'];

interface CommandLine<O extends Options> {
  readonly values: Values<O>;
  readonly positionals: readonly string[];
  /** A whole number of at least `least`, or `otherwise` where the option is not given; what else it is given is refused. */
  readonly wholeNumber: (option: keyof O & string, otherwise: number, least?: number) => number;
  /** Ends the process: says what is wrong with the command line, and how it should be. */
  readonly refuse: (what: string) => never;
}

/**
 * What the command line of this process says. `--help` prints the usage and ends the process with 0; a mistake is said in
 * a line before the usage, and ends it with 2. A script reads it before it begins anything that it would have to end.
 */
export function readCommandLine<const O extends Options>(
  usage: string,
  options: O,
  { allowPositionals = false }: { readonly allowPositionals?: boolean } = {},
): CommandLine<O> {
  const refuse = (what: string): never => {
    console.error(`${what}\n\n${usage}`);
    process.exit(2);
  };
  const { values, positionals } = parsed({ options: { ...options, help: { type: 'boolean' } }, allowPositionals }, refuse);
  if (values['help'] === true) {
    console.log(usage);
    process.exit(0);
  }
  const wholeNumber = (option: keyof O & string, otherwise: number, least = 1): number => {
    const text = values[option];
    if (text === undefined) return otherwise;
    const number = typeof text === 'string' && /^\d+$/.test(text) ? Number(text) : NaN;
    return Number.isSafeInteger(number) && number >= least
      ? number
      : refuse(`--${option} is "${String(text)}"; give a whole number of at least ${least}`);
  };
  return { values: values as Values<O>, positionals, wholeNumber, refuse };
}

function parsed(config: ParseArgsConfig, refuse: (what: string) => never) {
  try {
    return parseArgs(config);
  } catch (error) {
    // What else it throws is a mistake in the options of the script.
    const { code = '', message } = error as NodeJS.ErrnoException;
    if (!code.startsWith('ERR_PARSE_ARGS_')) throw error;
    return refuse(message.replaceAll('\n', ' '));
  }
}
