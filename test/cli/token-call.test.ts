import { describe, expect, test } from 'vitest'
import { addCallerCommands } from '../../handlers/caller-commands.ts'
import { createProgram } from '../../handlers/program.ts'
import { parseTokenCall, TOKEN_OPTIONS } from '../../handlers/token-call.ts'

/** A plain `jeton token` is read without commander, and must mean the same. */
const program = () => {
  const jeton = createProgram().configureOutput({ writeErr: () => {}, writeOut: () => {} })
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
  // one that is forgotten would make the command start slower, and one that is not plain be read as another
  expect(Object.entries(TOKEN_OPTIONS).sort()).toEqual(plain.sort())
  expect(plain).toHaveLength(options.length)
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
    ['token orders --server-ca ca.pem --wait=5'],
    ['token --user app_ro -- orders'],
    ['token -- --orders'],
  ])('%s', async line => {
    const call = parseTokenCall(argv(...line.split(' ')))
    expect(call).toBeDefined()
    expect(call).toEqual(await readByCommander(line.split(' ')))
  })
})

test('whatever it reads of up to three odd words, commander reads the same', async () => {
  const odd =
    '|orders|x|-|--|---|--=|-o|-oo|-ojson|-o=json|--output|--output=|--user|--user=a=b|--wait=-5|-5|--ca-file'
  const words = [...odd.split('|'), '--server-ca=x', '--us', '--no-user', '--help', '-h', '-V', 'help']
  const lines = words.flatMap(a => words.flatMap(b => [[a], [a, b], ...words.map(c => [a, b, c])]))
  let count = 0
  for (const line of lines) {
    const call = parseTokenCall(argv('token', ...line))
    if (call === undefined) continue
    count++
    expect([line, call]).toEqual([line, await readByCommander(['token', ...line])])
  }
  expect(count).toBeGreaterThan(500)
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
