import { type Duration, RemovalPolicy } from 'aws-cdk-lib';
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Architecture, Function as LambdaFunction, type FunctionProps, Runtime } from 'aws-cdk-lib/aws-lambda';
import { type BundlingOptions, LogLevel, NodejsFunction, OutputFormat } from 'aws-cdk-lib/aws-lambda-nodejs';
import { LogGroup, type RetentionDays } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import { bundledCode, REQUIRE_BANNER } from './bundle.ts';

export interface NodeFunctionProps {
  /** Path of the TypeScript or JavaScript file that exports `handler`. */
  readonly entry: string;
  readonly timeout: Duration;
  /** MB. */
  readonly memorySize: number;
  readonly architecture: Architecture;
  readonly logRetention: RetentionDays;
  readonly description?: string;
  readonly environment?: Readonly<Record<string, string>>;
  /** Physical name. @default CloudFormation makes one */
  readonly functionName?: string;
  /** The folder that the bundler works in. @default the nearest one above with a lock file */
  readonly projectRoot?: string;
  /** Packages to install instead of bundling them, such as ones with native parts. @default none */
  readonly nodeModules?: readonly string[];
  /** As of `BundleOptions`. Without effect beside `nodeModules`. @default false */
  readonly slimClients?: boolean;
}

/** Lambda's newest Node LTS. */
export const NODE_RUNTIME = Runtime.NODEJS_24_X;

/**
 * What npm needs in order to fetch the native parts for the function instead of for the machine that builds it.
 * Lambda's Node runtimes are Amazon Linux, which has glibc.
 */
export function npmTarget(architecture: Architecture): Record<string, string> {
  return {
    npm_config_os: 'linux',
    npm_config_cpu: architecture === Architecture.ARM_64 ? 'arm64' : 'x64',
    npm_config_libc: 'glibc',
  };
}

/**
 * A Node function with a log group of its own and a role that may only write to it. The role and the log group are
 * made here, not by CDK's defaults, which would grant logging to every group of the account.
 */
export function nodeFunction(scope: Construct, id: string, props: NodeFunctionProps): LambdaFunction {
  const home = new Construct(scope, id);
  const logGroup = new LogGroup(home, 'Log', {
    retention: props.logRetention,
    // Logs end by their retention. One that outlived its stack would block the name for the next deployment.
    removalPolicy: RemovalPolicy.DESTROY,
    ...(props.functionName && { logGroupName: `/aws/lambda/${props.functionName}` }),
  });
  const role = new Role(home, 'Role', { assumedBy: new ServicePrincipal('lambda.amazonaws.com') });
  logGroup.grantWrite(role);
  const common = {
    runtime: NODE_RUNTIME,
    architecture: props.architecture,
    memorySize: props.memorySize,
    timeout: props.timeout,
    role,
    logGroup,
    environment: { ...props.environment },
    ...(props.description && { description: props.description }),
    ...(props.functionName && { functionName: props.functionName }),
  } satisfies Partial<FunctionProps>;
  if (!props.nodeModules) {
    const code = bundledCode(props.entry, { slimClients: props.slimClients ?? false });
    return new LambdaFunction(home, 'Function', { ...common, handler: 'index.handler', code });
  }
  return new NodejsFunction(home, 'Function', {
    ...common,
    entry: props.entry,
    handler: 'handler',
    bundling: bundling(props.nodeModules, props.architecture),
    ...(props.projectRoot && {
      projectRoot: props.projectRoot,
      depsLockFilePath: `${props.projectRoot}/package-lock.json`,
    }),
  });
}

/** Packages that cannot be bundled are installed, from the lock file and for the function's architecture. */
function bundling(nodeModules: readonly string[], architecture: Architecture): BundlingOptions {
  return {
    format: OutputFormat.ESM,
    mainFields: ['module', 'main'],
    minify: true,
    sourceMap: true,
    // Stack traces need lines, not the text of the sources.
    sourcesContent: false,
    // Our pinned SDK, not the one that the runtime happens to have that day.
    bundleAwsSDK: true,
    banner: REQUIRE_BANNER,
    // npm gets the same level and knows no "warning".
    logLevel: LogLevel.ERROR,
    nodeModules: [...nodeModules],
    environment: npmTarget(architecture),
  };
}
