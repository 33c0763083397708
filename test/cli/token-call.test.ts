import { Command } from 'commander'
import { describe, expect, test } from 'vitest'
import { addCallerCommands } from '../../handlers/caller-commands.ts'
import { parseTokenCall, TOKEN_OPTIONS } from '../../handlers/token-call.ts'

/** A plain `jeton token` is read without commander, and must mean the same. */
const program = () => {
  const jeton = new Command('jeton')
    .exitOverride()
    .configureOutput({ writeErr: () => {}, writeOut: () => {} })
  addCallerCommands(jeton, { execCommandLine: undefined })
  const token = jeton.commands.find(command => command.name() === 'token')
  if (!token) throw new Error('there is no jeton token')
  return { jeton, token }
}

const argv = (...words: string[]) => ['node', 'jeton.mjs', ...words]

/** What commander makes of a command line: the arguments of the command, or undefined where it reports a mistake. */
async function readByCommander(words: string[]): Promise<object | undefined> {
  const { jeton, token } = program()
  let call: object | undefined
  token.action((database, options) => {
    call = { database, ...options }
  })
  await jeton.parseAsync(argv(...words)).catch(() => undefined)
  return call
}

test('its options are those of the command, and take a text as it is', () => {
  const { options } = program().token
  const plain = options
    .filter(({ required, variadic, parseArg, argChoices, defaultValue, envVar }) => {
      const isPlain = [parseArg, argChoices, defaultValue, envVar].every(each => each === undefined)
      return required && !variadic && isPlain
    })
    .map(({ long = '', short }) => [
      long.slice(2),
      { type: 'string', ...(short && { short: short.slice(1) }) },
    ])
  for (const entry of Object.entries(TOKEN_OPTIONS)) expect(plain).toContainEqual(entry)
})

describe('reads as commander does', () => {
  test.each([
    ['token orders'],
    ['token orders --user app_ro --url https://jeton.example.com'],
    ['token --user=app_ro orders -o json'],
    ['token orders -ojson --ca-file ca.pem --server-ca server-ca.pem'],
    ['token orders --output json --output env'],
    ['token orders --user='],
    ['token orders --jwt - --wait 30'],
    ['token --user app_ro -- orders'],
    ['token -- --orders'],
  ])('%s', async line => {
    const call = parseTokenCall(argv(...line.split(' ')))
    expect(call).toBeDefined()
    expect(call).toEqual(await readByCommander(line.split(' ')))
  })
})

describe('leaves to commander', () => {
  test.each([
    [''],
    ['--help'],
    ['token'],
    ['token --help'],
    ['token orders --help'],
    ['token orders ledger'],
    ['token orders --urll x'],
    ['token orders --user'],
    ['token orders --user -o json'],
    ['token orders -x'],
    ['exec orders -- psql'],
    ['tokens orders'],
  ])('%s', line => {
    expect(parseTokenCall(argv(...line.split(' ')))).toBeUndefined()
  })
})
