/** The layers: contracts ◄ core ◄ adapters ◄ functions, contracts ◄ client, contracts ◄ lib ◄ bin. Nothing else. */
const layers = {
  'packages/contracts': [],
  'packages/client': ['packages/contracts'],
  'packages/handler': ['packages/contracts'],
  core: ['packages/contracts'],
  adapters: ['packages/contracts', 'core'],
  functions: ['packages/contracts', 'core', 'adapters'],
  sim: ['packages/contracts', 'core', 'adapters', 'bin/command-line.ts'],
  lib: ['packages/contracts'],
  local: [],
};
const own = Object.keys(layers);
const isFile = (path) => path.endsWith('.ts');
const outside = ['bin', 'examples', 'test', 'bench', 'demo'];

const layerRules = own.map((layer) => ({
  name: `layer-${layer.replace('/', '-')}`,
  comment: `${layer} may import ${layers[layer].join(', ') || 'no other layer'}`,
  severity: 'error',
  from: { path: `^${layer}/` },
  to: {
    path: [...own, ...outside].filter((other) => other !== layer && !layers[layer].includes(other)).map((other) => `^${other}/`),
    // One file of a layer that is none of its own.
    ...(layers[layer].some(isFile) && { pathNot: layers[layer].filter(isFile).map((file) => `^${file}$`) }),
  },
}));

module.exports = {
  forbidden: [
    ...layerRules,
    { name: 'no-circular', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'contracts-depend-on-zod-only',
      severity: 'error',
      from: { path: '^packages/contracts/' },
      to: { dependencyTypes: ['npm', 'npm-dev', 'core'], pathNot: 'node_modules/zod' },
    },
    {
      name: 'core-is-pure',
      comment: 'no AWS, no Node modules',
      severity: 'error',
      from: { path: '^core/' },
      to: {
        path: ['node_modules/@aws', 'node_modules/aws', '^(node:)?(fs|net|http|https|crypto|process|timers|os|path|child_process)(/|$)'],
      },
    },
    {
      name: 'client-runs-in-browsers',
      severity: 'error',
      from: { path: '^packages/(client|contracts)/' },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'no-cdk-at-run-time',
      severity: 'error',
      from: { path: '^(functions|core|adapters|packages)/' },
      to: { path: 'node_modules/(aws-cdk-lib|constructs)' },
    },
    {
      name: 'no-development-packages-in-what-ships',
      severity: 'error',
      from: { path: '^(functions|core|adapters)/' },
      to: { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['type-only'], pathNot: 'node_modules/@types/' },
    },
    {
      name: 'named-by-what-they-do',
      severity: 'error',
      from: {},
      to: { path: '(^|/)(utils?|helpers?)(/|\\.ts$)', pathNot: ['^test/helpers/', 'node_modules'] },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    exclude: { path: ['cdk\\.out', '\\.venv'] },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default', 'types'],
      extensions: ['.ts', '.mjs', '.js', '.json'],
    },
  },
};
