/** The commands of caller-commands.ts, which the one file has, too. */
export const CALLER_COMMANDS: readonly string[] = [
  'token',
  'exec',
  'proxy',
  'agent',
  'whoami',
  'doctor',
  'decode',
]

/** Commands that only the package `jeton` has. */
export const OPERATOR_COMMANDS: readonly string[] = [
  'serve',
  'check',
  'explain',
  'apikey',
  'iam',
  'sql',
  'lint-policy',
  'audit',
  'demo',
]
