import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { listIdentities } from '../../../src/client/credential.ts'
import { createNodeSend } from '../../../src/client/node-http.ts'
import { examineConfig } from '../../../src/config/load.ts'
import { virtualClock } from '../../support/clock/virtual-clock.ts'
import { exampleIn, quotedIn, readDocsPage, rowsOf, sectionOf } from '../../support/markdown.ts'

const page = await readDocsPage('connect/who-am-i')
const rows = [...rowsOf(sectionOf(page, 'Jobs')), ...rowsOf(sectionOf(page, 'Where a program runs'))]

const DATABASE = `
databases:
  orders:
    engine: postgres
    host: orders.c9akciq32xyz.us-east-1.rds.amazonaws.com
    resourceId: db-ABCDEFGHIJKLMNOPQRSTUVWXYZ
    roleArn: arn:aws:iam::123456789012:role/jeton-orders
    users: [app_ro]
server: { host: 127.0.0.1, port: 8080 }
store: { type: memory }
audit: [{ type: file, path: audit.jsonl }]
`

test('the issuers and grants of the page are a configuration that nothing is doubtful in but names', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'who-am-i-'))
  try {
    const path = join(folder, 'jeton.yaml')
    await writeFile(path, `${exampleIn(page, 'issuers-and-grants')}${DATABASE}`)
    const { problems, warnings, config } = await examineConfig(path)
    expect(problems).toEqual([])
    expect(warnings.map(({ message }) => message)).toEqual([
      expect.stringContaining('pins the owner by name'),
    ])
    expect(config?.grants.map(({ name }) => name)).toEqual(config?.issuers.map(({ name }) => name))
  } finally {
    await rm(folder, { recursive: true })
  }
})

test('the page says by what each platform is recognized', () => {
  const looked = new Set<string>()
  const env = new Proxy({}, { get: (_target, name) => void looked.add(String(name)) })
  const sources = { env, root: '/nowhere', stdin: (async function* () {})() }
  listIdentities(sources, { send: createNodeSend(), clock: virtualClock() })
  const recognized = rows.flatMap(([, , , by = '']) => quotedIn(by))
  const variables = recognized.filter(name => /^[A-Z][A-Z0-9_]+$/.test(name))
  // of pairs, only the first was looked at; the page writes others with an ellipsis or an asterisk
  const pairs = ['AWS_SECRET_ACCESS_KEY', 'IDENTITY_HEADER']
  expect([...looked]).toEqual(expect.arrayContaining(variables.filter(name => !pairs.includes(name))))
  const elsewhere = [
    ...['JETON_AUDIENCE', 'JETON_JWT_FILE', 'JETON_API_KEY', 'FLY_MACHINE_ID'],
    ...['IDENTITY_SERVER_THUMBPRINT', 'IMDS_ENDPOINT', 'BITBUCKET_STEP_OIDC_TOKEN'],
    ...['AWS_CONTAINER_CREDENTIALS_RELATIVE_URI', 'AWS_CONTAINER_CREDENTIALS_FULL_URI'],
  ]
  expect([...looked].filter(name => !elsewhere.includes(name) && !variables.includes(name))).toEqual([])
})
