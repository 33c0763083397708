import { describe, expect, test } from 'vitest'
import { percentEncode } from '../../src/client/forms/percent-encoding.ts'
import { escapePgpass } from '../../src/client/forms/pgpass.ts'
import { maskCommands, maskInJobLog } from '../../src/client/masks.ts'
import { azureLog, githubLog } from '../support/job-log.ts'
import { sampleLogin } from './forms/logins.ts'

const { token } = sampleLogin({}).reply
const signature = token.slice(token.indexOf('Signature=') + 'Signature='.length)

/** What a job may print, in every form of `-o`, and with an encoding that jeton does not know. */
const PRINTED = [
  `raw ${token}`,
  `url postgresql://app:${percentEncode(token)}@host/`,
  `line ${escapePgpass(token)}`,
  `json ${JSON.stringify({ token })}`,
  `twice ${percentEncode(percentEncode(token))}`,
  `cut ${token.slice(40)}`,
].join('\n')

describe('the masks hide the token, whatever form of it a job prints,', () => {
  const session = 'IQoJb3JpZ2luX2VjE%2F%2B%3D'

  test('from a log of GitHub Actions', () => {
    const log = githubLog(`${maskCommands(token, { GITHUB_ACTIONS: 'true' })}${PRINTED}`)
    expect(log).not.toContain(signature)
    expect(log.split('\n').slice(0, 3)).toEqual(['raw ***', 'url postgresql://app:***@host/', 'line ***'])
    expect(githubLog(PRINTED)).toContain(session)
  })

  test.each([true, false])('from a log of Azure Pipelines that decodes percents: %s', decodesPercents => {
    const commands = maskCommands(token, { TF_BUILD: 'True' })
    const log = azureLog(`${commands}${PRINTED}`, { decodesPercents })
    expect(log).not.toContain(signature)
    expect(log.split('\n').slice(0, 3)).toEqual(['raw ***', 'url postgresql://app:***@host/', 'line ***'])
  })

  test.each([true, false])(
    'even if the agent prints the commands themselves (decodes percents: %s)',
    decodesPercents => {
      const log = azureLog(maskCommands(token, { TF_BUILD: 'True' }), { decodesPercents, debugs: true })
      expect(log).toContain('##[debug]Processed: ##vso[task.setsecret]')
      expect(log).not.toContain(signature)
    },
  )

  test('and are written nowhere else, where they would be what prints it', () => {
    for (const env of [{}, { CI: 'true' }, { GITLAB_CI: 'true' }, { GITHUB_ACTIONS: 'false' }])
      expect(maskCommands(token, env)).toBe('')
  })
})

test('the runner has time to read the masks, and other callers do not wait', async () => {
  const slept: number[] = []
  const clock = { sleep: async (ms: number) => void slept.push(ms) } as never
  const written: string[] = []
  const stderr = { write: (text: string) => void written.push(text) }
  await maskInJobLog(token, { env: {}, stderr, clock })
  expect([written, slept]).toEqual([[], []])
  await maskInJobLog(token, { env: { GITHUB_ACTIONS: 'true' }, stderr, clock })
  expect([written, slept]).toEqual([[maskCommands(token, { GITHUB_ACTIONS: 'true' })], [100]])
})
