import { invalidUsage } from '../client/errors.ts'
import type { Environment } from '../lib/process-input.ts'

const EXPORTS = ['pgpass', 'env', 'none'] as const

/** What a workflow says under `with:`. action.yml describes each. */
export interface ActionInputs {
  url: string
  /** Undefined if only the command `jeton` is wanted. */
  database: string | undefined
  user: string | undefined
  audience: string
  /** A path, or the PEM itself. */
  serverCa: string | undefined
  ca: string | undefined
  waitMs: number
  exports: (typeof EXPORTS)[number]
  isTokenWanted: boolean
}

/** What an input may have in it beside printable text: the lines of a PEM. */
const CONTROL = /\p{Cc}|\p{Zl}|\p{Zp}/u
/** A bundle may begin with remarks. */
const PEM = /^-----BEGIN CERTIFICATE-----/m

/** Parses the inputs, which a runner passes as variables. Throws CallerError, which quotes none of them. */
export function readInputs(env: Environment): ActionInputs {
  const url = lineOf('url', env)
  if (url === undefined) throw invalidUsage('the input url is missing: the URL of your jeton server')
  const wait = lineOf('wait', env) ?? '60'
  if (!/^\d{1,5}$/.test(wait)) throw invalidUsage('the input wait takes a number of seconds')
  const serverCa = inputOf('server-ca', env)
  return {
    url,
    database: lineOf('database', env),
    user: lineOf('user', env),
    audience: lineOf('audience', env) ?? 'jeton',
    serverCa: serverCa !== undefined && isPem(serverCa) ? serverCa : lineOf('server-ca', env),
    ca: lineOf('ca', env),
    waitMs: Number(wait) * 1000,
    exports: choiceOf('export', EXPORTS, env),
    isTokenWanted: choiceOf('token', ['false', 'true'] as const, env) === 'true',
  }
}

/** Whether an input is a PEM, and not the path of one. */
export function isPem(text: string): boolean {
  return PEM.test(text)
}

/** A runner sets `INPUT_SERVER-CA` for `server-ca`, to nothing if it is not given. */
function inputOf(name: string, env: Environment): string | undefined {
  return env[`INPUT_${name.toUpperCase()}`]?.trim() || undefined
}

function lineOf(name: string, env: Environment): string | undefined {
  const text = inputOf(name, env)
  if (text !== undefined && CONTROL.test(text))
    throw invalidUsage(`the input ${name} has a line break or another control character in it`)
  return text
}

function choiceOf<const T extends string>(name: string, choices: readonly T[], env: Environment): T {
  const text = inputOf(name, env) ?? choices[0]
  const choice = choices.find(one => one === text)
  if (choice === undefined) throw invalidUsage(`the input ${name} takes one of ${choices.join(', ')}`)
  return choice
}
