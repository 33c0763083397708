import { describe, expect, test } from 'vitest'
import { ownPath, parseBasePath } from '../../src/lambda/base-path.ts'

describe('parseBasePath', () => {
  test.each([
    [undefined, ''],
    ['', ''],
    ['/', ''],
    ['//', ''],
    ['jeton', '/jeton'],
    ['/jeton', '/jeton'],
    ['/jeton/', '/jeton'],
    ['jeton/', '/jeton'],
    ['/teams/data/jeton', '/teams/data/jeton'],
    ["/a-b_c.d~$+!*'()", "/a-b_c.d~$+!*'()"],
    ['/v1', '/v1'],
  ])('of %j is %j', (text, basePath) => {
    expect(parseBasePath(text)).toEqual({ basePath })
  })

  test.each([
    'https://api.example.com/jeton',
    '/jeton?x',
    '/jeton#x',
    '/je ton',
    '/jeton//data',
    '/jeton/..',
    '/../jeton',
    '/./jeton',
    '/jet%6Fn',
    '/jeton\\',
    '/jeton\n',
    '/jéton',
  ])('of %j is a problem that says what to write', text => {
    const { basePath, problem } = parseBasePath(text)
    expect(basePath).toBe('')
    expect(problem).toContain('such as /jeton')
    expect(problem).not.toContain(text)
  })
})

describe('ownPath', () => {
  const KNOWN = ['/v1/tokens', '/v1/databases', '/healthz']
  const isKnown = (path: string) => KNOWN.includes(path)
  const own = (path: string, ...prefixes: string[]) => ownPath(path, { prefixes, isKnown })

  test.each([
    // an HTTP API has the name of its stage in front, a REST API has not
    ['/prod/v1/tokens', ['/prod'], '/v1/tokens'],
    ['/v1/tokens', ['/prod'], '/v1/tokens'],
    // a stage with the name of a segment of jeton's own
    ['/v1/v1/tokens', ['/v1'], '/v1/tokens'],
    ['/v1/tokens', ['/v1'], '/v1/tokens'],
    ['/v1/databases', ['/v1'], '/v1/databases'],
    ['/v1/tokens', ['/v1/tokens'], '/v1/tokens'],
    ['/healthz', ['/healthz'], '/healthz'],
    // a mapping key, alone and with the stage on either side
    ['/jeton/v1/tokens', ['', '/jeton'], '/v1/tokens'],
    ['/jeton/prod/v1/tokens', ['/prod', '/jeton'], '/v1/tokens'],
    ['/prod/jeton/v1/tokens', ['/prod', '/jeton'], '/v1/tokens'],
    ['/jeton/jeton/v1/tokens', ['/jeton', '/jeton'], '/v1/tokens'],
    ['/teams/data/healthz', ['', '/teams/data'], '/healthz'],
  ])('of %j before which %j may stand is %j', (path, prefixes, expected) => {
    expect(own(path, ...prefixes)).toBe(expected)
  })

  test.each([
    // not on the border of a segment
    ['/jetonv1/tokens', ['/jeton']],
    ['/jeton-2/v1/tokens', ['/jeton']],
    ['/JETON/v1/tokens', ['/jeton']],
    ['/jeton', ['/jeton']],
    ['/jeton/', ['/jeton']],
    // once at most
    ['/jeton/jeton/v1/tokens', ['/jeton']],
    ['/jeton//v1/tokens', ['/jeton']],
    ['//jeton/v1/tokens', ['/jeton']],
    ['/jeton%2Fv1/tokens', ['/jeton']],
    ['/jeton/v1%2Ftokens', ['/jeton']],
    ['/%6Aeton/v1/tokens', ['/jeton']],
    ['/jeton/../v1/tokens', ['/jeton']],
    ['/x/jeton/v1/tokens', ['/jeton']],
    ['/prod/nothing', ['/prod']],
    ['/$default/v1/tokens', ['']],
    ['/v1/nothing', ['', '']],
  ])('of %j before which %j may stand is unchanged', (path, prefixes) => {
    expect(own(path, ...prefixes)).toBe(path)
  })
})
