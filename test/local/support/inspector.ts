/** A debugger: the protocol of Node's inspector, https://chromedevtools.github.io/devtools-protocol/v8/ */
export class Inspector {
  private readonly socket: WebSocket;
  private readonly answers = new Map<number, (message: Message) => void>();
  private readonly events: Message[] = [];
  private readonly listeners = new Set<() => void>();
  private last = 0;

  private constructor(socket: WebSocket) {
    this.socket = socket;
    socket.addEventListener('message', ({ data }) => {
      const message = JSON.parse(String(data)) as Message;
      if (message.id === undefined) this.events.push(message);
      else this.answers.get(message.id)?.(message);
      for (const listener of this.listeners) listener();
    });
  }

  static async connect(url: string): Promise<Inspector> {
    const socket = new WebSocket(url);
    await new Promise<void>((resolve, reject) => {
      socket.addEventListener('open', () => resolve());
      socket.addEventListener('error', () => reject(new Error(`no inspector at ${url}`)));
    });
    return new Inspector(socket);
  }

  async send<T = unknown>(method: string, params: object = {}): Promise<T> {
    const id = ++this.last;
    const answer = new Promise<Message>((resolve) => this.answers.set(id, resolve));
    this.socket.send(JSON.stringify({ id, method, params }));
    const { result, error } = await answer;
    if (error !== undefined) throw new Error(`${method}: ${JSON.stringify(error)}`);
    return result as T;
  }

  /** The first event of a name, now or later, that matches. */
  async event<T>(method: string, matches: (params: T) => boolean = () => true): Promise<T> {
    for (;;) {
      const found = this.events.find((event) => event.method === method && matches(event.params as T));
      if (found !== undefined) return found.params as T;
      await new Promise<void>((resolve) => {
        const listener = () => {
          this.listeners.delete(listener);
          resolve();
        };
        this.listeners.add(listener);
      });
    }
  }

  close(): void {
    this.socket.close();
  }
}

interface Message {
  readonly id?: number;
  readonly method?: string;
  readonly params?: unknown;
  readonly result?: unknown;
  readonly error?: unknown;
}

/** Where a piece of generated code comes from; lines and columns count from 0. */
export interface Mapping {
  readonly line: number;
  readonly column: number;
  readonly source: number;
  readonly sourceLine: number;
}

const DIGITS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

/** The mappings of a source map, in its order: https://tc39.es/ecma426/ */
export function decodeMappings(mappings: string): Mapping[] {
  const found: Mapping[] = [];
  let [source, sourceLine] = [0, 0];
  for (const [line, segments] of mappings.split(';').entries()) {
    let column = 0;
    for (const segment of segments.split(',').filter((text) => text !== '')) {
      const [columns = 0, sources, lines] = numbersOf(segment);
      column += columns;
      if (sources === undefined || lines === undefined) continue;
      source += sources;
      sourceLine += lines;
      found.push({ line, column, source, sourceLine });
    }
  }
  return found;
}

function numbersOf(segment: string): number[] {
  const numbers: number[] = [];
  let [value, shift] = [0, 0];
  for (const character of segment) {
    const digit = DIGITS.indexOf(character);
    value += (digit & 31) * 2 ** shift;
    shift += 5;
    if ((digit & 32) !== 0) continue;
    numbers.push(value % 2 === 1 ? -Math.floor(value / 2) : value / 2);
    [value, shift] = [0, 0];
  }
  return numbers;
}
