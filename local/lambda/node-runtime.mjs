// The Node.js runtime of one execution environment, run in a child process: requests come as JSON lines on fd 3,
// answers go to fd 4. Plain JavaScript on purpose: a process that strips types starts 20 ms later and keeps the
// stripper in memory.
import { existsSync, readFileSync, writeSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import Module, { createRequire, enableCompileCache, registerHooks, syncBuiltinESMExports } from 'node:module';
import { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, dirname, join, sep } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { shiftDate } from '../shifted-date.mjs';

/** @type {import('./runtime-process.ts').RuntimeOptions & { maxOutputBytes: number, maxResponseBytes: number }} */
const options = JSON.parse(process.env._HOST_RUNTIME_OPTIONS);
delete process.env._HOST_RUNTIME_OPTIONS;
delete process.env.PYTHONDONTWRITEBYTECODE;
const codeRoot = options.codeDirectory + sep;
const pause = new Int32Array(new SharedArrayBuffer(4));

enableCompileCache(join(tmpdir(), 'sluice-compile-cache'));
shiftDate(options.clockOffsetMs);
captureOutput();
resolveAsInLambda();
bridgeCallbacks();
endOnUncaught();

try {
  // After the hooks, so that a debugger that attaches sees only the function's own modules come.
  if (options.debug?.inspectorPort !== undefined) await openInspector(options.debug.inspectorPort);
  const handler = await loadHandler();
  const requests = new Socket({ fd: 3, readable: true, writable: false });
  createInterface({ input: requests, crlfDelay: Infinity })
    .on('line', (line) => {
      const message = JSON.parse(line);
      if (message.type === 'clock') shiftDate(message.offsetMs);
      else void run(handler, message);
    })
    // The host is gone: nobody would ever end this process.
    .on('close', () => process.exit());
  answer({ type: 'ready' });
} catch (error) {
  answer({ type: 'initError', error: describe(error) });
}

/** Opens the inspector at the port, or at the next that is free, and tells its address. */
async function openInspector(port) {
  const inspector = await import('node:inspector');
  for (let tried = port; inspector.url() === undefined && tried < port + 100; tried += 1) {
    try {
      inspector.open(tried, '127.0.0.1', false);
    } catch {
      // Another process has the port.
    }
  }
  if (inspector.url() !== undefined) answer({ type: 'inspector', url: inspector.url() });
}

/** Written at once, so that nothing that was said before is lost when the process is ended. */
function answer(message) {
  // `readline` on the other side also ends a line at these two, which JSON takes as they are.
  const json = JSON.stringify(message).replace(/[\u2028\u2029]/g, (character) => (character === '\u2028' ? '\\u2028' : '\\u2029'));
  let bytes = Buffer.from(`${json}\n`);
  while (bytes.length > 0) {
    try {
      bytes = bytes.subarray(writeSync(4, bytes));
    } catch (error) {
      if (error.code === 'EPIPE') process.exit();
      if (error.code !== 'EAGAIN') throw error;
      Atomics.wait(pause, 0, 0, 1);
    }
  }
}

async function run(handler, request) {
  newRequest();
  process.env._X_AMZN_TRACE_ID = request.traceId;
  const { requestId } = request;
  try {
    const result = await handler(JSON.parse(request.event), contextOf(request));
    let payload;
    try {
      payload = JSON.stringify(result === undefined ? null : result) ?? 'null';
    } catch (cause) {
      throw new Error('Unable to stringify response body', { cause });
    }
    if (Buffer.byteLength(payload) > options.maxResponseBytes) {
      throw Object.assign(new Error(`Response payload size exceeded maximum allowed payload size (${options.maxResponseBytes} bytes).`), {
        name: 'Function.ResponseSizeTooLarge',
      });
    }
    answer({ type: 'result', requestId, payload });
  } catch (error) {
    answer({ type: 'error', requestId, error: describe(error) });
  }
}

function contextOf(request) {
  // Not by the clock, which the host may move.
  const deadline = performance.now() + request.timeoutMs;
  return {
    callbackWaitsForEmptyEventLoop: true,
    awsRequestId: request.requestId,
    functionName: options.functionName,
    functionVersion: request.functionVersion,
    invokedFunctionArn: request.invokedFunctionArn,
    memoryLimitInMB: String(options.memoryMb),
    logGroupName: options.logGroupName,
    logStreamName: options.logStreamName,
    clientContext: request.clientContext,
    identity: undefined,
    getRemainingTimeInMillis: () => Math.max(0, Math.floor(deadline - performance.now())),
  };
}

/** `folder/file.exported.name`, as https://docs.aws.amazon.com/lambda/latest/dg/nodejs-handler.html describes it. */
async function loadHandler() {
  const dot = options.handler.indexOf('.', options.handler.lastIndexOf('/') + 1);
  const stem = join(options.codeDirectory, options.handler.slice(0, dot));
  const file = ['.js', '.mjs', '.cjs'].map((extension) => stem + extension).find((path) => existsSync(path));
  if (dot < 0 || file === undefined) {
    throw named('Runtime.ImportModuleError', `Error: Cannot find module '${basename(stem)}' in ${options.codeDirectory}`);
  }
  const exported = await _loadUserApp(file);
  let handler = exported;
  for (const name of options.handler.slice(dot + 1).split('.')) handler = handler?.[name];
  if (handler === undefined) {
    throw named('Runtime.HandlerNotFound', `${options.handler} is undefined or not exported`);
  }
  if (typeof handler !== 'function') throw named('Runtime.HandlerNotFound', `${options.handler} is not a function`);
  if (handler.length < 3) return handler;
  if (Number(/^nodejs(\d+)/.exec(options.runtime)?.[1]) >= 24) {
    throw named(
      'Runtime.CallbackHandlerDeprecated',
      'AWS Lambda has removed support for callback-based function handlers starting with Node.js 24.',
    );
  }
  return (event, context) =>
    new Promise((resolve, reject) => {
      const returned = handler(event, context, (error, result) => (error ? reject(error) : resolve(result)));
      if (typeof returned?.then === 'function') returned.then(resolve, reject);
    });
}

/** Named as in Lambda's own runtime: this frame in a stack says that the error kept the function from starting. */
async function _loadUserApp(file) {
  try {
    if (formatOf(file) === 'module') return await import(pathToFileURL(file).href);
    return createRequire(file)(file);
  } catch (error) {
    if (error?.code === 'MODULE_NOT_FOUND' || error?.code === 'ERR_MODULE_NOT_FOUND') {
      throw named('Runtime.ImportModuleError', `Error: ${error.message}`, error);
    }
    if (error instanceof SyntaxError) throw named('Runtime.UserCodeSyntaxError', `SyntaxError: ${error.message}`, error);
    throw error;
  }
}

/**
 * In Lambda nothing lies above the code but the SDK. Here the code lies in a project, whose package.json must not
 * decide how its `.js` files are read, and the SDK (and native parts for this machine's architecture) come from the
 * project's own packages when the code has none.
 */
function resolveAsInLambda() {
  registerHooks({
    resolve(specifier, context, nextResolve) {
      let resolved;
      try {
        resolved = nextResolve(specifier, context);
      } catch (error) {
        if (error?.code !== 'ERR_MODULE_NOT_FOUND' && error?.code !== 'MODULE_NOT_FOUND') throw error;
        if (/^[./]|^file:/.test(specifier) || context.parentURL === import.meta.url) throw error;
        resolved = resolveInProject(specifier, context, nextResolve, error);
      }
      if (!resolved.url.startsWith('file:')) return resolved;
      const path = fileURLToPath(resolved.url);
      return isUnscoped(path) ? { ...resolved, format: formatOf(path) } : resolved;
    },
  });
  const load = Module._extensions['.js'];
  Module._extensions['.js'] = (module, filename) => {
    if (!isUnscoped(filename) || formatOf(filename) === 'module') return load(module, filename);
    return module._compile(readFileSync(filename, 'utf8'), filename, 'commonjs');
  };
}

function resolveInProject(specifier, context, nextResolve, error) {
  try {
    // A require is resolved from its module, whatever parent the context names.
    if (context.conditions.includes('require')) {
      return { url: pathToFileURL(createRequire(import.meta.url).resolve(specifier)).href, shortCircuit: true };
    }
    return nextResolve(specifier, { ...context, parentURL: import.meta.url });
  } catch {
    throw error;
  }
}

/** Whether it is a `.js` file of the function with no package.json of the function's own above it. */
function isUnscoped(path) {
  if (!path.startsWith(codeRoot) || !path.endsWith('.js')) return false;
  for (let folder = dirname(path); (folder + sep).startsWith(codeRoot); folder = dirname(folder)) {
    if (existsSync(join(folder, 'package.json'))) return false;
  }
  return true;
}

function formatOf(path) {
  if (path.endsWith('.mjs')) return 'module';
  if (path.endsWith('.cjs')) return 'commonjs';
  if (!isUnscoped(path)) {
    let folder = dirname(path);
    while (!existsSync(join(folder, 'package.json'))) folder = dirname(folder);
    return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')).type === 'module' ? 'module' : 'commonjs';
  }
  return hasModuleSyntax(readFileSync(path, 'utf8')) ? 'module' : 'commonjs';
}

/** Static import or export at the start of a line (or after a minifier's semicolon), and no CommonJS export. */
function hasModuleSyntax(source) {
  if (/\bmodule\.exports\b|\bexports\.\w+\s*=/.test(source)) return false;
  return /(?:^|[;}\n])\s*(?:import\s*(?:[\w*{"'])|export\s*(?:[{*]|default\b|const\b|let\b|var\b|async\b|function\b|class\b))/.test(source);
}

/** A custom resource answers by `https` in CDK's own handlers; the host's answer address speaks plain http. */
function bridgeCallbacks() {
  const request = https.request;
  https.request = (...args) => {
    const target = args.find((arg) => typeof arg === 'object' && arg !== null && !(arg instanceof URL)) ?? {};
    const url = typeof args[0] === 'string' || args[0] instanceof URL ? new URL(args[0]) : undefined;
    const path = target.path ?? (url === undefined ? '' : url.pathname + url.search);
    if (!String(path).startsWith('/_cloudformation/')) return request(...args);
    const listener = args.find((arg) => typeof arg === 'function');
    const { agent: _agent, protocol: _protocol, ...rest } = target;
    return http.request({ ...rest, path, hostname: '127.0.0.1', host: '127.0.0.1', port: options.callbackPort }, listener);
  };
  syncBuiltinESMExports();
}

let outputBytes = 0;
let droppedBytes = 0;

function newRequest() {
  outputBytes = 0;
  droppedBytes = 0;
}

/** Output goes the way of the answers, so that it stays in order with them. */
function captureOutput() {
  for (const stream of ['stdout', 'stderr']) {
    process[stream].write = (chunk, encoding, callback) => {
      const text = typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString('utf8');
      if (outputBytes + text.length <= options.maxOutputBytes) {
        outputBytes += text.length;
        answer({ type: 'output', stream, text });
      } else {
        if (droppedBytes === 0) {
          answer({ type: 'output', stream, text: `[output over ${options.maxOutputBytes} bytes is dropped]` });
        }
        droppedBytes += text.length;
      }
      const done = typeof encoding === 'function' ? encoding : callback;
      if (typeof done === 'function') queueMicrotask(done);
      return true;
    };
  }
}

function endOnUncaught() {
  process.on('uncaughtException', (error) => {
    answer({ type: 'fatal', error: describe(error) });
    process.exit(129);
  });
  process.on('unhandledRejection', (reason) => {
    const { errorMessage, trace } = describe(reason);
    const errorType = 'Runtime.UnhandledPromiseRejection';
    const message = reason instanceof Error ? `${reason.name}: ${errorMessage}` : errorMessage;
    answer({ type: 'fatal', error: { errorType, errorMessage: message, trace } });
    process.exit(128);
  });
}

function named(name, message, cause) {
  return Object.assign(new Error(message, { cause }), { name });
}

function describe(error) {
  try {
    if (!(error instanceof Error) && typeof error?.stack !== 'string') {
      return { errorType: typeof error, errorMessage: String(error), trace: [] };
    }
    return {
      errorType: String(error.name),
      errorMessage: String(error.message).slice(0, 262_144),
      trace: String(error.stack).split('\n').slice(0, 50),
    };
  } catch {
    return { errorType: 'handled', errorMessage: 'callback called with Error argument, but there was a problem', trace: [] };
  }
}
