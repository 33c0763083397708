import { gzipSync } from 'node:zlib'
import type { Choice } from './choice.ts'
import type { JsonSchema } from './description.ts'
import { hostileText, misspelt } from './hostile-text.ts'

/** Values that mean something to the server, by the name of the member. */
export type Dictionary = Readonly<Record<string, readonly unknown[]>>

const DEPTHS = [10, 200, 2000, 7000]
const RAW = [
  '',
  ' ',
  'null',
  '[]',
  '"',
  '{',
  '{}}',
  'NaN',
  '{"database":1e999}',
  '// no\n{}',
  "{'a':1}",
  '\ufeff{}',
]

/** Returns the bytes of a body for `schema`: valid, nearly valid, or nothing like it. */
export function bodyFor(
  schema: JsonSchema,
  { choice, words }: { choice: Choice; words: Dictionary },
): Buffer {
  if (choice.chance(0.45)) return json(validValue(schema, { choice, words }))
  if (choice.chance(0.6)) return json(nearlyValid(schema, { choice, words }))
  const valid = JSON.stringify(validValue(schema, { choice, words }))
  return choice.oneOf<() => Buffer>([
    () => Buffer.from(choice.oneOf(RAW)),
    () => Buffer.from(nested(choice)),
    () => Buffer.from(valid.replace('{', '{"database":"orders",')),
    () => Buffer.from(valid.replace('{', `{"__proto__":${valid},`)),
    () => Buffer.from(valid.replace('{', '{"constructor":{"prototype":{}},')),
    () => Buffer.from(valid.replaceAll('"', '\\u0022')),
    () => Buffer.from(valid.replaceAll('a', '\\u0061')),
    () => Buffer.from(valid, 'utf16le'),
    () =>
      Buffer.concat([Buffer.from(valid.slice(0, -2)), Buffer.from([0xff, 0xc0, 0x80]), Buffer.from('"}')]),
    () => gzipSync(valid),
    () => Buffer.from(misspelt(valid, choice)),
    () => Buffer.from(valid + ' '.repeat(choice.integer(15_000, 17_000))),
    () => Buffer.from(valid + valid),
    () => Buffer.from(JSON.stringify({ database: hostileText(choice).repeat(50) })),
  ])()
}

function validValue(schema: JsonSchema, options: { choice: Choice; words: Dictionary }): unknown {
  const { choice, words } = options
  const { type, properties = {}, required = [], pattern, minimum = 0, maximum = 1000 } = schema
  if (type === 'object')
    return Object.fromEntries(
      Object.entries(properties)
        .filter(([name]) => required.includes(name) || choice.chance(0.4))
        .map(([name, member]) => [
          name,
          words[name] ? choice.oneOf(words[name]) : validValue(member, options),
        ]),
    )
  if (type === 'boolean') return choice.chance(0.5)
  if (type === 'integer' || type === 'number') return choice.integer(minimum, maximum)
  // the one pattern in use is that of a fingerprint
  if (pattern !== undefined) return choice.oneOf([...'0123456789abcdef']).repeat(64)
  return 'x'.repeat(choice.integer(schema.minLength ?? 0, Math.min(schema.maxLength ?? 20, 200)))
}

function nearlyValid(schema: JsonSchema, options: { choice: Choice; words: Dictionary }): unknown {
  const { choice } = options
  const value = validValue(schema, options) as Record<string, unknown>
  const names = Object.keys(schema.properties ?? {})
  const name = choice.oneOf(names)
  return choice.oneOf<() => unknown>([
    () => ({ ...value, [name]: choice.oneOf<unknown>([null, 0, -1, 1.5, true, [], {}, [value], '']) }),
    () => ({ ...value, [name]: hostileText(choice) }),
    () => ({ ...value, [misspelt(name, choice)]: true }),
    () => ({ ...value, [name]: 'x'.repeat(choice.oneOf([64, 65, 128, 129, 8000])) }),
    () => Object.fromEntries(Object.entries(value).filter(([key]) => key !== name)),
    () => [value],
    () => hostileText(choice),
  ])()
}

const json = (value: unknown) => Buffer.from(JSON.stringify(value) ?? '')

function nested(choice: Choice): string {
  const depth = choice.oneOf(DEPTHS)
  const [open, close] = choice.oneOf([
    ['[', ']'],
    ['{"a":', '}'],
  ] as const)
  return `${open.repeat(depth)}1${close.repeat(depth)}`.slice(0, 60_000)
}
