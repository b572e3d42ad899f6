import tseslint from 'typescript-eslint';

/** `core/` is pure: time, chance and settings come in as arguments and ports. */
const impure = [
  { selector: "CallExpression[callee.object.name='Date'][callee.property.name='now']", message: 'core takes `now` or a Clock' },
  { selector: "NewExpression[callee.name='Date'][arguments.length=0]", message: 'core takes `now` or a Clock' },
  { selector: "MemberExpression[object.name='Math'][property.name='random']", message: 'core takes a Random' },
  { selector: "MemberExpression[object.name='process'][property.name='env']", message: 'core takes its settings as arguments' },
];

export default tseslint.config(
  { ignores: ['**/node_modules', '**/cdk.out*', '**/dist', 'coverage', '.sluice', '.venv', 'examples/**/*.py', '**/*.mjs', '**/*.cjs'] },
  tseslint.configs.recommendedTypeChecked,
  {
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    rules: {
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
      '@typescript-eslint/only-throw-error': 'error',
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      // Ports are asynchronous; a memory adapter's method often has nothing to wait for.
      '@typescript-eslint/require-await': 'off',
      'max-lines': ['error', { max: 300, skipBlankLines: true, skipComments: true }],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      eqeqeq: 'error',
    },
  },
  { files: ['core/**/*.ts'], rules: { 'no-restricted-syntax': ['error', ...impure] } },
  { files: ['functions/*/handler.ts'], rules: { 'max-lines': ['error', { max: 60, skipBlankLines: true, skipComments: true }] } },
  {
    files: ['test/**/*.ts', 'bench/**/*.ts'],
    rules: {
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
    },
  },
);
