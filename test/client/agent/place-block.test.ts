import { describe, expect, test } from 'vitest'
import { type BlockFormat, placeBlock } from '../../../src/client/agent/place-block.ts'

const UNTIL = '2026-11-23T10:15:00Z'
const LATER = '2026-11-23T10:20:00Z'
const TEXT = 'host:5432:*:app_ro:token\n'

interface Options {
  text?: string
  key?: string
  until?: string | undefined
  place?: BlockFormat['place']
  hasSections?: boolean
  isCheck?: boolean
}

function place(before: string, options: Options = {}) {
  const {
    text = TEXT,
    key = 'orders',
    place: where = 'first',
    hasSections = false,
    isCheck = false,
  } = options
  const until = 'until' in options ? options.until : UNTIL
  return placeBlock(before, { key, text, until }, { comment: '#', place: where, hasSections, isCheck })
}

function marked(text = TEXT, { key = 'orders', until = ` until ${UNTIL}` } = {}) {
  return `# jeton agent: begin ${key}${until}\n${text}# jeton agent: end ${key}\n`
}

test('an empty file has the block alone, and the same block changes nothing', () => {
  expect(place('')).toBe(marked())
  expect(place(marked())).toBe(marked())
})

describe('where the first match wins', () => {
  test('the block comes before what others wrote, which stays byte for byte', () => {
    const others = '*:*:*:*:theirs\r\n\xff\xfe\0 no newline'
    expect(place(others)).toBe(marked() + others)
    expect(place(marked('old\n') + others)).toBe(marked() + others)
  })

  test('a wildcard line that somebody put before it comes after it again; comments and other agents stay before', () => {
    expect(place(`*:*:*:*:x\n${marked()}`)).toBe(`${marked()}*:*:*:*:x\n`)
    const above = `# mine\n\n${marked(TEXT, { key: 'ledger' })}`
    expect(place(`${above}${marked('old\n')}*:*\n`)).toBe(`${above}${marked()}*:*\n`)
  })
})

describe('where the first section wins', () => {
  const section = (before: string, options: Options = {}) =>
    place(before, { text: '[orders]\nhost=x\n', hasSections: true, ...options })

  test('the block comes before the first section, and lines of no section stay in none', () => {
    const block = marked('[orders]\nhost=x\n')
    expect(section('stray=1\n [orders]\nhost=theirs\n')).toBe(`stray=1\n${block} [orders]\nhost=theirs\n`)
    expect(section(`[a]\n${block}`)).toBe(`${block}[a]\n`)
    expect(section(`stray=1\n${block}[a]\n`)).toBe(`stray=1\n${block}[a]\n`)
    expect(section('# nothing')).toBe(`# nothing\n${block}`)
  })

  test('the block comes before one of the same section that is another login’s, when it is new, and not in a check', () => {
    const options = { until: undefined, key: 'orders:b' }
    const mine = section('', options)
    const left = section('', { until: undefined, key: 'orders:a' })
    const ledger = section('', { until: undefined, key: 'ledger', text: '[ledger]\n' })
    expect(section(`# c\n${ledger}${left}`, options)).toBe(`# c\n${ledger}${mine}${left}`)
    expect(section(left + mine, options)).toBe(mine + left)
    expect(section(left + mine, { ...options, isCheck: true })).toBe(left + mine)
    expect(section(mine + left, options)).toBe(mine + left)
  })
})

describe('where the last line counts', () => {
  const last = (before: string) => place(before, { place: 'last' })

  test('the block comes after what others wrote, which is ended by a line break', () => {
    expect(last('[client]\r\nuser=root')).toBe(`[client]\r\nuser=root\n${marked()}`)
    expect(last(`${marked('old\n')}[client]\nuser=root\n`)).toBe(`[client]\nuser=root\n${marked()}`)
  })

  test('where there are sections, lines after it that begin none are in its own, and stay there', () => {
    const inis = { place: 'last', hasSections: true } as const
    const added = `${marked()}ssl-cipher=x\n`
    expect(place(added, inis)).toBe(added)
    expect(place(`${marked()}[client]\nuser=root\n`, inis)).toBe(`[client]\nuser=root\n${marked()}`)
  })

  test('other agents’ blocks after it are no reason to move', () => {
    const text = `a=1\n${marked()}${marked(TEXT, { key: 'ledger' })}# the end\n`
    expect(last(text)).toBe(text)
  })
})

describe('another agent with the same login', () => {
  test('a token of its that lasts longer stays, in a check and when there is a new one', () => {
    const newer = marked('newer\n', { until: ` until ${LATER}` })
    expect(place(newer)).toBe(newer)
    expect(place(newer, { isCheck: true })).toBe(newer)
  })

  test('an end that no token can have is not believed', () => {
    expect(place(marked('x\n', { until: ' until 2099-01-01T00:00:00Z' }))).toBe(marked())
    expect(place(marked('x\n', { until: ' until never' }))).toBe(marked())
    expect(place(marked('x\n', { until: '' }))).toBe(marked())
  })

  test('one as good stays in a check, and is replaced by what is new', () => {
    const other = marked('as good\n')
    expect(place(other, { isCheck: true })).toBe(other)
    expect(place(other)).toBe(marked())
    const plain = marked('[orders]\n', { until: '' })
    expect(place(plain, { until: undefined, isCheck: true })).toBe(plain)
    expect(place(plain, { until: undefined })).toBe(marked(TEXT, { until: '' }))
  })

  test('one that ends earlier, or is gone, is replaced in a check too', () => {
    expect(place(marked('old\n', { until: ' until 2026-11-23T10:00:00Z' }), { isCheck: true })).toBe(marked())
    expect(place('mine\n', { isCheck: true })).toBe(`${marked()}mine\n`)
  })
})

test('a block of another login whose token has ended, which no agent renews any more, is not read instead', () => {
  const left = marked('old\n', { key: 'orders:b', until: ' until 2026-11-23T09:59:59Z' })
  const alive = marked('other\n', { key: 'orders:b', until: ' until 2026-11-23T10:00:01Z' })
  for (const isCheck of [true, false]) {
    expect(place(left + marked(), { isCheck })).toBe(marked() + left)
    expect(place(alive + marked(), { isCheck })).toBe(alive + marked())
    expect(place(marked() + left, { isCheck, place: 'last' })).toBe(left + marked())
  }
})

describe('a block that somebody broke', () => {
  test.each([
    ['its end is gone', '# jeton agent: begin orders until x\nold\nmine\n', 'old\nmine\n'],
    ['its beginning is gone', 'old\n# jeton agent: end orders\nmine\n', 'old\nmine\n'],
    [
      'another begins within it',
      `# jeton agent: begin orders\nold\n${marked(TEXT, { key: 'ledger' })}# jeton agent: end orders\nmine\n`,
      `old\n${marked(TEXT, { key: 'ledger' })}mine\n`,
    ],
    [
      'the mark of another login has lost its end',
      '# jeton agent: begin ledger\nold\nmine\n',
      '# jeton agent: begin ledger\nold\nmine\n',
    ],
  ])(
    '%s: nothing of what is there is lost but the mark, and the new block comes first',
    (_, before, rest) => {
      expect(place(before)).toBe(marked() + rest)
    },
  )

  test('an editor that ends lines with CRLF, or leaves the last one out, is followed', () => {
    expect(place(marked('old\n').replaceAll('\n', '\r\n'))).toBe(marked())
    expect(place(marked('old\n').slice(0, -1))).toBe(marked())
  })

  test('copies of it go', () => {
    expect(place(`${marked('one\n')}mine\n${marked('two\n')}`)).toBe(`${marked()}mine\n`)
  })
})

test('users with a space, a colon or a backslash have keys of one word, and none is the beginning of another', () => {
  const keys = ['orders:app', 'orders:app ro', 'orders:CORP\\bob', 'orders:zoë', 'orders:a:b']
  const file = keys.reduce((text, key) => place(text, { key, text: `${key}\n` }), 'mine\n')
  expect(keys.reduce((text, key) => place(text, { key, text: `${key}\n` }), file)).toBe(file)
  expect(file.match(/^# jeton agent: begin (.*) until/gm)).toHaveLength(keys.length)
  expect(file.endsWith('mine\n')).toBe(true)
})

test('whatever others wrote is there after any agents have written, in its order', () => {
  let seed = 1
  const random = (below: number) => {
    seed = (seed * 48_271) % 2_147_483_647
    return seed % below
  }
  const parts = [
    'a=1\n',
    '[x]\r\n',
    '\n',
    '# c\n',
    '\xff',
    'z',
    '# jeton agent: begin p\n',
    '*:*:*:*:y\n',
    ' ',
  ]
  const formats = [
    { place: 'first' },
    { place: 'last' },
    { place: 'first', hasSections: true },
    { place: 'last', hasSections: true },
  ] as const
  for (let round = 0; round < 1000; round++) {
    const before = Array.from({ length: random(8) }, () => parts[random(parts.length)]).join('')
    const format = formats[round % formats.length]!
    const steps = Array.from({ length: 4 }, () => ['orders', 'ledger'][random(2)]!)
    const after = steps.reduce((text, key) => place(text, { key, ...format }), before)
    const rest = after.replace(/# jeton agent: begin (orders|ledger) [\s\S]*?# jeton agent: end \1\n/g, '')
    expect(rest === before || rest === `${before}\n`).toBe(true)
    expect(place(after, { key: steps.at(-1)!, ...format })).toBe(after)
  }
})
